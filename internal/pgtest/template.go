//go:build linux || darwin || freebsd

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// copyTemplate copies the template cluster of the run into data and returns its
// password. initdb takes much longer than a copy.
func (r *run) copyTemplate(data string) (password string, err error) {
	lock, err := lockFile(r.path("template.lock"), syscall.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	password, err = r.makeTemplate()
	if err != nil {
		return "", err
	}
	if out, err := exec.CommandContext(context.Background(), "cp", "-Rp", r.path("template"), data).CombinedOutput(); err != nil {
		return "", fmt.Errorf("copy a cluster: %w\n%s", err, out)
	}
	return password, nil
}

// makeTemplate makes the template cluster if the run has none.
func (r *run) makeTemplate() (string, error) {
	known, err := os.ReadFile(r.path("template.password"))
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return string(known), err
	}
	if err := os.RemoveAll(r.path("template")); err != nil { // left by a binary that was killed
		return "", err
	}
	folder, err := r.programs()
	if err != nil {
		return "", err
	}
	password := newPassword()
	if err := initdb(folder, r.path("template"), password); err != nil {
		return "", err
	}
	return password, os.WriteFile(r.path("template.password"), []byte(password), 0o600)
}
