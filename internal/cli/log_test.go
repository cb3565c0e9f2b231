package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// lines returns the messages in a log of text lines.
func lines(log string) (messages []string) {
	for line := range strings.Lines(log) {
		_, message, _ := strings.Cut(strings.TrimSpace(line), "msg=")
		messages = append(messages, message)
	}
	return messages
}

// outputs holds what was written since the last read.
type outputs chan string

func newOutputs() outputs { return make(outputs, 10) }

func (o outputs) Write(p []byte) (int, error) {
	o <- string(p)
	return len(p), nil
}

func (o outputs) read() []string {
	select {
	case written := <-o:
		return lines(written)
	default:
		return nil
	}
}

func TestLogLinesAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newOutputs()
		log, _ := newLog(out, "text")
		log.Info("one")
		log.With("a", 1).WithGroup("g").Info("two")
		time.Sleep(logDelay - 1)
		if got := out.read(); got != nil {
			t.Errorf("written before its time: %q", got)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got := out.read(); len(got) != 2 {
			t.Errorf("written in time: %q", got)
		}
		log.Info("three")
		time.Sleep(logDelay)
		synctest.Wait()
		if got := out.read(); len(got) != 1 {
			t.Errorf("written after the next delay: %q", got)
		}
	})
}

func TestWarningsAreWrittenAtOnce(t *testing.T) {
	var out bytes.Buffer
	log, _ := newLog(&out, "json")
	log.Info("before")
	if log.With("a", 1).WithGroup("g").Warn("now"); strings.Count(out.String(), "\n") != 2 {
		t.Errorf("written: %q", &out)
	}
}

func TestFlushWritesWaitingLines(t *testing.T) {
	var out bytes.Buffer
	log, flush := newLog(&out, "text")
	log.Info("one")
	if flush(); out.Len() == 0 {
		t.Error("nothing is written")
	}
}

// brokenPipe fails while broken is set.
type brokenPipe struct {
	bytes.Buffer
	broken bool
}

func (p *brokenPipe) Write(b []byte) (int, error) {
	if p.broken {
		return 0, errors.New("broken")
	}
	return p.Buffer.Write(b)
}

func TestLogContinuesAfterAFailure(t *testing.T) {
	out := &brokenPipe{broken: true}
	log, _ := newLog(out, "text")
	log.Warn("lost")
	out.broken = false
	log.Warn("kept")
	if got := lines(out.String()); len(got) != 1 || got[0] != "kept" {
		t.Errorf("written: %q", got)
	}
}
