//go:build unix

package daemon_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/internal/daemon"
)

// start starts a shell that ends when its pipe is closed. Its standard input is not the
// terminal, and its output goes to the log.
func start(t *testing.T, f daemon.Folder, o daemon.Options, script string) (*daemon.Process, func(), error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Start(cmd, o)
	t.Cleanup(func() { stdin.Close() })
	return p, func() { stdin.Close(); <-p.Ended() }, err
}

func TestServer(t *testing.T) {
	t.Parallel()
	f := daemon.Folder(filepath.Join(t.TempDir(), "new", "state"))
	if _, err := f.Running(); !errors.Is(err, daemon.ErrNotRunning) {
		t.Fatalf("before the start: %v", err)
	}
	options := daemon.Options{Addr: "127.0.0.1:0", DB: "sqlite:x"}
	_, stop, err := start(t, f, options, "echo out; echo err >&2; read line")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Running(); !errors.Is(err, daemon.ErrStarting) {
		t.Errorf("before it serves: %v", err)
	}
	want := daemon.Server{PID: 4711, URL: "http://127.0.0.1:1"}
	if err := daemon.WriteReady(f.Ready(), want); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Running(); got != want || err != nil {
		t.Errorf("running: %+v, %v", got, err)
	}
	if got, err := f.Options(); got != options || err != nil {
		t.Errorf("options: %+v, %v", got, err)
	}
	if _, _, err := start(t, f, daemon.Options{}, "true"); !errors.Is(err, daemon.ErrLocked) {
		t.Errorf("a second start: %v", err)
	}
	if got, _ := f.Options(); got != options {
		t.Errorf("the second start has changed the options: %+v", got)
	}
	stop()
	// Its file is still there, and its number may be that of another process by now.
	if _, err := f.Running(); !errors.Is(err, daemon.ErrNotRunning) {
		t.Errorf("after the end: %v", err)
	}
	if text, err := os.ReadFile(f.Log()); string(text) != "out\nerr\n" || err != nil {
		t.Errorf("log %q, %v", text, err)
	}
}

// A start removes what an earlier server has left, and nothing else.
func TestStartCleans(t *testing.T) {
	t.Parallel()
	f := daemon.Folder(t.TempDir())
	other := filepath.Join(string(f), "other.db")
	for _, name := range []string{f.Ready(), f.Database(), f.Database() + "-wal", other} {
		if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, stop, err := start(t, f, daemon.Options{}, "read line")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, name := range []string{f.Ready(), f.Database(), f.Database() + "-wal"} {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}

func TestBrokenFiles(t *testing.T) {
	t.Parallel()
	f := daemon.Folder(t.TempDir())
	_, stop, err := start(t, f, daemon.Options{}, "read line")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, text := range []string{"", "{", "[]", `{"pid":"1"}`, `{"url":"http://x"}`, `{"pid":-1,"url":"http://x"}`, `{"pid":2` + strings.Repeat(" ", 65<<10) + `}`} {
		if err := os.WriteFile(f.Ready(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := f.Running(); err == nil || errors.Is(err, daemon.ErrNotRunning) || errors.Is(err, daemon.ErrStarting) {
			t.Errorf("%.40q: %+v, %v", text, s, err)
		}
	}
}

func TestProgramThatDoesNotExist(t *testing.T) {
	t.Parallel()
	f := daemon.Folder(t.TempDir())
	if _, err := f.Start(exec.CommandContext(t.Context(), filepath.Join(string(f), "none")), daemon.Options{}); err == nil {
		t.Fatal("it starts")
	}
	if _, err := f.Running(); !errors.Is(err, daemon.ErrNotRunning) {
		t.Errorf("after that: %v", err)
	}
}

func TestDefault(t *testing.T) {
	t.Setenv(daemon.Variable, "state")
	t.Chdir(t.TempDir())
	folder, _ := os.Getwd()
	if f, err := daemon.Default(); string(f) != filepath.Join(folder, "state") || err != nil {
		t.Errorf("%s, %v", f, err)
	}
	t.Setenv(daemon.Variable, "")
	t.Setenv("HOME", folder)
	t.Setenv("XDG_CACHE_HOME", "")
	if f, err := daemon.Default(); !strings.HasPrefix(string(f), folder) || filepath.Base(string(f)) != "cohort" || err != nil {
		t.Errorf("%s, %v", f, err)
	}
}
