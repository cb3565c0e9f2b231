package exchange

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"time"
)

const (
	// version is the version of the format.
	version = 1
	// maxLine is how many bytes a line of a recording has. An exchange that is longer is
	// written without its bodies.
	maxLine = 8 << 20
	// maxExchanges is how many exchanges a recording has.
	maxExchanges = 100_000
	// maxRecording is how many bytes a recording has.
	maxRecording = 1 << 30
)

// ErrFull means that a recording has reached its bounds. The exchange is not written.
var ErrFull = errors.New("the recording is full: it has 100000 exchanges or 1 GiB")

// head is the first line of a recording.
type head struct {
	Version int       `json:"cohort_recording"`
	Date    time.Time `json:"date"`
}

// Writer writes a recording. It is safe for concurrent use.
type Writer struct {
	mu    sync.Mutex
	to    io.Writer
	scrub *scrubber
	count int
	bytes int64
	err   error // of the first write that failed; nothing is written after it
}

// NewWriter begins a recording at a time. Its fakes differ from those of all others.
func NewWriter(to io.Writer, now time.Time) (*Writer, error) {
	w := &Writer{to: to, scrub: &scrubber{faker: newFaker()}}
	line, err := encode(head{version, now.UTC()})
	if err != nil {
		return nil, err
	}
	return w, w.write(line)
}

// Add writes an exchange, without secrets and personal data. It returns [ErrFull], or the
// error of the file, which further calls return too.
func (w *Writer) Add(raw Raw) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if w.count == maxExchanges {
		return ErrFull
	}
	e := w.scrub.scrub(raw)
	e.ID = w.count + 1
	line, err := w.encode(e)
	if err != nil {
		return err
	}
	if w.bytes+int64(len(line)) >= maxRecording {
		return ErrFull
	}
	w.count++
	return w.write(line)
}

// encode returns the line of an exchange. It checks that no token is in it, whatever the
// scrubber has done.
func (w *Writer) encode(e Exchange) ([]byte, error) {
	line, err := encode(e)
	if err != nil {
		return nil, err
	}
	if len(line) < maxLine && !w.scrub.secrets.in(string(line)) {
		return line, nil
	}
	e.Altered = true
	e.Request.Body, e.Response.Body = e.Request.Body.without(), e.Response.Body.without()
	if line, err = encode(e); err != nil || !w.scrub.secrets.in(string(line)) {
		return line, err
	}
	return nil, errors.New("an exchange is left out, because its head has a token")
}

// without returns a body that is left out.
func (b Body) without() Body { return Body{Size: b.Size, Left: LeftLarge} }

func (w *Writer) write(line []byte) error {
	n, err := w.to.Write(append(line, '\n'))
	w.bytes += int64(n)
	w.err = err
	return err
}

// Count returns how many exchanges are written.
func (w *Writer) Count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// Read reads a recording line by line. An error names the line and ends the sequence. The
// name is for errors.
func Read(name string, from io.Reader) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
		lines := bufio.NewScanner(io.LimitReader(from, maxRecording))
		lines.Buffer(nil, maxLine)
		number := 0
		for lines.Scan() {
			number++
			e, err := readLine(number, lines.Bytes())
			if err != nil {
				yield(nil, fmt.Errorf("%s, line %d: %w", name, number, err))
				return
			}
			if e != nil && !yield(e, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(nil, fmt.Errorf("%s, line %d: %w", name, number+1, err))
			return
		}
		if number == 0 {
			yield(nil, fmt.Errorf("%s is empty; a recording begins with a line that says so", name))
		}
	}
}

// readLine reads a line of a recording. There is no exchange in the first one.
func readLine(number int, line []byte) (*Exchange, error) {
	if number == 1 {
		var h head
		if err := json.Unmarshal(line, &h); err != nil || h.Version == 0 {
			return nil, errors.New(`this is not a recording: its first line must be {"cohort_recording":1,…}`)
		}
		if h.Version != version {
			return nil, fmt.Errorf("the recording has the version %d of the format, and this program reads version %d", h.Version, version)
		}
		return nil, nil
	}
	if number > maxExchanges+1 {
		return nil, ErrFull
	}
	e := &Exchange{}
	if err := json.Unmarshal(line, e); err != nil {
		return nil, fmt.Errorf("the line is not an exchange: %w", err)
	}
	return e, e.check()
}

// check checks what a replay relies on.
func (e *Exchange) check() error {
	switch {
	case e.Method == "" || strings.Trim(e.Method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return fmt.Errorf("the method %q is not one", e.Method)
	case !strings.HasPrefix(e.Path, "/v2/") && !strings.HasPrefix(e.Path, "/v3/"):
		return fmt.Errorf("the path %q does not begin with /v2/ or /v3/", e.Path)
	case strings.ContainsAny(e.Target(), " \t\r\n#") || strings.Contains(e.Path, "?") || strings.Contains(e.Path, ".."):
		return fmt.Errorf("%q is not a path with a query", e.Target())
	case e.Status < 100 || e.Status > 599:
		return fmt.Errorf("the status %d is not one", e.Status)
	}
	return nil
}
