package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"cohort.example/cohort/internal/numeral"
)

// jsonFlag is for commands that list something.
type jsonFlag struct {
	JSON bool `name:"json" help:"Print a JSON array instead of a table."`
}

// listing prints items as a table, or as a JSON array.
type listing struct {
	out   io.Writer
	json  bool
	table table
	items int // printed as JSON
}

func (f jsonFlag) newListing(in *invocation, head ...string) *listing {
	l := &listing{out: in.Out, json: f.JSON}
	if !l.json {
		l.table = newTable(in, head...)
	}
	return l
}

// add prints an item: value as JSON, or cells as a row.
func (l *listing) add(value any, cells ...string) error {
	if !l.json {
		l.table.row(cells...)
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	before := ",\n  "
	if l.items == 0 {
		before = "[\n  "
	}
	l.items++
	_, err = fmt.Fprint(l.out, before, jsonText(text))
	return err
}

// also adds a row that belongs to the last item, whose JSON has it already.
func (l *listing) also(cells ...string) {
	if !l.json {
		l.table.row(cells...)
	}
}

// end prints what is left. It is called once, after the last item.
func (l *listing) end() error {
	if !l.json {
		return l.table.Flush()
	}
	after := "\n]\n"
	if l.items == 0 {
		after = "[]\n"
	}
	_, err := fmt.Fprint(l.out, after)
	return err
}

// printJSON prints a value as one line.
func printJSON(in *invocation, value any) error {
	text, err := json.Marshal(value)
	if err == nil {
		_, err = fmt.Fprintln(in.Out, jsonText(text))
	}
	return err
}

// table prints rows in columns.
type table struct{ *tabwriter.Writer }

func newTable(in *invocation, head ...string) table {
	t := table{tabwriter.NewWriter(in.Out, 0, 0, 2, ' ', 0)}
	t.row(head...)
	return t
}

func (t table) row(cells ...string) {
	visible := make([]string, len(cells))
	for i, cell := range cells {
		visible[i] = visibleText(cell)
	}
	fmt.Fprintln(t, strings.Join(visible, "\t"))
}

// visibleText returns a text with escapes such as \n and \x1b instead of control
// characters. A client of the API may put them into a name; a terminal would obey them,
// and a tab or a line break would move the columns of a table.
func visibleText(text string) string {
	return escapeControl(text, func(r rune) string {
		quoted := strconv.QuoteRune(r)
		return quoted[1 : len(quoted)-1]
	})
}

// jsonText returns a JSON text with escapes for the control characters that JSON
// allows in strings: U+007F to U+009F.
func jsonText(text []byte) string {
	return escapeControl(string(text), func(r rune) string { return fmt.Sprintf(`\u%04x`, r) })
}

func escapeControl(text string, escape func(rune) string) string {
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) {
			b.WriteString(escape(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func dateText(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func idText(id int64) string { return strconv.FormatInt(id, 10) }

// counted returns a number with what it counts, such as "1 job" or "2 jobs".
func counted(n int64, what string) string { return numeral.Plural(n, what, what+"s") }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
