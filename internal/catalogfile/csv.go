package catalogfile

import (
	"bytes"
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
	text      []byte // the cells of the current record, concatenated
	ends      []int  // the end of each cell in text
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
	return makeFinal(c.checkHeader())
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
		case !c.isColumn(name):
			return wrong("The header has an unknown column, %s. Known columns: %s.", short(name), strings.Join(columnsOf(c.kindOfAll()), ", "))
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

func (c *csvRecords) isColumn(name string) bool {
	return slices.Contains(columnsOf(c.kindOfAll()), name)
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
	return csvRecord{c.columns, cells}, start, nil
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
type csvRecord struct{ columns, cells []string }

func (r csvRecord) value(field string) value {
	i := slices.Index(r.columns, field)
	if i < 0 || r.cells[i] == "" {
		return nil
	}
	return cell(r.cells[i])
}

func (r csvRecord) names() (names []string) {
	for i, name := range r.columns {
		if r.cells[i] != "" {
			names = append(names, name)
		}
	}
	return names
}
