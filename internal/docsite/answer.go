package docsite

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"cohort.example/cohort/internal/snippet"
)

// answers.txt has what the server answered to the examples. A test sends them again and
// compares; its flag -update writes the file.
//
//go:embed answers.txt
var answerText string

const (
	// maxListed is how many elements an answer shows of each list.
	maxListed = 2
	// maxAnswerLines is how many lines an answer shows that is not JSON.
	maxAnswerLines = 15
)

// Answer is what the server answered to an example, as far as a page shows it.
type Answer struct {
	Status int
	Format string // the type of the body; "": it has none
	Text   string
	Cut    bool // the body has more
}

// NewAnswer returns the answer with a status and a body.
func NewAnswer(status int, format string, body []byte) Answer {
	format, _, _ = strings.Cut(format, ";")
	a := Answer{Status: status, Format: format}
	switch {
	case len(body) == 0:
		a.Format = ""
	case json.Valid(body):
		text, cut := snippet.Shorten(string(body), maxListed)
		a.Text, a.Cut = text, cut
	default:
		lines := strings.SplitAfterN(string(body), "\n", maxAnswerLines+1)
		if len(lines) > maxAnswerLines {
			a.Cut, lines = true, lines[:maxAnswerLines]
		}
		a.Text = strings.TrimRight(strings.Join(lines, ""), "\n")
	}
	return a
}

// Differs says in what the answer differs from another one. Texts and numbers may differ, their
// names and types may not: ids, dates and the like are other ones each time.
func (a Answer) Differs(other Answer) string {
	if a.Status != other.Status || a.Format != other.Format {
		return fmt.Sprintf("%d %q instead of %d %q", a.Status, a.Format, other.Status, other.Format)
	}
	var v, w any
	if json.Unmarshal([]byte(a.Text), &v) != nil || json.Unmarshal([]byte(other.Text), &w) != nil {
		return ""
	}
	return differs("", v, w)
}

func differs(path string, v, w any) string {
	switch v := v.(type) {
	case map[string]any:
		other, ok := w.(map[string]any)
		if names := slices.Sorted(maps.Keys(v)); !ok || !slices.Equal(names, slices.Sorted(maps.Keys(other))) {
			return fmt.Sprintf("%s is %v instead of %v", path, v, w)
		}
		for name := range v {
			if name == "headers" { // each client sends others
				continue
			}
			if found := differs(path+"."+name, v[name], other[name]); found != "" {
				return found
			}
		}
		return ""
	case []any:
		other, ok := w.([]any)
		if !ok || len(v) == 0 != (len(other) == 0) {
			return fmt.Sprintf("%s is %v instead of %v", path, v, w)
		}
		for i := range min(len(v), len(other)) {
			if found := differs(fmt.Sprintf("%s[%d]", path, i), v[i], other[i]); found != "" {
				return found
			}
		}
		return ""
	}
	if fmt.Sprintf("%T", v) != fmt.Sprintf("%T", w) {
		return fmt.Sprintf("%s is %v instead of %v", path, v, w)
	}
	return ""
}

// Answers returns the answers to the examples by operation. Callers must not modify it.
func Answers() map[string]Answer { return answers() }

var answers = sync.OnceValue(func() map[string]Answer {
	found, err := readAnswers(answerText)
	if err != nil {
		panic(err) // it is part of the program, and tests read it
	}
	return found
})

// WriteAnswers returns the text of answers.txt, in the order of the document.
func WriteAnswers(found map[string]Answer) string {
	var b strings.Builder
	for _, e := range Examples() {
		a, ok := found[e.Operation.ID]
		if !ok {
			continue
		}
		cut := "whole"
		if a.Cut {
			cut = "cut"
		}
		fmt.Fprintf(&b, "== %s %d %s %s\n%s\n", e.Operation.ID, a.Status, cut, a.Format, a.Text)
	}
	return b.String()
}

// readAnswers reads what WriteAnswers returns.
func readAnswers(text string) (map[string]Answer, error) {
	found := map[string]Answer{}
	for part := range strings.SplitSeq("\n"+text, "\n== ") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		head, body, _ := strings.Cut(part, "\n")
		var operation, cut string
		var a Answer
		if n, err := fmt.Sscan(head, &operation, &a.Status, &cut); err != nil {
			return nil, fmt.Errorf("answers.txt: %q has %d of an operation, a status and how whole it is: %w", head, n, err)
		}
		if fields := strings.Fields(head); len(fields) > 3 {
			a.Format = fields[3]
		}
		a.Cut, a.Text = cut == "cut", strings.TrimSuffix(body, "\n")
		found[operation] = a
	}
	return found, nil
}
