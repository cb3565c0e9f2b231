package catalogfile

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"cohort.example/cohort"
)

// Writer writes items in the form in which a Reader reads them: one line for each, the
// fields in the order of a table, and no fields that are not set.
type Writer struct {
	to      *bufio.Writer
	format  Format
	columns []string // of CSV
	begun   bool
	line    []byte // the current line
}

// NewWriter returns a writer of items of some kinds, which are in the order of
// [cohort.CatalogKinds].
func NewWriter(to io.Writer, f Format, kinds []cohort.CatalogKind) *Writer {
	return &Writer{to: bufio.NewWriterSize(to, 64<<10), format: f, columns: columns(kinds)}
}

// Write writes an item. It fails for an item that the format cannot represent, or whose
// line would be too long for a Reader. Other errors are those of the underlying writer.
func (w *Writer) Write(item cohort.CatalogItem) error {
	if err := w.begin(); err != nil {
		return err
	}
	var err error
	if w.format == CSV {
		err = w.csvLine(&item)
	} else {
		err = w.jsonLine(&item)
	}
	if err != nil {
		return fmt.Errorf("%s %d: %w", item.Kind, item.ID, err)
	}
	if n := len(w.line); n > MaxLine {
		return fmt.Errorf("%s %d: its line would have %d bytes, and an import reads lines of at most 1 MiB", item.Kind, item.ID, n)
	}
	_, err = w.to.Write(append(w.line, '\n'))
	return err
}

// Flush writes what is buffered. It is called after the last item.
func (w *Writer) Flush() error {
	if err := w.begin(); err != nil {
		return err
	}
	return w.to.Flush()
}

// begin writes the header of CSV.
func (w *Writer) begin() error {
	if w.begun || w.format != CSV {
		return nil
	}
	w.begun = true
	_, err := w.to.WriteString(strings.Join(w.columns, ",") + "\n")
	return err
}

func (w *Writer) jsonLine(item *cohort.CatalogItem) error {
	s := schemas[item.Kind]
	w.line = append(w.line[:0], `{"kind":"`+string(item.Kind)+`","id":`+formatID(item.ID)...)
	add := func(name, value string) {
		w.line = append(append(append(append(w.line, `,"`...), name...), `":`...), value...)
	}
	for _, f := range s.fields {
		if value := f.json(item); value != "" {
			add(f.name, value)
		}
	}
	for _, f := range s.details {
		value, err := settable(f, *s.detailsAt(item))
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		if value != nil {
			add(f.Name, string(value))
		}
	}
	w.line = append(w.line, '}')
	return nil
}

// settable returns the value of a field without the parts that a file cannot set, such as
// the dates of images; nil if the item does not have the field.
func settable(f cohort.DetailField, d cohort.Details) (json.RawMessage, error) {
	value, ok := d[f.Name]
	if !ok || f.Kind != cohort.DetailArray && f.Kind != cohort.DetailObject {
		return value, nil
	}
	return f.Parse(value)
}

func (w *Writer) csvLine(item *cohort.CatalogItem) error {
	s := schemas[item.Kind]
	w.line = w.line[:0]
	for i, name := range w.columns {
		if i > 0 {
			w.line = append(w.line, ',')
		}
		value, err := s.cell(item, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		w.line = appendCell(w.line, value)
	}
	return nil
}

// cell returns the value of a column.
func (s *schema) cell(item *cohort.CatalogItem, name string) (string, error) {
	switch name {
	case "kind":
		return string(item.Kind), nil
	case "id":
		return formatID(item.ID), nil
	}
	if i, ok := s.fieldNames[name]; ok {
		return s.fields[i].cell(item), nil
	}
	i, ok := s.detailNames[name]
	if !ok {
		return "", nil
	}
	value, err := settable(s.details[i], *s.detailsAt(item))
	if err != nil {
		return "", err
	}
	return detailCell(s.details[i], value)
}

// detailCell returns a value in CSV. An empty cell stands for the default of a field, so
// CSV has no other null and no other empty text.
func detailCell(f cohort.DetailField, value json.RawMessage) (string, error) {
	switch {
	case value == nil || string(value) == "null" && f.Default == "null":
		return "", nil
	case string(value) == "null":
		return "", fmt.Errorf("it is null, and a cell of CSV cannot be; use JSONL")
	case f.Kind != cohort.DetailText && f.Kind != cohort.DetailTime:
		return string(value), nil
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return "", err
	}
	if text == "" && f.Default != `""` {
		return "", fmt.Errorf("it is an empty text, but an empty cell of CSV stands for the default, %s; use JSONL", f.Default)
	}
	return text, nil
}

func appendCell(line []byte, value string) []byte {
	if !strings.ContainsAny(value, "\",\r\n") {
		return append(line, value...)
	}
	line = append(line, '"')
	line = append(line, strings.ReplaceAll(value, `"`, `""`)...)
	return append(line, '"')
}
