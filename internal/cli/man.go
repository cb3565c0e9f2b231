package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// ManPage is a page of the manual in the macros of man(7).
type ManPage struct {
	Name string // of its file, such as "cohort-store-create.1"
	Text []byte
}

// ManPages returns a page for cohort and one for each command, in the order of the help.
// The version, such as "1.2.0", and the date, such as "2026-12-01", are in the margins.
func ManPages(version, date string) []ManPage {
	parser := newParser(new(commands), Streams{Out: io.Discard, Err: io.Discard})
	return manPages(parser.Model.Node, version, date)
}

func manPages(node *kong.Node, version, date string) []ManPage {
	pages := []ManPage{{Name: manName(node) + ".1", Text: manPage(node, version, date)}}
	for _, child := range node.Children {
		pages = append(pages, manPages(child, version, date)...)
	}
	return pages
}

// manName returns the name of a command's page, such as "cohort-store-create".
func manName(node *kong.Node) string { return strings.ReplaceAll(commandPath(node), " ", "-") }

func manPage(node *kong.Node, version, date string) []byte {
	m := &manual{}
	m.linef(`.TH "%s" 1 "%s" "cohort %s" "Cohort"`, roff(strings.ToUpper(manName(node))), roff(date), roff(version))
	m.linef(".SH NAME\n%s \\- %s", roff(manName(node)), roff(manSummary(node)))
	m.linef(".SH SYNOPSIS\n%s", manSynopsis(node))
	m.linef(".SH DESCRIPTION")
	m.text(node.Help)
	m.commands(node)
	m.arguments(node)
	m.flags(node)
	m.linef(".SH EXIT STATUS\n0 for success, 1 for failure, and 2 for a command line that cannot be parsed.")
	m.related(node)
	return m.Bytes()
}

// manSummary returns what the line of a page's name says.
func manSummary(node *kong.Node) string {
	if node.Parent == nil {
		return "a service for customer groups that speaks the BigCommerce REST Management API"
	}
	return firstSentence(node.Help)
}

// manSynopsis returns the form of a command line.
func manSynopsis(node *kong.Node) string {
	parts := []string{`\fB` + roff(commandPath(node)) + `\fR`}
	if len(node.Children) > 0 {
		parts = append(parts, `\fICOMMAND\fR`)
	}
	for _, arg := range node.Positional {
		parts = append(parts, manArgument(arg))
	}
	return strings.Join(append(parts, `[\fIFLAG\fR]...`), " ")
}

func manArgument(arg *kong.Value) string {
	text := `\fI` + roff(strings.ToUpper(arg.Name)) + `\fR`
	if !arg.Required {
		text = "[" + text + "]"
	}
	if arg.IsCumulative() {
		text += "..."
	}
	return text
}

// manual is a page that is being written.
type manual struct{ bytes.Buffer }

// linef writes a line or several, in which the text of others has gone through roff.
func (m *manual) linef(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

// text writes paragraphs, which empty lines separate.
func (m *manual) text(help string) {
	for i, paragraph := range strings.Split(help, "\n\n") {
		if i > 0 {
			m.linef(".PP")
		}
		m.linef("%s", roff(strings.Join(strings.Fields(paragraph), " ")))
	}
}

// item writes an entry of a list: a term and what it means.
func (m *manual) item(term, meaning string) {
	m.linef(".TP\n%s", term)
	m.text(meaning)
}

func (m *manual) commands(node *kong.Node) {
	if len(node.Children) == 0 {
		return
	}
	m.linef(".SH COMMANDS")
	for _, child := range node.Children {
		m.item(`\fB`+roff(commandPath(child))+`\fR`, child.Help)
	}
}

func (m *manual) arguments(node *kong.Node) {
	if len(node.Positional) == 0 {
		return
	}
	m.linef(".SH ARGUMENTS")
	for _, arg := range node.Positional {
		m.item(manArgument(arg), arg.Help)
	}
}

func (m *manual) flags(node *kong.Node) {
	m.linef(".SH OPTIONS")
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			m.item(manFlag(flag), flag.Help)
			for _, name := range flag.Envs {
				m.linef("The variable \\fB%s\\fR sets it too.", roff(name))
			}
		}
	}
}

func manFlag(flag *kong.Flag) string {
	term := `\fB` + roff("--"+flag.Name) + `\fR`
	if flag.Short != 0 {
		term = `\fB` + roff("-"+string(flag.Short)) + `\fR, ` + term
	}
	if flag.IsBool() {
		return term
	}
	return term + `=\fI` + roff(flag.FormatPlaceHolder()) + `\fR`
}

// related writes the pages above and below a command's.
func (m *manual) related(node *kong.Node) {
	var names []string
	for above := node.Parent; above != nil; above = above.Parent {
		names = append(names, manName(above))
	}
	for _, child := range node.Children {
		names = append(names, manName(child))
	}
	m.linef(".SH SEE ALSO")
	for i, name := range names {
		comma := ","
		if i == len(names)-1 {
			comma = ""
		}
		m.linef(`.BR %s (1)%s`, roff(name), comma)
	}
}

// roff returns text in which roff sees no request and no escape, and which has the hyphen
// that a reader can copy into a command line.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
