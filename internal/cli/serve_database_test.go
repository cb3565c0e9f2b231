package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func filePath(db string) string { return strings.TrimPrefix(db, "sqlite:") }

// The log has one line when the database file is moved, and one when it is back.
func TestServeLogsAMovedDatabase(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	s := serve(t, "--dev", "--db", db)
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	created := 0
	create := func(want int) {
		t.Helper()
		created++
		if a := s.post(t, "/stores/demo/v2/customer_groups", "demo-token", fmt.Sprintf(`{"name":"Group %d"}`, created)); a.status != want {
			t.Errorf("create: %d %s, want %d", a.status, a.body, want)
		}
	}
	create(200)
	move(filePath(db), filePath(db)+".old")
	create(503)
	create(503)
	if a := s.get(t, "/readyz", ""); a.status != 503 {
		t.Errorf("/readyz: %d", a.status)
	}
	s.err.await(t, `level=(ERROR) msg="the database file was moved`, s.ended)
	move(filePath(db)+".old", filePath(db))
	s.err.await(t, `level=(INFO) msg="the database file is back"`, s.ended)
	create(200)
	if n := strings.Count(s.err.String(), "the database file was moved or replaced"); n != 1 {
		t.Errorf("the log says %d times that the database was moved:\n%s", n, s.err)
	}
}

func TestServeWarnsOfAWideMode(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	mustRun(t, "store", "create", "abc", "--db", db)
	const warning = "other users can read or write a file of the database"
	s := serve(t, "--db", db)
	if strings.Contains(s.err.String(), warning) {
		t.Errorf("a warning for a new database:\n%s", s.err)
	}
	s.stop()
	if err := os.Chmod(filePath(db), 0o604); err != nil {
		t.Fatal(err)
	}
	s = serve(t, "--db", db)
	if !regexp.MustCompile(`level=WARN msg="` + warning + `.* file=` + filePath(db) + ` mode=0604`).MatchString(s.err.String()) {
		t.Errorf("no warning:\n%s", s.err)
	}
	if r := mustRun(t, "store", "list", "--db", db); r.err != "" {
		t.Errorf("a command that only looks says %s", r.err)
	}
	info, err := os.Stat(filePath(db))
	if err != nil || info.Mode().Perm() != 0o604 {
		t.Errorf("the mode is %v (%v), and was the owner's choice", info.Mode(), err)
	}
}

func TestCopyWarnsOfAWideMode(t *testing.T) {
	t.Parallel()
	from, to := newDB(t), filepath.Join(t.TempDir(), "to.db")
	mustRun(t, "store", "create", "abc", "--db", from)
	if err := os.WriteFile(to, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o640); err != nil {
		t.Fatal(err)
	}
	if r := mustRun(t, "copy", "--from", from, "--to", "sqlite:"+to); !strings.Contains(r.err, to+" (mode 0640)") {
		t.Errorf("no warning: %s", r.err)
	}
}
