package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

var limitsProgram = program{name: "limits", module: ".", pkg: "./limits"}

// loop is a running program of the folder limits. It repeats an operation whose
// cost no server can avoid.
type loop struct {
	name string
	in   io.WriteCloser
	out  *json.Decoder
	cmd  *exec.Cmd
}

func (b *bench) startLoop(ctx context.Context, p program, name string) (*loop, error) {
	path, err := b.build(ctx, p)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.work, name+"-")
	if err != nil {
		return nil, err
	}
	l := &loop{name: name}
	l.cmd = exec.CommandContext(ctx, path, "-loop", name, "-dir", dir, "-present", strconv.Itoa(b.small.groups))
	l.cmd.Env = defaults(os.Environ())
	l.cmd.Stderr = os.Stderr
	if l.in, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	l.out = json.NewDecoder(bufio.NewReader(out))
	return l, l.cmd.Start()
}

// run runs the loop for a duration.
func (l *loop) run(d time.Duration) (perSecond float64, err error) {
	var m struct{ PerSecond float64 }
	if _, err := fmt.Fprintln(l.in, d); err != nil {
		return 0, fmt.Errorf("%s: %w", filepath.Base(l.cmd.Path), err)
	}
	if err := l.out.Decode(&m); err != nil {
		return 0, fmt.Errorf("%s: %w", filepath.Base(l.cmd.Path), err)
	}
	return m.PerSecond, nil
}

// stop ends the loop by closing its input.
func (l *loop) stop() {
	_ = l.in.Close()
	_ = l.cmd.Wait() // its results have been read
}

// looped is a side that is a loop.
func (b *bench) looped(l *loop) side {
	return side{name: l.name, round: func(ctx context.Context) (sample, error) {
		if err := ctx.Err(); err != nil {
			return sample{}, err
		}
		if _, err := l.run(b.warmUp); err != nil {
			return sample{}, err
		}
		perSecond, err := l.run(b.round)
		b.detail("%-28s %8.0f/s", l.name, perSecond)
		return sample{perSecond: perSecond}, err
	}}
}
