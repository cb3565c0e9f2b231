package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/cohorttest"
)

const groupsSeed = `
categories: [{name: Shirts}]
price_lists: [{name: Trade}]
customer_groups:
- {name: Dealers, discount_rules: [{type: category, category_id: Shirts, method: percent, amount: 5}]}
- {name: Listed, discount_rules: [{type: price_list, price_list_id: Trade}]}
customers: [{first_name: Ann, last_name: Lee, email: ann@example.com, customer_group_id: Dealers}]
`

// pull writes a file and a summary, and leaves nothing else behind.
func TestPull(t *testing.T) {
	t.Parallel()
	s := cohorttest.Start(t)
	s.SeedText(t, s.Store, groupsSeed)
	file := filepath.Join(t.TempDir(), "shop.yaml")
	out := mustRun(t, "pull", file, "--from", s.URL, "--store", s.Store, "--token", s.Token, "--customers").out
	for _, want := range []string{"customer groups  2", "price lists      1", "categories       1", "customers        1"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output has no %q:\n%s", want, out)
		}
	}
	text := readFile(t, file)
	for _, want := range []string{"category_id: Shirts", "- {customer_group_id: Listed}", "customer_group_id: Dealers"} {
		if !strings.Contains(text, want) {
			t.Errorf("the file has no %q:\n%s", want, text)
		}
	}
	if files, _ := os.ReadDir(filepath.Dir(file)); len(files) != 1 {
		t.Errorf("the folder has %v", files)
	}
	if out := mustRun(t, "pull", "-", "--from", s.URL, "--store", s.Store, "--token", s.Token, "--customers").out; out != text {
		t.Errorf("standard output has\n%s\nwant\n%s", out, text)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPullThatFails(t *testing.T) {
	t.Parallel()
	s := cohorttest.Start(t)
	file := filepath.Join(t.TempDir(), "shop.yaml")
	for _, tt := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--from", "cohort.db", "--store", "test", "--token", "x"}, 2, "the place of a store is the URL of a server"},
		{[]string{"--from", s.URL, "--store", "test"}, 2, "needs its token"},
		{[]string{"--from", s.URL, "--store", "No such hash", "--token", "x"}, 2, "is not the hash of a store"},
		{[]string{"--from", s.URL, "--store", "test", "--token", "x"}, 1, "does not accept the token"},
		{[]string{"--from", "sqlite:" + file + ".db", "--store", "test"}, 1, ".db"},
		{[]string{"--from", "http://127.0.0.1:1", "--store", "test", "--token", "x"}, 1, "127.0.0.1:1"},
	} {
		r := run(t, append([]string{"pull", file}, tt.args...)...)
		if r.status != tt.status || !strings.Contains(strings.ToLower(r.err), strings.ToLower(tt.want)) {
			t.Errorf("%v: exit status %d and %q, want %d and %q", tt.args, r.status, r.err, tt.status, tt.want)
		}
	}
	if files, _ := os.ReadDir(filepath.Dir(file)); len(files) != 0 {
		t.Errorf("the folder has %v", files)
	}
}
