// Package catalogfile reads files of categories, products and variants: CSV, and
// JSONL, which has a JSON object in each line. It reads on after a line that is
// wrong, and never has more than a line in memory.
package catalogfile

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"cohort.example/cohort"
)

// MaxLine is the longest line of a file, in bytes; for CSV the longest record,
// which may have several lines.
const MaxLine = 1 << 20

// Format is how a file is written.
type Format string

// The formats.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl"
)

// FormatOf returns the format that a file's name says, if it says one.
func FormatOf(name string) (f Format, ok bool) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		return CSV, true
	case ".jsonl", ".ndjson":
		return JSONL, true
	}
	return "", false
}

// Reader reads the items of a file.
type Reader struct {
	lines   *lines
	kind    cohort.CatalogKind // of items that do not say theirs, or ""
	records records
	begun   bool
	ended   bool
	some    bool // there was an item, good or not
}

// records is a format.
type records interface {
	// begin reads what is before the first item. An error that is a mistake of
	// the file's ends it.
	begin() error
	// next returns the fields of the next item and the line in which it begins.
	next() (record, int64, error)
}

// record is the fields of an item by name.
type record interface {
	// value returns nil for a field that is left out.
	value(field string) value
	// names are all fields that are not left out, in their order.
	names() []string
}

// NewReader returns a reader of a file in UTF-8. kind is that of lines which do
// not say theirs, or "" if each has to.
func NewReader(r io.Reader, f Format, kind cohort.CatalogKind) *Reader {
	reader := &Reader{lines: newLines(r), kind: kind}
	if f == CSV {
		reader.records = &csvRecords{lines: reader.lines, kind: kind}
	} else {
		reader.records = &jsonRecords{lines: reader.lines}
	}
	return reader
}

// Next returns the next item. It returns io.EOF at the end, and other errors if
// the file cannot be read. What is wrong in the file is in the item's Err; some
// mistakes are such that the item is the last one.
func (r *Reader) Next() (cohort.CatalogItem, error) {
	if r.ended {
		return cohort.CatalogItem{}, io.EOF
	}
	rec, line, err := r.read()
	if errors.Is(err, io.EOF) && !r.some {
		err = final("The file is empty: there is nothing to import in it.")
	}
	if err != nil {
		return r.failed(line, err)
	}
	r.some = true
	item := itemOf(rec, r.kind)
	item.Line = line
	return item, nil
}

func (r *Reader) read() (record, int64, error) {
	if r.begun {
		return r.records.next()
	}
	r.begun = true
	if err := r.lines.begin(); err != nil {
		return nil, 1, err
	}
	if err := r.records.begin(); err != nil {
		return nil, r.lines.number, err
	}
	return r.records.next()
}

// failed tells of a mistake as an item, and of other errors as they are.
func (r *Reader) failed(line int64, err error) (cohort.CatalogItem, error) {
	e, isMistake := errors.AsType[*mistake](err)
	if !isMistake {
		r.ended = true
		return cohort.CatalogItem{}, err
	}
	r.some = true
	r.ended = e.final
	return cohort.CatalogItem{Line: max(e.line, line, 1), Err: &cohort.Error{Kind: cohort.KindInvalid, Message: e.text}}, nil
}

// mistake is something wrong in a file.
type mistake struct {
	text  string
	line  int64 // 0: where the item begins
	final bool  // nothing after it can be read
}

func (m *mistake) Error() string { return m.text }

func wrong(format string, args ...any) error { return &mistake{text: fmt.Sprintf(format, args...)} }

func final(format string, args ...any) error {
	return &mistake{text: fmt.Sprintf(format, args...), final: true}
}
