// Package markdown makes HTML of the pages of the documentation. It is for texts that are part
// of the program: goldmark leaves raw HTML out and escapes the rest.
package markdown

import (
	"bytes"
	"html/template"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Options are options of [Render].
type Options struct {
	// Link returns the address to which a link leads instead of to its destination. Without
	// an address, only the text of the link stays.
	Link func(destination string) (address string, ok bool)
	// Image is Link for pictures; nil: they stay as they are.
	Image func(destination string) (address string, ok bool)
	// Block returns the HTML of a fenced block, whose language may be empty; nil: goldmark
	// makes it.
	Block func(language, text string) string
}

// Page is a text as HTML.
type Page struct {
	// Title is the text of the first line.
	Title string
	HTML  template.HTML
	// Sections are the parts of the page in their order. The first has the text before the
	// first heading below the title.
	Sections []Section
}

// Section is a heading with the text below it, up to the next heading of any level.
type Section struct {
	Level int
	ID    string // of the heading, in the HTML
	Title string
	Text  string // without marks of Markdown
}

// Render makes HTML of a text. Equal headings of a page get different ids.
func Render(source []byte, o Options) Page {
	// The policies of all pages forbid style attributes, which are the default of tables.
	table := extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))
	md := goldmark.New(goldmark.WithExtensions(table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	if o.Block != nil {
		md.Renderer().AddOptions(renderer.WithNodeRenderers(util.Prioritized(blocks{o.Block}, 1)))
	}
	tree := md.Parser().Parse(text.NewReader(source))
	lead(tree, o)
	var html bytes.Buffer
	if err := md.Renderer().Render(&html, source, tree); err != nil {
		panic(err) // a buffer takes everything
	}
	first, _, _ := strings.Cut(string(source), "\n")
	return Page{
		Title:    strings.TrimPrefix(first, "# "),
		HTML:     template.HTML(boxTables(html.String())), //nolint:gosec // the text is part of the program
		Sections: sections(tree, source),
	}
}

// boxTables puts each table into a box that scrolls by itself, also with the keyboard.
func boxTables(html string) string {
	const box = `<div class="scroll" tabindex="0" role="region" aria-label="Table">`
	return strings.NewReplacer("<table>", box+"<table>", "</table>", "</table></div>").Replace(html)
}

// lead makes links and pictures lead to where the options say. Of links that lead nowhere, the
// text stays.
func lead(tree ast.Node, o Options) {
	var links []*ast.Link
	_ = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			links = append(links, n)
		case *ast.Image:
			if o.Image == nil {
				break
			}
			if address, ok := o.Image(string(n.Destination)); ok {
				n.Destination = []byte(address)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, link := range links {
		address, ok := o.Link(string(link.Destination))
		if !ok {
			unlink(link)
			continue
		}
		link.Destination = []byte(address)
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

// blocks renders fenced blocks by a function.
type blocks struct {
	block func(language, text string) string
}

// RegisterFuncs implements renderer.NodeRenderer.
func (b blocks) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			language := n.(*ast.FencedCodeBlock).Language(source)
			_, _ = w.WriteString(b.block(string(language), string(n.Lines().Value(source)))) // Render sees the error
		}
		return ast.WalkSkipChildren, nil
	})
}

// sections parts a page at its headings.
func sections(tree ast.Node, source []byte) []Section {
	list := []Section{{Level: 1}}
	for n := tree.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if ok && h.Level > 1 {
			id, _ := h.AttributeString("id")
			name, _ := id.([]byte)
			list = append(list, Section{Level: h.Level, ID: string(name), Title: plain(n, source)})
			continue
		}
		if !ok {
			last := &list[len(list)-1]
			last.Text = strings.TrimSpace(last.Text + " " + plain(n, source))
		}
	}
	return list
}

// plain returns the text of a node in one line.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Type() == ast.TypeBlock {
			b.WriteByte(' ')
		}
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Segment.Value(source))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			b.Write(n.Lines().Value(source))
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}
