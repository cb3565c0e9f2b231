package catalogfile

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"cohort.example/cohort"
)

// csvRecords reads CSV by RFC 4180, with a header.
type csvRecords struct {
	lines     *lines
	kind      cohort.CatalogKind
	separator byte
	columns   []string
	text      []byte // of the record under way, its cells one after another
	ends      []int  // of the cells in it
}

// begin reads the header.
func (c *csvRecords) begin() error {
	line, err := c.nextLine()
	if err != nil {
		return lastly(err)
	}
	c.separator = separatorOf(line)
	cells, err := c.cells(line)
	if err != nil {
		return lastly(err)
	}
	for _, cell := range cells {
		c.columns = append(c.columns, strings.ToLower(strings.TrimSpace(cell)))
	}
	return lastly(c.checkHeader())
}

// lastly makes a mistake the last one: without a header nothing can be read.
func lastly(err error) error {
	if m, ok := errors.AsType[*mistake](err); ok {
		return &mistake{text: m.text, line: m.line, final: true}
	}
	return err
}

// separatorOf is what a header has between its names, which have none of these.
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
			return wrong("The column %s is in the header twice.", short(name))
		case !c.isColumn(name):
			return wrong("The header has an unknown column, %s. There may be: %s.", short(name), strings.Join(columnsOf(c.kindOfAll()), ", "))
		}
	}
	switch {
	case !has("kind") && c.kind == "":
		return wrong("The header has no column kind. If all lines are of one kind, say which with --kind.")
	case !has("id"):
		return wrong("The header has no column id.")
	}
	return nil
}

// kindOfAll is the kind of all lines, "" if there may be several.
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

// nextLine returns the next line that is not empty.
func (c *csvRecords) nextLine() ([]byte, error) {
	for {
		line, err := c.lines.next()
		if err != nil || len(line) > 0 {
			return line, err
		}
	}
}

// cells takes a record apart that begins with a line.
func (c *csvRecords) cells(line []byte) ([]string, error) {
	c.text, c.ends = c.text[:0], c.ends[:0]
	start := c.lines.number
	open, err := c.scan(line, false)
	for open && err == nil {
		c.text = append(c.text, '\n')
		if line, err = c.lines.next(); errors.Is(err, io.EOF) || len(c.text)+len(line) > MaxLine {
			return nil, &mistake{final: true, line: start, text: "A quote is opened in this line and not closed in the file, or not within 1 MiB. Nothing after it is read."}
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

// scan adds a line to the record. open says whether it begins inside of quotes,
// and whether it ends there.
func (c *csvRecords) scan(line []byte, open bool) (stillOpen bool, err error) {
	for {
		if open {
			quote := bytes.IndexByte(line, '"')
			if quote < 0 {
				c.text = append(c.text, line...)
				return true, nil
			}
			c.text, line = append(c.text, line[:quote]...), line[quote+1:]
			if len(line) > 0 && line[0] == '"' { // two stand for one
				c.text, line = append(c.text, '"'), line[1:]
				continue
			}
			open = false
			c.ends = append(c.ends, len(c.text))
			if len(line) == 0 {
				return false, nil
			}
			if line[0] != c.separator {
				return false, wrong("Column %d goes on after its closing quote. A quote within quotes is written twice.", len(c.ends))
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
		return wrong("Column %d has a quote in it. It has to be in quotes itself then, and the quote in it written twice.", len(c.ends)+1)
	case bytes.IndexByte(cell, '\r') >= 0:
		return wrong("Column %d has a carriage return in it that does not end the line. Lines end in LF or CR LF.", len(c.ends)+1)
	}
	return nil
}

// csvRecord is a line. A cell that is empty is left out.
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
