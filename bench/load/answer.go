package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// errMore means that the response is valid so far, but incomplete.
var errMore = errors.New("incomplete response")

// answer is what the header of a response says about its body.
type answer struct {
	status  int
	length  int // -1 if unknown
	chunked bool
	size    int // of the body
}

// parse reads one complete response at the beginning of b and returns its
// length. It returns errMore if b ends before the response does. The body goes
// to body, unless that is nil.
//
// It knows as much of HTTP/1.1 as the servers here send. Everything else is an
// error and never a guess, because a benchmark must not misread responses.
func parse(b []byte, body *bytes.Buffer) (a answer, end int, err error) {
	if body != nil {
		body.Reset()
	}
	a.length = -1
	line, at, err := nextLine(b, 0)
	if err != nil {
		return a, 0, err
	}
	if a.status, err = parseStatus(line); err != nil {
		return a, 0, err
	}
	for {
		if line, at, err = nextLine(b, at); err != nil {
			return a, 0, err
		}
		if len(line) == 0 {
			break
		}
		if err := a.field(line); err != nil {
			return a, 0, err
		}
	}
	end, err = a.readBody(b, at, body)
	return a, end, err
}

// nextLine returns the line at the offset without its end, and the offset of
// the next one.
func nextLine(b []byte, at int) (line []byte, next int, err error) {
	const longest = 8 << 10
	n := bytes.IndexByte(b[at:], '\n')
	if n < 0 && len(b)-at > longest {
		return nil, 0, errors.New("a line of a response has no end")
	}
	if n < 0 {
		return nil, 0, errMore
	}
	line, ok := bytes.CutSuffix(b[at:at+n], []byte("\r"))
	if !ok {
		return nil, 0, fmt.Errorf("%q does not end in CR LF", line)
	}
	return line, at + n + 1, nil
}

func parseStatus(line []byte) (int, error) {
	rest, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	if !ok || len(rest) < 3 || len(rest) > 3 && rest[3] != ' ' {
		return 0, fmt.Errorf("%q is not a status line of HTTP/1.1", line)
	}
	status, err := strconv.ParseUint(string(rest[:3]), 10, 16)
	if err != nil || status < 200 || status > 599 {
		// An interim response (1xx) is only sent to clients that ask for one;
		// this one does not.
		return 0, fmt.Errorf("%q has a status that is not understood", line)
	}
	return int(status), nil
}

// field reads one header field. Relevant are those that determine the end of
// the response, that it is the last one of the connection, or that it is
// compressed.
func (a *answer) field(line []byte) error {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return fmt.Errorf("%q is not a header field", line)
	}
	value = bytes.TrimSpace(value)
	switch {
	case is(name, "Content-Length"):
		n, err := strconv.ParseUint(string(value), 10, 31)
		if err != nil || a.length >= 0 {
			return fmt.Errorf("%q is not the length", line)
		}
		a.length = int(n)
	case is(name, "Transfer-Encoding"):
		if !is(value, "chunked") {
			return fmt.Errorf("%q is not understood", line)
		}
		a.chunked = true
	case is(name, "Connection"):
		if !is(value, "keep-alive") {
			return fmt.Errorf("the server does not keep the connection: %q", line)
		}
	case is(name, "Content-Encoding"):
		return fmt.Errorf("unexpected header field %q", line)
	}
	return nil
}

// is compares without regard to case. It compares the lengths first, because
// most fields differ in length.
func is(b []byte, s string) bool { return len(b) == len(s) && bytes.EqualFold(b, []byte(s)) }

func (a *answer) readBody(b []byte, at int, body *bytes.Buffer) (end int, err error) {
	switch {
	case a.chunked && a.length >= 0:
		return 0, errors.New("a response has a length and is chunked")
	case a.chunked:
		return a.readChunks(b, at, body)
	case a.status == 204 || a.status == 304:
		if a.length > 0 {
			return 0, fmt.Errorf("a %d has a length of %d", a.status, a.length)
		}
		return at, nil
	case a.length < 0:
		return 0, errors.New("the end of a response is not specified")
	}
	return a.take(b, at, a.length, body)
}

func (a *answer) readChunks(b []byte, at int, body *bytes.Buffer) (end int, err error) {
	for {
		line, next, err := nextLine(b, at)
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return 0, fmt.Errorf("%q is not the size of a chunk", line)
		}
		if at, err = a.take(b, next, int(n), body); err != nil {
			return 0, err
		}
		// A line end follows each chunk, and nothing else follows the last,
		// empty one: trailers are only sent to clients that ask for them.
		if line, at, err = nextLine(b, at); err != nil {
			return 0, err
		}
		if len(line) > 0 {
			return 0, fmt.Errorf("%q where a chunk ends", line)
		}
		if n == 0 {
			return at, nil
		}
	}
}

// take moves n bytes to the body and returns the offset after them.
func (a *answer) take(b []byte, at, n int, body *bytes.Buffer) (end int, err error) {
	if len(b)-at < n {
		return 0, errMore
	}
	if body != nil {
		body.Write(b[at : at+n])
	}
	a.size += n
	return at + n, nil
}
