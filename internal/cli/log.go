package cli

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// logDelay is how long a log line may wait, so that several lines are written together.
// A server under load logs thousands of lines per second. A write for each line would
// cost half as much as the request that the line is about.
const logDelay = 100 * time.Millisecond

// logBuffer is how much text may wait, in bytes.
const logBuffer = 64 << 10

// newLog returns a logger, and a function that writes the lines that wait. Lines of
// level Warn and above, and all lines before them, are written at once.
func newLog(out io.Writer, format string) (*slog.Logger, func()) {
	w := &delayedWriter{to: out, out: bufio.NewWriterSize(out, logBuffer)}
	var h slog.Handler = slog.NewTextHandler(w, nil)
	if format == "json" {
		h = slog.NewJSONHandler(w, nil)
	}
	return slog.New(promptHandler{h, w.flush}), w.flush
}

// delayedWriter collects lines and writes them after logDelay.
type delayedWriter struct {
	to      io.Writer
	mu      sync.Mutex
	out     *bufio.Writer // writes to it
	waiting bool          // a timer is set
}

func (w *delayedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.waiting {
		w.waiting = true
		time.AfterFunc(logDelay, w.flush)
	}
	return w.out.Write(p)
}

func (w *delayedWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = false
	if err := w.out.Flush(); err != nil {
		// There is no place to report it. Without a reset, every later write would fail.
		w.out.Reset(w.to)
	}
}

// promptHandler writes warnings at once.
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
