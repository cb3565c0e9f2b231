package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// slower is the additional time of a flush on the slowed disk.
const slower = 2 * time.Millisecond

// The place where the C library of the SQLite driver makes a system call that
// may block. A flush there first sleeps in the kernel, so that the thread is
// blocked for as long as on a slower disk. Both servers use this library, so
// the same change slows both.
const (
	library    = "modernc.org/libc"
	flushFile  = "syscall_musl.go"
	flushPlace = "func ___syscall_cp(tls *TLS, n, a, b, c, d, e, f long) long {\n"
	flushDelay = `	if n == SYS_fsync || n == SYS_fdatasync {
		// A signal, such as those of the Go runtime, ends the sleep early; left
		// is the rest.
		left := unix.NsecToTimespec(%d)
		for unix.Nanosleep(&left, &left) == unix.EINTR {
		}
	}
`
)

// errNoPlace means that the source to change was not found.
var errNoPlace = errors.New("the flush of the SQLite driver has moved: see slow.go")

// slowed returns a program with the slower flush. The given program is not
// changed.
func (b *bench) slowed(ctx context.Context, p program) (program, error) {
	libc, err := b.slowLibrary(ctx, p)
	if err != nil {
		return program{}, err
	}
	mod, err := b.replaceLibrary(ctx, p, libc)
	if err != nil {
		return program{}, err
	}
	p.name += "-slow-disk"
	// Without -trimpath the path of the copy would become part of the build,
	// and every run would compile everything again.
	p.flags = []string{"-trimpath", "-modfile", mod}
	return p, nil
}

// slowLibrary returns the folder of a copy of the library with the delay in it.
// Go cannot replace a single file of a downloaded module.
func (b *bench) slowLibrary(ctx context.Context, p program) (string, error) {
	out, err := b.goCommand(ctx, p, "list", "-m", "-f", "{{.Version}} {{.Dir}}", library)
	if err != nil {
		return "", err
	}
	version, original, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	source, err := os.ReadFile(filepath.Join(original, flushFile))
	if err != nil {
		return "", errors.Join(errNoPlace, err)
	}
	if source, err = delayFlush(source); err != nil {
		return "", err
	}
	dir := filepath.Join(b.dir, "libc-"+version)
	if b.made[dir] {
		return dir, nil
	}
	if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
		return "", err
	}
	// Downloaded modules are read-only, and so is the copy.
	changed := filepath.Join(dir, flushFile)
	if err := errors.Join(os.Remove(changed), os.WriteFile(changed, source, 0o600)); err != nil {
		return "", err
	}
	b.made[dir] = true
	return dir, nil
}

// replaceLibrary returns the go.mod of the program's module with the library
// replaced.
func (b *bench) replaceLibrary(ctx context.Context, p program, libc string) (string, error) {
	mod := filepath.Join(b.dir, p.name+".mod")
	module := filepath.Join(b.root, p.module)
	if err := copyFile(filepath.Join(module, "go.mod"), mod); err != nil {
		return "", err
	}
	if err := copyFile(filepath.Join(module, "go.sum"), filepath.Join(b.dir, p.name+".sum")); err != nil {
		return "", err
	}
	_, err := b.goCommand(ctx, p, "mod", "edit", "-replace", library+"="+libc, mod)
	return mod, err
}

// delayFlush adds the delay to the source of the library.
func delayFlush(source []byte) ([]byte, error) {
	if bytes.Count(source, []byte(flushPlace)) != 1 {
		return nil, errNoPlace
	}
	delay := fmt.Sprintf(flushDelay, slower.Nanoseconds())
	return bytes.Replace(source, []byte(flushPlace), []byte(flushPlace+delay), 1), nil
}
