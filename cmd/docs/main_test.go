package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"cohort.example/cohort/internal/docsite"
)

func TestRun(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "site")
	if err := run([]string{folder}); err != nil {
		t.Fatal(err)
	}
	written := 0
	if err := filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			written++
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if want := len(docsite.Load().Names()); written != want {
		t.Errorf("%d files, want %d", written, want)
	}
	for _, name := range []string{"index.html", "reference/createGroup.md", "static/docs.css"} {
		want, _ := docsite.Load().File(name)
		if got, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name))); err != nil || string(got) != string(want) {
			t.Errorf("%s: %d bytes, want %d, error %v", name, len(got), len(want), err)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"a", "b"}, {file}, {"--help"}} {
		if err := run(args); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
