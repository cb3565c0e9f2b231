package cli

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"cohort.example/cohort/internal/controlclient"
)

// requestPrinter prints requests of the journal in a form.
type requestPrinter struct {
	*requestsCommand
	in     *invocation
	client *controlclient.Client
	list   *listing // nil: lines as they come
	lines  int      // printed
}

// requestLine is the form of a line that is printed before the next one is known.
const requestLine = "%-5s  %-12s  %-6s  %-50s  %-6s  %-22s  %s"

// requestColumns are the heads of the columns.
func requestColumns() []string {
	return []string{"ID", "TIME", "METHOD", "PATH", "STATUS", "OPERATION", "NOTES"}
}

// line prints cells at once, as the widths of later ones are not known.
func (p *requestPrinter) line(cells []string) {
	if p.lines++; p.lines == 1 {
		p.line(requestColumns())
	}
	visible := make([]any, len(cells))
	for i, cell := range cells {
		visible[i] = visibleText(cell)
	}
	fmt.Fprintln(p.in.Out, strings.TrimRight(fmt.Sprintf(requestLine, visible...), " "))
}

// print prints a request.
func (p *requestPrinter) print(text json.RawMessage) error {
	if p.Follow && p.JSON {
		_, err := fmt.Fprintln(p.in.Out, jsonText(text))
		return err
	}
	var r requestJSON
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("the response cannot be read: %w", err)
	}
	switch {
	case p.As == "curl":
		return p.curl(r.ID)
	case p.list != nil:
		return p.list.add(text, r.cells()...)
	}
	p.line(r.cells())
	return nil
}

// end prints what is left of a list.
func (p *requestPrinter) end() error {
	if p.list == nil {
		return nil
	}
	return p.list.end()
}

// cells returns the row of a request. The path is that after the store.
func (r requestJSON) cells() []string {
	path := r.Path
	if parts := strings.SplitN(path, "/", 4); len(parts) == 4 && parts[1] == "stores" {
		path = "/" + parts[3]
	}
	if r.Query != "" {
		path += "?" + r.Query
	}
	var notes []string
	if r.Fault != "" {
		notes = append(notes, "fault "+r.Fault)
	}
	if len(r.UnreadFields) > 0 {
		notes = append(notes, "not read: "+strings.Join(r.UnreadFields, ", "))
	}
	return []string{
		idText(r.ID), r.Date.UTC().Format("15:04:05.000"), r.Method, path, strconv.Itoa(r.Status), orDash(r.Operation), strings.Join(notes, "; "),
	}
}

// curl prints a request as a command.
func (p *requestPrinter) curl(id int64) error {
	text, err := p.one(id, url.Values{"as": {"curl"}})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.in.Out, "%s\n\n", visibleLines(text))
	return err
}

// printOne prints one request, as a JSON object unless a command is asked for.
func (p *requestPrinter) printOne() error {
	if p.As == "curl" {
		return p.curl(p.ID)
	}
	text, err := p.one(p.ID, nil)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.in.Out, prettyJSON(jsonText(text)))
	return err
}

// one returns a request.
func (p *requestPrinter) one(id int64, query url.Values) ([]byte, error) {
	return p.client.Do(p.in.ctx, controlclient.Call{Method: "GET", Path: p.path("requests", idText(id)), Query: query})
}

// visibleLines is visibleText for a text of several lines.
func visibleLines(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, line := range lines {
		lines[i] = visibleText(line)
	}
	return strings.Join(lines, "\n")
}
