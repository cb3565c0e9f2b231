package pgtest

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Program returns the path of one of PostgreSQL's programs. It skips the test
// where [URL] does.
func Program(t testing.TB, name string) string {
	t.Helper()
	requirePrograms(t)
	folder, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	if path := filepath.Join(folder, name); isProgram(path) {
		return path
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
