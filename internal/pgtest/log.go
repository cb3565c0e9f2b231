package pgtest

import (
	"bytes"
	"regexp"
	"sync"
)

// readyLine matches what a server logs when it accepts connections; a standby
// logs it with "read-only" or "read only".
var readyLine = regexp.MustCompile(`database system is ready to accept (read.only )?connections`)

// keptOutput is how many bytes of a server's log are kept for the report of a
// failure.
const keptOutput = 16 << 10

// log is the output of a server. It detects that the server is ready, and keeps
// the last bytes.
type log struct {
	ready chan struct{} // closed when the server accepts connections

	mu    sync.Mutex
	last  []byte
	found bool
}

func newLog() *log { return &log{ready: make(chan struct{})} }

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = append(l.last, p...)
	if !l.found && readyLine.Match(l.last) {
		l.found = true
		close(l.ready)
	}
	if extra := len(l.last) - keptOutput; extra > 0 {
		l.last = bytes.Clone(l.last[extra:])
	}
	return len(p), nil
}

func (l *log) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(bytes.TrimSpace(l.last))
}
