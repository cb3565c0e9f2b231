package cli

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// logDelay is how long a line of the log may wait for others, so that they are
// written together. A server under load writes thousands in a second, and each
// write of its own costs as much as half of the work that it tells of.
const logDelay = 100 * time.Millisecond

// logBuffer is how much may wait, in bytes.
const logBuffer = 64 << 10

// newLog returns a logger, and a function that writes what still waits. Lines
// of level Warn and above, and all before them, are written at once.
func newLog(out io.Writer, format string) (*slog.Logger, func()) {
	w := &lateWriter{to: out, out: bufio.NewWriterSize(out, logBuffer)}
	var h slog.Handler = slog.NewTextHandler(w, nil)
	if format == "json" {
		h = slog.NewJSONHandler(w, nil)
	}
	return slog.New(promptHandler{h, w.flush}), w.flush
}

// lateWriter writes after a while.
type lateWriter struct {
	to      io.Writer
	mu      sync.Mutex
	out     *bufio.Writer // to it
	waiting bool          // a timer is set
}

func (w *lateWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.waiting {
		w.waiting = true
		time.AfterFunc(logDelay, w.flush)
	}
	return w.out.Write(p)
}

func (w *lateWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = false
	if err := w.out.Flush(); err != nil {
		// Nobody can be told. The next lines may fare better.
		w.out.Reset(w.to)
	}
}

// promptHandler does not let warnings wait.
type promptHandler struct {
	slog.Handler
	flush func()
}

func (h promptHandler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		h.flush()
	}
	return err
}

func (h promptHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return promptHandler{h.Handler.WithAttrs(attrs), h.flush}
}

func (h promptHandler) WithGroup(name string) slog.Handler {
	return promptHandler{h.Handler.WithGroup(name), h.flush}
}
