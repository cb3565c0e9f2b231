// Package wirescript reads and runs wire scripts: text files that say, request
// by request, what is sent to a server and what must come back. They are the
// wire contract in a form that a person can read and a machine can check.
//
// A script is a list of cases. A case begins with its request line; what
// follows, in any order, makes up the request or checks the answer:
//
//	# A comment before a request line tells what the case shows.
//	POST /v2/customer_groups
//	header X-Correlation-Id: 42
//	send {"name":"Wholesale",
//	  "is_default":true}
//	code == 200
//	header Location == /stores/{store}/v2/customer_groups/<int>
//	header Allow missing
//	body == {"id":<int>,"name":"Wholesale"}
//	body contains "Wholesale"
//	body ~ ^\{.*\}$
//	body empty
//	let id = id
//
// A line that begins with space continues the one before. "{name}" stands for
// a variable: those of the [Target], and those that "let NAME = FIELD" took
// from a field of an answer's JSON object. In what follows "==", "<int>",
// "<date>" and "<text>" stand for any integer, any date of a group, and any
// text without quotes; all else must be the same byte for byte.
//
// Paths that begin with /v2, /v3 or /cohort are put behind /stores/{store}, and their
// requests carry the token {token} unless "token VALUE" names another, or
// "token none". A body is sent as JSON unless a Content-Type header is given.
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

// Case is one request and the checks of its answer.
type Case struct {
	Line    int
	Comment string // without the "#"
	Method  string
	Path    string // as written, variables and all
	Header  []Field
	Token   string // "": the target's token
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
	letLine     = regexp.MustCompile(`^(\w+) = (\w+)$`)
)

// Parse reads a script. An error names the line.
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

// logicalLines yields each line with its continuations and its number.
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
	return fmt.Errorf("cannot read %q", line)
}

// check adds a check, unless its pattern cannot be read.
func (c *Case) check(k check) error {
	if k.op == "~" {
		if _, err := regexp.Compile(k.want); err != nil {
			return err
		}
	}
	c.checks = append(c.checks, k)
	return nil
}
