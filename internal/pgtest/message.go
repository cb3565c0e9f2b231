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

// The codes of messages without a type: the fourth to seventh byte. They come
// before the startup message.
const (
	sslRequest    = 80877103
	gssEncRequest = 80877104
	cancelRequest = 80877102
)

// longestMessage is the largest message in bytes that the proxy reads.
const longestMessage = 64 << 20

// message is one message from a client to the server, unchanged.
type message struct {
	kind byte // 0 for a message without a type
	raw  []byte
}

// body returns the bytes after the type and the length.
func (m message) body() []byte {
	if m.kind == 0 {
		return m.raw[4:]
	}
	return m.raw[5:]
}

// messages reads the messages of a client.
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

// code returns the code of a message without a type.
func (m message) code() uint32 {
	if m.kind != 0 || len(m.body()) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(m.body())
}

// statements knows which SQL a client's messages execute, including SQL that
// was prepared earlier.
type statements struct {
	prepared map[string]string // SQL by the name of the statement
	portals  map[string]string // SQL by the name of the portal
}

func newStatements() *statements {
	return &statements{prepared: map[string]string{}, portals: map[string]string{}}
}

// executed returns the SQL that the message executes, or "".
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

// commits reports whether the message commits what was executed before it: a
// query does, and the Sync after an Execute.
func (m message) commits() bool { return m.kind == 'Q' || m.kind == 'S' }

func cutString(b []byte) (string, []byte) {
	s, rest, _ := bytes.Cut(b, []byte{0})
	return string(s), rest
}

// wordPattern matches a text in SQL in either case, if it is not part of a
// longer word.
func wordPattern(text string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)(^|\W)` + regexp.QuoteMeta(strings.TrimSpace(text)) + `(\W|$)`)
}
