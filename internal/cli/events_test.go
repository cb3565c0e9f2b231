package cli_test

import (
	"context"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/cli"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// TestEvents checks that the command lists what has changed since the store records events.
func TestEvents(t *testing.T) {
	url := dbtest.SQLiteURL(t)
	mustRun(t, "store", "create", "abc", "--db", url)
	mustRun(t, "store", "update", "abc", "--events", "on", "--db", url)
	if out := mustRun(t, "store", "show", "abc", "--db", url).out; !strings.Contains(out, "EVENTS          on\n") {
		t.Errorf("store show prints %s", out)
	}
	d := dbtest.Open(t, url)
	svc := service.New(d)
	for _, name := range []string{"VIP", "Gold"} {
		if _, err := svc.CreateGroup(t.Context(), "abc", cohort.Group{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if err := svc.DeleteGroup(t.Context(), "abc", 1); err != nil {
		t.Fatal(err)
	}
	out := mustRun(t, "events", "--store", "abc", "--after", "2", "--db", url).out
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "NUMBER") || !strings.Contains(lines[1], "customerGroup.created") ||
		!strings.Contains(lines[1], "command line") || !strings.Contains(lines[1], `"name":[null,"Gold"]`) || !strings.Contains(lines[2], "customerGroup.deleted") {
		t.Errorf("events prints\n%s", out)
	}
	out = mustRun(t, "events", "--store", "abc", "--type", "customerGroup.deleted,customerGroup.updated", "--json", "--db", url).out
	if !strings.HasPrefix(out, "[\n  {\"number\":4,\"type\":\"customerGroup.deleted\"") || strings.Count(out, "number") != 1 {
		t.Errorf("events --json prints %s", out)
	}
	if _, err := svc.CreateCustomer(t.Context(), "abc", cohort.CustomerUpdate{FirstName: new("A"), LastName: new("B"), Email: new("a@example.com"), GroupID: new(int64(2))}); err != nil {
		t.Fatal(err)
	}
	out = mustRun(t, "group", "history", "2", "--members", "--store", "abc", "--db", url).out
	if !strings.Contains(out, "customerGroup.created") || !strings.Contains(out, "customerGroup.member.added") || strings.Count(out, "\n") != 3 {
		t.Errorf("group history prints\n%s", out)
	}
	out = mustRun(t, "group", "member", "1", "--store", "abc", "--db", url).out
	if !strings.HasPrefix(out, "CUSTOMER  1\nGROUP     2\nSINCE     20") || !strings.Contains(out, "ACTOR     command line\n") {
		t.Errorf("group member prints\n%s", out)
	}
	out = mustRun(t, "group", "member", "1", "--json", "--store", "abc", "--db", url).out
	if !strings.HasPrefix(out, `{"customer_id":1,"customer_group_id":2,"event":{"number":`) {
		t.Errorf("group member --json prints %s", out)
	}
	for line, want := range map[string]string{
		"group history 99 --store abc":                            "99 does not exist",
		"group member 1 --store abc --as-of 1.1.":                 "as-of is a time such as",
		"group member 1 --store abc --as-of 2001-01-01T00:00:00Z": "reach back to",
		"events --store abc --type made":                          "The type of an event is one of customerGroup.created,",
		"events --store abc --after=-1":                           "after is the number of an event, or 0",
		"events --store nowhere":                                  "Store nowhere does not exist",
		"store update abc --events perhaps":                       "events is on or off",
		"store create other --events sometime":                    "must be",
	} {
		r := run(t, append(strings.Fields(line), "--db", url)...)
		if r.status == 0 || !strings.Contains(r.err, want) {
			t.Errorf("%s: %+v, want %q", line, r, want)
		}
	}
}

// TestFollowEvents checks that --follow prints what is there and what another process adds,
// until Ctrl-C.
func TestFollowEvents(t *testing.T) {
	t.Parallel()
	url := dbtest.SQLiteURL(t)
	mustRun(t, "store", "create", "abc", "--events", "on", "--db", url)
	svc := service.New(dbtest.Open(t, url))
	create := func(name string) {
		if _, err := svc.CreateGroup(t.Context(), "abc", cohort.Group{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	create("VIP")
	never := make(chan struct{})
	for _, form := range []struct{ flag, first, second string }{
		{"--type=customerGroup.created", `(?m)^1 .*customerGroup.created .*"name":\[null,("VIP")\]`, `(?m)^\d+ .*"name":\[null,("--type)`},
		{"--jsonl", `(?m)^(\{"number":1,.*\})$`, `(?m)^(\{"number":\d+,.*"--jsonl.*\})$`},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		out, ended := newOutput(), make(chan int)
		go func() {
			ended <- cli.Run(ctx, []string{"events", "-f", "--store", "abc", form.flag, "--db", url}, cli.Streams{In: strings.NewReader(""), Out: out, Err: out})
		}()
		out.await(t, form.first, never)
		create(form.flag)
		out.await(t, form.second, never)
		cancel()
		if status := <-ended; status != 0 {
			t.Errorf("%s: exit status %d\n%s", form.flag, status, out)
		}
	}
}
