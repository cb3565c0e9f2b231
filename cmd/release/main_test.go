package main

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Parallel()
	folder, again := t.TempDir(), t.TempDir()
	for _, f := range []string{folder, again} {
		if err := run([]string{f, "1.2.3", "2026-12-01"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"man/cohort.1.gz", "man/cohort-store-create.1.gz", "completions/bash/cohort", "completions/zsh/_cohort", "completions/fish/cohort.fish"} {
		first, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || len(first) == 0 {
			t.Errorf("%s: %d bytes, error %v", name, len(first), err)
		}
		if second, err := os.ReadFile(filepath.Join(again, name)); err != nil || string(second) != string(first) {
			t.Errorf("%s has other bytes the second time, error %v", name, err)
		}
	}
	if page := unpacked(t, filepath.Join(folder, "man", "cohort.1.gz")); !strings.HasPrefix(page, `.TH "COHORT" 1 "2026\-12\-01" "cohort 1.2.3"`) {
		t.Errorf("the page begins with %.100q", page)
	}
}

func unpacked(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "files")
	for _, args := range [][]string{
		{folder}, {folder, "1.2.3"}, {folder, "1.2.3", "today"}, {folder, "1 2", "2026-12-01"}, {folder, "", "2026-12-01"}, {folder, "1.2.3", "2026-12-01", "more"},
	} {
		if err := run(args); err == nil {
			t.Errorf("run(%q) accepts it", args)
		}
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("a refused run writes the folder: %v", err)
	}
}
