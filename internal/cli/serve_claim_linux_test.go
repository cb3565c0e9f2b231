package cli_test

import (
	"strings"
	"testing"
)

// The second server on a file logs a warning. Other commands, and servers that have
// ended, do not count.
func TestServeWarnsOfAnotherServer(t *testing.T) {
	t.Parallel()
	const warning = `level=WARN msg="another server uses the same database`
	db := newDB(t)
	mustRun(t, "store", "create", "abc", "--db", db)
	token := newToken(t, db, "abc")
	first := serve(t, "--db", db)
	mustRun(t, "store", "list", "--db", db)
	second := serve(t, "--db", db)
	if strings.Contains(first.err.String(), warning) || strings.Count(second.err.String(), warning) != 1 {
		t.Errorf("log of the first server:\n%s\nlog of the second server:\n%s", first.err, second.err)
	}
	first.stop()
	if a := second.post(t, "/stores/abc/v2/customer_groups", token, `{"name":"A"}`); a.status != 200 {
		t.Errorf("create: %d %s", a.status, a.body)
	}
	third := serve(t, "--db", db)
	if !strings.Contains(third.err.String(), warning) {
		t.Errorf("the third server does not log the warning:\n%s", third.err)
	}
	second.stop()
	third.stop()
	if s := serve(t, "--db", db); strings.Contains(s.err.String(), warning) {
		t.Errorf("the only server on the database logs the warning:\n%s", s.err)
	}
}
