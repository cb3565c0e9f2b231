package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/internal/testenv"
)

func command(t *testing.T, folder, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// checkout returns a repository with files.
func checkout(t *testing.T, files map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		testenv.Need(t, "git", "it lists the files of a checkout")
	}
	folder := t.TempDir()
	command(t, folder, "git", "init", "-q")
	for name, text := range files {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command(t, folder, "git", "add", ".")
	return folder
}

func TestChanges(t *testing.T) {
	t.Parallel()
	folder := checkout(t, map[string]string{
		"go.mod":        "module old.example/cohort\n",
		"client/go.mod": "module old.example/cohort/client\n\nreplace old.example/cohort => ../\n",
		"main.go":       "package main\n\nimport (\n\t_ \"old.example/cohort\"\n\t_ \"old.example/cohort/internal/db\"\n\t_ \"zebra.example/x\"\n)\n",
		"docs/page.md":  "Import `old.example/cohort`; old.example/cohort old.example/cohort. Not very.old.example/cohort, old.example/cohorts or https://old.example/stores.\n",
		"untouched.md":  "Nothing.\n",
	})
	old, err := currentPath(folder)
	if err != nil || old != "old.example/cohort" {
		t.Fatalf("the current path is %q, error %v", old, err)
	}
	texts, err := changes(folder, old, "zoo.example/team/cohort")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"go.mod":        "module zoo.example/team/cohort\n",
		"client/go.mod": "module zoo.example/team/cohort/client\n\nreplace zoo.example/team/cohort => ../\n",
		"main.go":       "package main\n\nimport (\n\t_ \"zebra.example/x\"\n\t_ \"zoo.example/team/cohort\"\n\t_ \"zoo.example/team/cohort/internal/db\"\n)\n",
		"docs/page.md":  "Import `zoo.example/team/cohort`; zoo.example/team/cohort zoo.example/team/cohort. Not very.old.example/cohort, old.example/cohorts or https://old.example/stores.\n",
	} {
		if got := string(texts[filepath.Join(folder, name)]); got != want {
			t.Errorf("%s is now\n%s\nwant\n%s", name, got, want)
		}
	}
	if len(texts) != 4 {
		t.Errorf("%d files change, want 4", len(texts))
	}
}

func TestChangesRefuses(t *testing.T) {
	t.Parallel()
	folder := checkout(t, map[string]string{"go.mod": "module old.example/cohort\n", "main.go": "package old.example/cohort\n"})
	if texts, err := changes(folder, "old.example/cohort", "new.example/cohort"); err == nil {
		t.Errorf("a file that is not Go is no error: %q", texts)
	}
	if path, err := currentPath(t.TempDir()); err == nil {
		t.Errorf("a folder without a module has the path %q", path)
	}
	for _, args := range [][]string{
		{}, {""}, {"cohort"}, {"example.org"}, {"example.org/"}, {"https://example.org/cohort"}, {"example.org/../cohort"},
		{"example.org/x cohort"}, {"example.org/cohort/"}, {"example.org/other"}, {"-x.org/cohort"},
		{"example.org/cohort", "example.org/cohort"}, {"example.org/" + strings.Repeat("x", 200) + "/cohort"},
	} {
		if err := run(args); err == nil {
			t.Errorf("run(%q) accepts it", args)
		}
	}
}

// A copy of the checkout builds under another path, with its tests, and the old path is nowhere.
func TestCopyBuilds(t *testing.T) {
	t.Parallel()
	if !testenv.Full() {
		t.Skip("it builds the program once more; COHORT_TEST_FULL=1 runs it")
	}
	list := command(t, "../..", "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	files := map[string]string{}
	for name := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	folder := checkout(t, files)
	old, err := currentPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	command(t, folder, "go", "run", "./internal/modulepath", "zoo.example/team/cohort")
	for _, module := range []string{".", "client", "client/conformance", "testcontainers", "browser", "bench"} {
		command(t, folder, "go", "-C", module, "list", "-test", "-deps", "./...") // fails for an import that is nowhere
	}
	command(t, folder, "go", "build", "-buildvcs=false", "./cmd/cohort")
	out, err := exec.CommandContext(t.Context(), "git", "-C", folder, "grep", "-lF", old).Output()
	if left := bytes.TrimSpace(out); len(left) > 0 {
		t.Errorf("the old path is still in (%v):\n%s", err, left)
	}
}
