package catalogfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// jsonRecords reads JSONL.
type jsonRecords struct{ lines *lines }

func (j *jsonRecords) begin() error { return nil }

func (j *jsonRecords) next() (record, int64, error) {
	for {
		line, err := j.lines.next()
		number := j.lines.number
		if err != nil {
			return nil, number, err
		}
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
			continue
		case number == 1 && line[0] == '[':
			return nil, number, final("The file is a JSON array. JSONL has one object in each line.")
		}
		o, err := api.ParseObject(line)
		if err != nil {
			return nil, number, wrong("%s", aboutLine(err))
		}
		return jsonRecord(o), number, nil
	}
}

// aboutLine returns the parser's error with "The line" for "The request body".
func aboutLine(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[*cohort.Error](err); ok {
		text = e.Message
	}
	return strings.Replace(text, "The request body", "The line", 1)
}

// jsonRecord is a line. Null fields are absent.
type jsonRecord api.Object

func (r jsonRecord) value(field string) value {
	for _, m := range r {
		if m.Name == field && !m.Value.IsNull() {
			return member{m.Value}
		}
	}
	return nil
}

// detail returns null only for a field that may be null.
func (r jsonRecord) detail(field cohort.DetailField) (json.RawMessage, error) {
	for _, m := range r {
		if m.Name == field.Name && (field.Nullable || !m.Value.IsNull()) {
			return m.Value.JSON(), nil
		}
	}
	return nil, nil
}

func (r jsonRecord) names() []string {
	names := make([]string, len(r))
	for i, m := range r {
		names[i] = m.Name
	}
	return names
}

func (r jsonRecord) hasFurther(kind cohort.CatalogKind) bool {
	s := schemas[kind]
	for _, m := range r {
		if i, ok := s.detailNames[m.Name]; ok && s.details[i].Nullable || s.isFurther(m.Name) && !m.Value.IsNull() {
			return true
		}
	}
	return false
}

func (r jsonRecord) mayHave(string) bool { return true }
