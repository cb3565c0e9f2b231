package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/dbtest"
)

// apply makes a store what a file says, says what it deletes first, and has nothing to do then.
func TestApply(t *testing.T) {
	t.Parallel()
	s := cohorttest.Start(t)
	s.SeedText(t, s.Store, "customer_groups: [{name: Old}]\ncustomers: [{first_name: A, last_name: B, email: a@example.com, customer_group_id: Old}]")
	place := []string{"--to", s.URL, "--store", s.Store, "--token", s.Token}
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte("customer_groups: [{name: New}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const create = "create customer group New\nTo create: 1. To update: 0. To delete: 0.\nMade 1 change.\n"
	if out := mustRun(t, append([]string{"apply", file}, place...)...).out; out != create {
		t.Errorf("the output is %q, want %q", out, create)
	}
	const prune = "delete customer group Old\n  members who lose their group: 1\nTo create: 0. To update: 0. To delete: 1.\nMade 1 change.\n"
	if out := mustRun(t, append([]string{"apply", file, "--prune"}, place...)...).out; out != prune {
		t.Errorf("the output is %q, want %q", out, prune)
	}
	if out := mustRun(t, append([]string{"apply", file, "--prune"}, place...)...).out; out != "Nothing to change.\n" {
		t.Errorf("the output is %q", out)
	}
}

// An apply that has to stop says what it has made and what is left.
func TestApplyThatStops(t *testing.T) {
	t.Parallel()
	s := cohorttest.Start(t)
	s.Faults(s.Store).Set(t, `{"operation":"createGroup","skip":1,"action":{"status":500}}`)
	r := runWith(t, "customer_groups: [{name: A}, {name: B}, {name: C}]", "apply", "-", "--to", s.URL, "--store", s.Store, "--token", s.Token)
	if r.status != 1 || !strings.Contains(r.err, "Made 1 change. Left:\ncreate customer group B\ncreate customer group C\ncohort: Create customer_group \"B\"") {
		t.Errorf("exit status %d and %s", r.status, r.err)
	}
}

// A database is read and changed without a server, all or nothing.
func TestPullAndApplyWithDatabase(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "shop", "--db", url)
		place := []string{"--to", url, "--store", "shop"}
		r := runWith(t, "customer_groups: [{name: A, discount_rules: [{type: all, method: percent, amount: 5}]}]\nprice_lists: [{name: Trade}]", append([]string{"apply", "-"}, place...)...)
		if r.status != 0 || !strings.Contains(r.out, "Made 2 changes.") {
			t.Fatalf("exit status %d, %s and %s", r.status, r.out, r.err)
		}
		text := mustRun(t, "pull", "-", "--from", url, "--store", "shop").out
		if !strings.Contains(text, "method: percent, amount: 5") {
			t.Errorf("the file is\n%s", text)
		}
		r = runWith(t, text+"- {name: B}\n- {name: '"+strings.Repeat("x", 300)+"'}\n", append([]string{"apply", "-"}, place...)...)
		if r.status != 1 || !strings.Contains(r.err, "nothing was changed") {
			t.Errorf("exit status %d and %s", r.status, r.err)
		}
		if after := mustRun(t, "pull", "-", "--from", url, "--store", "shop").out; after != text {
			t.Errorf("the file is\n%s\nwant\n%s", after, text)
		}
	})
}
