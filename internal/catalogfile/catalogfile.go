// Package catalogfile reads and writes files of brands, categories, products and variants in
// CSV or JSONL (one JSON object per line). A reader continues after an invalid line. Neither has
// more than one line in memory.
package catalogfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"cohort.example/cohort"
)

// MaxLine is the length of the longest line in bytes; for CSV, of the longest record,
// which can have several lines.
const MaxLine = 1 << 20

// Format is the format of a file.
type Format string

// The formats.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl"
)

// FormatOf returns the format that the extension of a file name stands for.
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
	kind    cohort.CatalogKind // of items without a kind; "" if every item must have one
	records records
	begun   bool
	ended   bool
	any     bool // there was an item, valid or not
}

// records reads a format.
type records interface {
	// begin reads what precedes the first item.
	begin() error
	// next returns the fields of the next item and the number of its first line.
	next() (record, int64, error)
}

// record has the fields of an item by name.
type record interface {
	// value returns nil for a field that is absent or null.
	value(field string) value
	// detail returns the JSON value of a field of Details, nil if it is absent.
	detail(field cohort.DetailField) (json.RawMessage, error)
	// names returns the fields that are present, in order.
	names() []string
	// hasFurther reports whether the record has further fields of a kind: those of Details,
	// and the brand. In CSV the header says so.
	hasFurther(kind cohort.CatalogKind) bool
	// mayHave reports whether the record has a field or, in CSV, a column, or could have it
	// without a header.
	mayHave(field string) bool
}

// NewReader returns a reader of a file in UTF-8. kind is the kind of items that do not
// have one; "" if every item must have one.
func NewReader(r io.Reader, f Format, kind cohort.CatalogKind) *Reader {
	reader := &Reader{lines: newLines(r), kind: kind}
	if f == CSV {
		reader.records = &csvRecords{lines: reader.lines, kind: kind}
	} else {
		reader.records = &jsonRecords{lines: reader.lines}
	}
	return reader
}

// Next returns the next item. It returns io.EOF at the end, and other errors if reading
// the file fails. If the content is invalid, it returns an item with Err set; after some of
// these errors the rest of the file is not read.
func (r *Reader) Next() (cohort.CatalogItem, error) {
	if r.ended {
		return cohort.CatalogItem{}, io.EOF
	}
	rec, line, err := r.read()
	if errors.Is(err, io.EOF) && !r.any {
		err = final("The file is empty: there is nothing to import.")
	}
	if err != nil {
		return r.failed(line, err)
	}
	r.any = true
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

// failed returns a contentError as an item with Err set, and other errors unchanged.
func (r *Reader) failed(line int64, err error) (cohort.CatalogItem, error) {
	e, ok := errors.AsType[*contentError](err)
	if !ok {
		r.ended = true
		return cohort.CatalogItem{}, err
	}
	r.any = true
	r.ended = e.final
	return cohort.CatalogItem{Line: max(e.line, line, 1), Err: &cohort.Error{Kind: cohort.KindInvalid, Message: e.text}}, nil
}

// contentError is an error in the content of a file.
type contentError struct {
	text  string
	line  int64 // 0: the first line of the item
	final bool  // the rest of the file cannot be read
}

func (e *contentError) Error() string { return e.text }

func wrong(format string, args ...any) error {
	return &contentError{text: fmt.Sprintf(format, args...)}
}

func final(format string, args ...any) error {
	return &contentError{text: fmt.Sprintf(format, args...), final: true}
}
