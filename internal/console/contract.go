package console

import (
	"bytes"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"cohort.example/cohort/docs"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

func contractRoutes() []route {
	return []route{{method: "GET", path: "contract/{page}", handle: (*call).contract, tests: true}}
}

// contractPath returns the address of a section of the contract. The page is the name of a
// file of docs without ".md".
func contractPath(page, section string) string {
	path := Prefix + "contract/" + page
	if section != "" {
		path += "#" + section
	}
	return path
}

// contractPage is a page of the contract as HTML.
type contractPage struct {
	title string
	html  template.HTML
}

// contractPages has all pages by name. The first request renders them.
var contractPages = sync.OnceValue(func() map[string]contractPage {
	files, err := docs.Contract.ReadDir(".")
	if err != nil {
		panic(err) // it is embedded
	}
	pages := map[string]contractPage{}
	for _, f := range files {
		source, err := docs.Contract.ReadFile(f.Name())
		if err != nil {
			panic(err)
		}
		pages[strings.TrimSuffix(f.Name(), ".md")] = renderContract(source)
	}
	return pages
})

// renderContract makes HTML of Markdown. Goldmark leaves raw HTML out and escapes the rest,
// and the text is part of the program: that makes template.HTML safe here.
func renderContract(source []byte) contractPage {
	// The policy of the console forbids style attributes, which are the default of tables.
	table := extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))
	md := goldmark.New(goldmark.WithExtensions(table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	tree := md.Parser().Parse(text.NewReader(source))
	leadToPages(tree)
	var html bytes.Buffer
	if err := md.Renderer().Render(&html, source, tree); err != nil {
		panic(err) // a buffer takes everything
	}
	first, _, _ := strings.Cut(string(source), "\n")
	title := strings.TrimPrefix(first, "# ")
	return contractPage{title, template.HTML(boxTables(html.String()))} //nolint:gosec // see above
}

// boxTables puts each table into a box that scrolls by itself, also with the keyboard.
func boxTables(html string) string {
	const box = `<div class="scroll" tabindex="0" role="region" aria-label="Table of the contract">`
	return strings.NewReplacer("<table>", box+"<table>", "</table>", "</table></div>").Replace(html)
}

// leadToPages makes links to files of the contract lead to pages of the console. Of links to
// other files, which the program does not have, the text stays.
func leadToPages(tree ast.Node) {
	var links []*ast.Link
	_ = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if link, ok := n.(*ast.Link); ok && entering {
			links = append(links, link)
		}
		return ast.WalkContinue, nil
	})
	for _, link := range links {
		file, section, _ := strings.Cut(string(link.Destination), "#")
		page, markdown := strings.CutSuffix(file, ".md")
		switch {
		case file == "":
		case markdown && strings.HasPrefix(page, "wire"):
			link.Destination = []byte(contractPath(page, section))
		default:
			unlink(link)
		}
	}
}

// unlink replaces a link by what it shows.
func unlink(link *ast.Link) {
	parent := link.Parent()
	for child := link.FirstChild(); child != nil; child = link.FirstChild() {
		parent.InsertBefore(parent, link, child)
	}
	parent.RemoveChild(parent, link)
}

// contract shows a page of the contract.
func (c *call) contract() error {
	p, ok := contractPages()[c.r.PathValue("page")]
	if !ok {
		return &statusError{http.StatusNotFound, "The contract has no page with this address."}
	}
	return c.render(page{name: "contract", title: p.title, body: p.html})
}
