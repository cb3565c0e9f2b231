package docsite

import (
	"fmt"
	"strings"

	"cohort.example/cohort/internal/numeral"
	"cohort.example/cohort/internal/reference"
	"cohort.example/cohort/internal/snippet"
)

// referencePages returns the pages of the API reference: the list of operations, and a page for
// each.
func referencePages(d *reference.Document) []page {
	list := []page{{name: "reference/index", title: "API reference", summary: "a page for each operation, with examples that run", markdown: operationList(d), reference: true}}
	for _, e := range Examples() {
		head := operationHead(d, e.Operation)
		list = append(list, page{
			name: "reference/" + e.Operation.ID, title: e.Operation.Summary, summary: e.Operation.Method + " " + e.Operation.Path,
			markdown: head + exampleText(e, snippet.Languages()), searched: head, reference: true,
		})
	}
	return list
}

// operationList returns the list of all operations.
func operationList(d *reference.Document) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# API reference\n\n%s. The same information for programs is in [openapi.yaml](../openapi.yaml), and what all operations have in common in [wire.md](../wire.md).\n\n",
		numeral.Plural(int64(len(d.Operations)), "operation", "operations"))
	b.WriteString("To run the examples, start `cohort serve --dev`, and load [example.yaml](../example.yaml) into its store in another terminal. Some examples show events, which have to be switched on before:\n\n```console\n$ cohort store update demo --events on\n$ cohort seed example.yaml\n```\n\n")
	b.WriteString("The answers on the pages are those of the server to the examples. Of lists, they show the first two elements.\n")
	for _, tag := range d.Tags {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", capital(tag.Name), strings.TrimSpace(tag.Description))
		for _, o := range d.Operations {
			if o.Tag() == tag.Name {
				fmt.Fprintf(&b, "- [`%s %s`](%s.md): %s\n", o.Method, o.Path, o.ID, o.Summary)
			}
		}
	}
	return b.String()
}

func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// operationHead returns the page of an operation without its example.
func operationHead(d *reference.Document, o *reference.Operation) string {
	lines := d.Describe(o)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n`%s %s`\n\n%s\n\n", o.Summary, o.Method, o.Path, strings.TrimSpace(o.Description))
	fmt.Fprintf(&b, "| | |\n|---|---|\n| Operation | `%s`, one of [%s](index.md#%s) |\n| Token | %s |\n", o.ID, o.Tag(), strings.ReplaceAll(o.Tag(), " ", "-"), tokenOf(o))
	if o.Scope != "" {
		fmt.Fprintf(&b, "| Scope | %s |\n", scopesOf(o))
	}
	for _, row := range limitsOf(o) {
		b.WriteString("| " + row + " |\n")
	}
	b.WriteString("\n" + evidenceOf(o))
	if len(lines.Parameters) > 0 {
		b.WriteString("\n## Parameters\n\n| Name | Where | Type | Meaning |\n|---|---|---|---|\n")
		for _, p := range lines.Parameters {
			fmt.Fprintf(&b, "| `%s`%s | %s | %s | %s |\n", p.Name, required(p.Required), p.In, escaped(p.Type), meaning(p.Meaning, p.Rules))
		}
	}
	if lines.Body != nil {
		need := "Optional"
		if lines.Body.Required {
			need = "Required"
		}
		fmt.Fprintf(&b, "\n## Request\n\n%s, `%s`, %s. %s\n", need, lines.Body.Format, escaped(lines.Body.Type), meaning(lines.Body.Meaning, ""))
		b.WriteString(fieldTable(lines.Body))
	}
	b.WriteString(responseText(lines))
	return b.String()
}

func required(is bool) string {
	if is {
		return " (required)"
	}
	return ""
}

// responseText returns the parts about the responses: those of success, with their fields, and
// the errors.
func responseText(lines reference.Lines) string {
	var b strings.Builder
	b.WriteString("\n## Answer\n")
	for _, r := range lines.Responses {
		if r.Status >= "4" {
			continue
		}
		fmt.Fprintf(&b, "\n**%s** %s\n", r.Status, meaning(r.Meaning, ""))
		if r.Body == nil {
			b.WriteString("\nNo body.\n")
			continue
		}
		fmt.Fprintf(&b, "\n`%s`, %s. %s\n%s", r.Body.Format, escaped(r.Body.Type), meaning(r.Body.Meaning, ""), fieldTable(r.Body))
	}
	b.WriteString("\n## Errors\n\n| Status | Meaning | Body |\n|---|---|---|\n")
	for _, r := range lines.Responses {
		if r.Status < "4" {
			continue
		}
		body := "none"
		if r.Body != nil {
			body = "`" + r.Body.Format + "`"
			if fields := topFields(r.Body); fields != "" {
				body += " with " + fields
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.Status, meaning(r.Meaning, ""), body)
	}
	if len(lines.Headers) > 0 {
		b.WriteString("\n## Headers of answers\n\n| Header | Meaning |\n|---|---|\n")
		for _, h := range lines.Headers {
			fmt.Fprintf(&b, "| `%s` | %s |\n", h.Name, meaning(h.Meaning, ""))
		}
	}
	return b.String()
}

// topFields lists the fields of a body that are in no other field.
func topFields(body *reference.BodyLine) string {
	var names []string
	for _, row := range body.Rows {
		if row.Depth == 0 {
			names = append(names, "`"+row.Name+"`")
		}
	}
	return strings.Join(names, ", ")
}

// fieldTable returns the fields of a body as a table. A field in another one has its path.
func fieldTable(body *reference.BodyLine) string {
	if len(body.Rows) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n| Field | Type | Meaning |\n|---|---|---|\n")
	var names []string
	for _, row := range body.Rows {
		names = append(names[:min(row.Depth, len(names))], row.Name)
		fmt.Fprintf(&b, "| %s%s | %s | %s |\n", fieldPath(names), required(row.Required), escaped(row.Type), meaning(row.Meaning, row.Rules))
	}
	if body.Cut {
		b.WriteString("\nThe [document](../openapi.yaml) has more fields than this table.\n")
	}
	return b.String()
}

// fieldPath returns the path of a field. An alternative of a schema, whose name begins with
// "either", is in the path of its own row alone.
func fieldPath(names []string) string {
	var path []string
	for _, name := range names {
		if !strings.HasPrefix(name, "either ") {
			path = append(path, name)
		}
	}
	text := ""
	if len(path) > 0 {
		text = "`" + strings.Join(path, ".") + "`"
	}
	if last := names[len(names)-1]; strings.HasPrefix(last, "either ") {
		text += " *" + escaped(last) + "*"
	}
	return strings.TrimSpace(text)
}

// exampleText returns the part with the example in some languages, and its answer.
func exampleText(e Example, languages []snippet.Language) string {
	var b strings.Builder
	b.WriteString("\n## Example\n\nThe example calls a development server with the content of [example.yaml](../example.yaml); the [list of operations](index.md) says how to start it.")
	if e.First != "" {
		fmt.Fprintf(&b, " Run the example of [%s](%s.md) first.", e.First, e.First)
	}
	for _, id := range []string{SegmentID, ProfileID, OtherProfileID} {
		if strings.Contains(e.Request.URL+e.Request.Body, id) {
			b.WriteString(" Ids of segments and profiles are other ones in each store: put yours in their place.")
			break
		}
	}
	b.WriteString("\n")
	for _, l := range languages {
		fmt.Fprintf(&b, "\n### %s\n\n```%s\n%s```\n", l.Name, l.Tag, l.Write(e.Request))
	}
	a, ok := Answers()[e.Operation.ID]
	if !ok {
		return b.String()
	}
	fmt.Fprintf(&b, "\n### The answer\n\nThe status is %d", a.Status)
	switch {
	case e.Request.Stream:
		b.WriteString(", and the response goes on until the client leaves.\n")
		return b.String()
	case a.Format == "":
		b.WriteString(", without a body.\n")
		return b.String()
	case a.Cut && strings.HasSuffix(a.Format, "json"):
		b.WriteString("; further elements of lists are left out")
	case a.Cut:
		b.WriteString("; the body begins so")
	}
	fmt.Fprintf(&b, ".\n\n```%s\n%s\n```\n", tagOf(a.Format), a.Text)
	return b.String()
}

// tagOf returns the tag of a block for a type of a body.
func tagOf(format string) string {
	switch {
	case strings.HasSuffix(format, "json"):
		return "json"
	case strings.HasSuffix(format, "yaml"):
		return "yaml"
	}
	return "text"
}

// tokenOf says which token an operation takes.
func tokenOf(o *reference.Operation) string {
	switch {
	case o.OfStore():
		return "`X-Auth-Token`, a token of the store"
	case len(o.Security) > 0 && o.Security[0]["control"] != nil:
		return "`Authorization: Bearer` and the control token; none with `--dev`"
	}
	return "none"
}

// scopesOf says which scopes allow an operation.
func scopesOf(o *reference.Operation) string {
	if base, ok := strings.CutSuffix(o.Scope, "_read_only"); ok {
		return "`" + o.Scope + "` or `" + base + "`"
	}
	return "`" + o.Scope + "`"
}

// limitsOf returns rows about the limits of an operation.
func limitsOf(o *reference.Operation) (rows []string) {
	if !o.OfStore() {
		return nil
	}
	if o.Concurrency > 0 {
		rows = append(rows, "At the same time | "+numeral.Plural(int64(o.Concurrency), "request", "requests")+" of a store")
	}
	if o.PerMinute.Store > 0 {
		rows = append(rows, fmt.Sprintf("In a minute | %s with one path, %s of a store", numeral.Plural(int64(o.PerMinute.Path), "request", "requests"), numeral.Number(int64(o.PerMinute.Store))))
	}
	return append(rows, "Quota | that of the store; [limits](../wire.md#limits)")
}

// meaning returns a description and rules as a cell of a table.
func meaning(list []reference.Piece, rules string) string {
	var b strings.Builder
	for _, p := range list {
		text := strings.Join(strings.Fields(p.Text), " ")
		if strings.HasPrefix(p.Text, " ") || strings.HasPrefix(p.Text, "\n") {
			text = " " + text
		}
		if strings.HasSuffix(p.Text, " ") || strings.HasSuffix(p.Text, "\n") {
			text += " "
		}
		if p.Code {
			b.WriteString("`" + strings.ReplaceAll(text, "|", `\|`) + "`")
			continue
		}
		b.WriteString(escaped(text))
	}
	text := strings.TrimSpace(b.String())
	if rules != "" {
		if text != "" && !strings.HasSuffix(text, ".") {
			text += "."
		}
		text += " (" + escaped(rules) + ")"
	}
	return strings.TrimSpace(text)
}

// escaped returns a text that Markdown shows as it is, in a cell of a table too.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", "|", `\|`, "\n", " ").Replace(text)
}
