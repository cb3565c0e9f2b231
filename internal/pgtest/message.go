package pgtest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"regexp"
	"strings"
)

// What may come before the messages that have a type, as the fourth to seventh
// byte of a message that has none.
const (
	sslRequest    = 80877103
	gssEncRequest = 80877104
	cancelRequest = 80877102
)

// longestMessage bounds what a client can make the proxy keep in memory.
const longestMessage = 64 << 20

// message is one message from a client to the server, as it came.
type message struct {
	kind byte // 0 for those before the session begins
	raw  []byte
}

// body is what follows the type and the length.
func (m message) body() []byte {
	if m.kind == 0 {
		return m.raw[4:]
	}
	return m.raw[5:]
}

// messages reads what a client sends.
type messages struct {
	in      *bufio.Reader
	started bool // the startup message has been read
}

func (r *messages) next() (message, error) {
	var m message
	head := 4
	if r.started {
		head = 5
	}
	m.raw = make([]byte, head)
	if _, err := io.ReadFull(r.in, m.raw); err != nil {
		return m, err
	}
	if r.started {
		m.kind = m.raw[0]
	}
	rest := int64(binary.BigEndian.Uint32(m.raw[head-4:])) - 4
	if rest < 0 || rest > longestMessage {
		return m, errors.New("not a PostgreSQL message; is the connection encrypted?")
	}
	m.raw = append(m.raw, make([]byte, rest)...)
	if _, err := io.ReadFull(r.in, m.raw[head:]); err != nil {
		return m, err
	}
	if !r.started {
		r.started = !asksForEncryption(m)
	}
	return m, nil
}

func asksForEncryption(m message) bool { return m.code() == sslRequest || m.code() == gssEncRequest }

// code tells messages without a type apart.
func (m message) code() uint32 {
	if m.kind != 0 || len(m.body()) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(m.body())
}

// statements knows which SQL a client's messages carry out, also when it was
// prepared long before.
type statements struct {
	prepared map[string]string // SQL by the name of the statement
	portals  map[string]string // SQL by the name of the portal
}

func newStatements() *statements {
	return &statements{prepared: map[string]string{}, portals: map[string]string{}}
}

// executed returns the SQL that the message carries out, or "".
func (s *statements) executed(m message) string {
	first, rest := cutString(m.body())
	switch m.kind {
	case 'Q':
		return first
	case 'P': // Parse: the statement's name, SQL
		s.prepared[first], _ = cutString(rest)
	case 'B': // Bind: the portal's name, the statement's name
		name, _ := cutString(rest)
		s.portals[first] = s.prepared[name]
	case 'E': // Execute: the portal's name
		return s.portals[first]
	}
	return ""
}

// commits reports whether the message ends a step, so that what was carried out
// before takes effect: by itself, or as the Sync behind an Execute.
func (m message) commits() bool { return m.kind == 'Q' || m.kind == 'S' }

func cutString(b []byte) (string, []byte) {
	s, rest, _ := bytes.Cut(b, []byte{0})
	return string(s), rest
}

// wordPattern finds a text in SQL, in either case, and not as a part of longer
// words.
func wordPattern(text string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)(^|\W)` + regexp.QuoteMeta(strings.TrimSpace(text)) + `(\W|$)`)
}
