package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is a package to build.
type program struct {
	name   string
	module string // below the folder bench
	pkg    string
	flags  []string // of go build
}

// The measured programs.
var (
	cohortProgram = program{name: "cohort", module: "..", pkg: "./cmd/cohort"}
)

// build returns the path of a program, which it builds once per run.
func (b *bench) build(ctx context.Context, p program) (string, error) {
	out := filepath.Join(b.dir, p.name)
	if b.made[out] {
		return out, nil
	}
	b.progress("builds %s", p.name)
	args := append(append([]string{"build", "-o", out}, p.flags...), p.pkg)
	if _, err := b.goCommand(ctx, p, args...); err != nil {
		return "", err
	}
	b.made[out] = true
	return out, nil
}

// goCommand runs the go command in the module of the program and returns its
// output.
func (b *bench) goCommand(ctx context.Context, p program, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(b.root, p.module)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("go %s in %s: %w\n%s", strings.Join(args, " "), cmd.Dir, err, exit.Stderr)
	}
	return out, err
}
