// Package wirescript reads and runs wire scripts: text files with requests and the
// checks of their responses. They are the wire contract in a form that people read and
// tests check. The documentation of package cohorttest describes the format.
package wirescript

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Script is a parsed wire script.
type Script struct {
	Name  string
	Cases []Case
}

// Case is one request and the checks of its response.
type Case struct {
	Line    int
	Comment string // without the "#"
	Method  string
	Path    string // with its variables not replaced
	Header  []Field
	Token   string // "": the token of the target
	Body    string
	checks  []check
	lets    []let
}

// Field is a request header.
type Field struct{ Name, Value string }

type check struct {
	line    int
	subject string // "code", "body", or a header's name
	op      string // "==", "contains", "~", "empty", "missing"
	want    string
}

type let struct{ variable, field string }

var (
	requestLine = regexp.MustCompile(`^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\S+)$`)
	headerField = regexp.MustCompile(`^([\w-]+): ?(.*)$`)
	headerCheck = regexp.MustCompile(`^([\w-]+) (==|contains|~|missing) ?(.*)$`)
	bodyCheck   = regexp.MustCompile(`^(==|contains|~|empty) ?((?s:.*))$`)
	letLine     = regexp.MustCompile(`^(\w+) = (\w+(?:\.\w+)*)$`)
)

// Parse parses a script. An error names the line.
func Parse(name, text string) (*Script, error) {
	s := &Script{Name: name}
	var comment []string
	for n, line := range logicalLines(text) {
		switch {
		case line == "":
			comment = nil
		case strings.HasPrefix(line, "#"):
			comment = append(comment, strings.TrimSpace(line[1:]))
		case requestLine.MatchString(line):
			m := requestLine.FindStringSubmatch(line)
			s.Cases = append(s.Cases, Case{Line: n, Comment: strings.Join(comment, "\n"), Method: m[1], Path: m[2]})
			comment = nil
		case len(s.Cases) == 0:
			return nil, fmt.Errorf("%s:%d: no request line comes before %q", name, n, line)
		default:
			if err := s.Cases[len(s.Cases)-1].parse(n, line); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
		}
	}
	return s, nil
}

// logicalLines yields each line, joined with its continuations, and its number.
func logicalLines(text string) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		lines := strings.Split(text, "\n")
		for i := 0; i < len(lines); {
			start, line := i, lines[i]
			for i++; i < len(lines) && line != "" && strings.HasPrefix(lines[i], " "); i++ {
				line += "\n" + lines[i]
			}
			if !yield(start+1, strings.TrimRight(line, "\r\n")) {
				return
			}
		}
	}
}

func (c *Case) parse(n int, line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "send":
		c.Body = rest
		return nil
	case "token":
		c.Token = rest
		return nil
	case "code":
		want, ok := strings.CutPrefix(rest, "== ")
		if _, err := strconv.Atoi(want); !ok || err != nil {
			return fmt.Errorf("a code check reads \"code == 200\", not %q", line)
		}
		return c.check(check{n, "code", "==", want})
	case "body":
		if m := bodyCheck.FindStringSubmatch(rest); m != nil {
			return c.check(check{n, "body", m[1], m[2]})
		}
	case "header":
		if m := headerField.FindStringSubmatch(rest); m != nil {
			c.Header = append(c.Header, Field{m[1], m[2]})
			return nil
		}
		if m := headerCheck.FindStringSubmatch(rest); m != nil {
			return c.check(check{n, http.CanonicalHeaderKey(m[1]), m[2], m[3]})
		}
	case "let":
		if m := letLine.FindStringSubmatch(rest); m != nil {
			c.lets = append(c.lets, let{m[1], m[2]})
			return nil
		}
	}
	return fmt.Errorf("cannot parse %q", line)
}

// check adds a check. It returns an error if its pattern is not a regular expression.
func (c *Case) check(k check) error {
	if k.op == "~" {
		if _, err := regexp.Compile(k.want); err != nil {
			return err
		}
	}
	c.checks = append(c.checks, k)
	return nil
}
