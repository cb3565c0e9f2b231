package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/cohorttest"
)

// diff says what differs in words and as JSON, with exit status 3.
func TestDiff(t *testing.T) {
	t.Parallel()
	s := cohorttest.Start(t)
	s.SeedText(t, s.Store, groupsSeed)
	file := filepath.Join(t.TempDir(), "shop.yaml")
	place := []string{"--store", s.Store, "--token", s.Token}
	mustRun(t, append([]string{"pull", file, "--from", s.URL}, place...)...)
	if out := mustRun(t, append([]string{"diff", file, "--to", s.URL, "--prune"}, place...)...).out; out != "Nothing to change.\n" {
		t.Errorf("the output is %q", out)
	}

	edited := strings.Replace(readFile(t, file), "name: Dealers", "name: Partners\\e", 1)
	if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, append([]string{"diff", file, "--to", s.URL, "--prune"}, place...)...)
	const want = "create customer group Partners\\e\ndelete customer group Dealers\n  members who lose their group: 1\nTo create: 1. To update: 0. To delete: 1.\n"
	if r.status != 3 || r.out != want || r.err != "" {
		t.Errorf("exit status %d, %q and %q, want 3 and %q", r.status, r.out, r.err, want)
	}
	r = run(t, append([]string{"diff", file, "--to", s.URL, "--prune", "--json"}, place...)...)
	var plan struct {
		Changes []struct{ Action, Kind, Name string }
	}
	if err := json.Unmarshal([]byte(r.out), &plan); err != nil || r.status != 3 || len(plan.Changes) != 2 || plan.Changes[1].Kind != "customer_group" {
		t.Errorf("exit status %d, %v and %s", r.status, err, r.out)
	}
}

// A mistake in the file is found before the store is asked.
func TestDiffWithMistake(t *testing.T) {
	t.Parallel()
	const file = "customer_groups:\n- {namee: A}\n"
	r := runWith(t, file, "diff", "-", "--to", "http://127.0.0.1:1", "--store", "a", "--token", "x")
	if r.status != 1 || !strings.Contains(r.err, "tandard input: line 2, column 11: customer_groups[0].namee: There is no such field. Did you mean name?") {
		t.Errorf("exit status %d and %q", r.status, r.err)
	}
}
