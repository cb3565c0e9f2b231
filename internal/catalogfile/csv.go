package catalogfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"cohort.example/cohort"
)

// csvRecords reads CSV with a header (RFC 4180).
type csvRecords struct {
	lines     *lines
	kind      cohort.CatalogKind
	separator byte
	columns   []string
	further   map[cohort.CatalogKind]bool // the kinds of which all lines have further fields
	text      []byte                      // the cells of the current record, concatenated
	ends      []int                       // the end of each cell in text
}

// begin reads the header.
func (c *csvRecords) begin() error {
	line, err := c.nextLine()
	if err != nil {
		return makeFinal(err)
	}
	c.separator = separatorOf(line)
	cells, err := c.cells(line)
	if err != nil {
		return makeFinal(err)
	}
	for _, cell := range cells {
		c.columns = append(c.columns, strings.ToLower(strings.TrimSpace(cell)))
	}
	if err := c.checkHeader(); err != nil {
		return makeFinal(err)
	}
	c.further = map[cohort.CatalogKind]bool{}
	for _, kind := range kindsOf(c.kind) {
		c.further[kind] = slices.ContainsFunc(c.columns, func(name string) bool { return c.isFurther(kind, name) })
	}
	return nil
}

// isFurther reports whether a column says that all lines of a kind have further fields. The
// weight does not, in a file with products: it is one of their ordinary fields.
func (c *csvRecords) isFurther(kind cohort.CatalogKind, name string) bool {
	return schemas[kind].isFurther(name) && !slices.ContainsFunc(kindsOf(c.kind), func(other cohort.CatalogKind) bool {
		return schemas[other].has(name) && !schemas[other].isFurther(name)
	})
}

// makeFinal makes a contentError final: without a valid header nothing can be read.
func makeFinal(err error) error {
	if e, ok := errors.AsType[*contentError](err); ok {
		return &contentError{text: e.text, line: e.line, final: true}
	}
	return err
}

// separatorOf returns the separator of a header. The names of columns contain no
// separator.
func separatorOf(header []byte) byte {
	for _, separator := range []byte("\t;") {
		if bytes.IndexByte(header, separator) >= 0 {
			return separator
		}
	}
	return ','
}

func (c *csvRecords) checkHeader() error {
	has := func(name string) bool { return slices.Contains(c.columns, name) }
	for i, name := range c.columns {
		switch {
		case name == "":
			return wrong("Column %d of the header has no name.", i+1)
		case slices.Contains(c.columns[:i], name):
			return wrong("The header has the column %s twice.", short(name))
		case !slices.Contains(columns(kindsOf(c.kindOfAll())), name):
			return wrong("The header has an unknown column, %s. Known columns: %s.", short(name), c.knownColumns())
		}
	}
	switch {
	case !has("kind") && c.kind == "":
		return wrong("The header has no column kind. If all lines are of one kind, set it with --kind.")
	case !has("id"):
		return wrong("The header has no column id.")
	}
	return nil
}

// kindOfAll returns the kind of all lines, "" if they have a column kind.
func (c *csvRecords) kindOfAll() cohort.CatalogKind {
	if slices.Contains(c.columns, "kind") {
		return ""
	}
	return c.kind
}

// knownColumns names the columns for a message, and one of the dozens of further ones.
func (c *csvRecords) knownColumns() string {
	known := slices.Sorted(slices.Values(columns(kindsOf(c.kindOfAll()))))
	known = slices.DeleteFunc(known, func(name string) bool {
		return !slices.ContainsFunc(cohort.CatalogKinds(), func(k cohort.CatalogKind) bool {
			_, isField := schemas[k].fieldNames[name]
			return isField || name == "kind" || name == "id"
		})
	})
	example := schemas[kindsOf(c.kindOfAll())[0]].details[0].Name
	return strings.Join(known, ", ") + ", and further fields such as " + example
}

func (c *csvRecords) next() (record, int64, error) {
	line, err := c.nextLine()
	start := c.lines.number
	if err != nil {
		return nil, start, err
	}
	cells, err := c.cells(line)
	if err != nil {
		return nil, start, err
	}
	if len(cells) != len(c.columns) {
		return nil, start, wrong("The line has %d columns, and the header has %d.", len(cells), len(c.columns))
	}
	return csvRecord{c, cells}, start, nil
}

// nextLine returns the next non-empty line.
func (c *csvRecords) nextLine() ([]byte, error) {
	for {
		line, err := c.lines.next()
		if err != nil || len(line) > 0 {
			return line, err
		}
	}
}

// cells splits the record that begins with a line into its cells. It reads further lines
// while a quote is open.
func (c *csvRecords) cells(line []byte) ([]string, error) {
	c.text, c.ends = c.text[:0], c.ends[:0]
	start := c.lines.number
	open, err := c.scan(line, false)
	for open && err == nil {
		if c.lines.carriage {
			c.text = append(c.text, '\r')
		}
		c.text = append(c.text, '\n')
		if line, err = c.lines.next(); errors.Is(err, io.EOF) || len(c.text)+len(line) > MaxLine {
			return nil, &contentError{final: true, line: start, text: "A quote that opens in this line is not closed within 1 MiB. The rest of the file is not read."}
		}
		if err == nil {
			open, err = c.scan(line, true)
		}
	}
	if err != nil {
		return nil, err
	}
	text := string(c.text)
	cells, from := make([]string, len(c.ends)), 0
	for i, end := range c.ends {
		cells[i], from = text[from:end], end
	}
	return cells, nil
}

// scan adds a line to the current record. open says whether the line begins within quotes,
// stillOpen whether it ends within quotes.
func (c *csvRecords) scan(line []byte, open bool) (stillOpen bool, err error) {
	for {
		if open {
			quote := bytes.IndexByte(line, '"')
			if quote < 0 {
				c.text = append(c.text, line...)
				return true, nil
			}
			c.text, line = append(c.text, line[:quote]...), line[quote+1:]
			if len(line) > 0 && line[0] == '"' { // a doubled quote
				c.text, line = append(c.text, '"'), line[1:]
				continue
			}
			open = false
			c.ends = append(c.ends, len(c.text))
			if len(line) == 0 {
				return false, nil
			}
			if line[0] != c.separator {
				return false, wrong("Column %d has text after its closing quote. Double a quote within quotes.", len(c.ends))
			}
			line = line[1:]
		}
		if len(line) > 0 && line[0] == '"' {
			open, line = true, line[1:]
			continue
		}
		cell, rest, more := bytes.Cut(line, []byte{c.separator})
		if err := c.checkPlain(cell); err != nil {
			return false, err
		}
		c.text = append(c.text, cell...)
		c.ends = append(c.ends, len(c.text))
		if !more {
			return false, nil
		}
		line = rest
	}
}

func (c *csvRecords) checkPlain(cell []byte) error {
	switch {
	case bytes.IndexByte(cell, '"') >= 0:
		return wrong("Column %d contains a quote. Enclose the value in quotes and double the quote in it.", len(c.ends)+1)
	case bytes.IndexByte(cell, '\r') >= 0:
		return wrong("Column %d contains a carriage return that does not end the line. Lines end in LF or CR LF.", len(c.ends)+1)
	}
	return nil
}

// csvRecord is a record. Empty cells are absent.
type csvRecord struct {
	*csvRecords
	cells []string
}

// cell returns the cell of a column, "" if there is no such column.
func (r csvRecord) cell(field string) cell {
	if i := slices.Index(r.columns, field); i >= 0 {
		return cell(r.cells[i])
	}
	return ""
}

func (r csvRecord) value(field string) value {
	if c := r.cell(field); c != "" {
		return c
	}
	return nil
}

func (r csvRecord) detail(field cohort.DetailField) (json.RawMessage, error) {
	return r.cell(field.Name).detail(field)
}

func (r csvRecord) names() (names []string) {
	for i, name := range r.columns {
		if r.cells[i] != "" {
			names = append(names, name)
		}
	}
	return names
}

func (r csvRecord) hasFurther(kind cohort.CatalogKind) bool { return r.further[kind] }

func (r csvRecord) mayHave(field string) bool { return slices.Contains(r.columns, field) }
