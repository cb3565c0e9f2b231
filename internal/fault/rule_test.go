package fault_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"cohort.example/cohort/internal/fault"

	"github.com/google/go-cmp/cmp"
)

func operations() fault.Operations {
	return fault.Operations{
		"createGroup": {Method: "POST", Path: "/v2/customer_groups"},
		"updateGroup": {Method: "PUT", Path: "/v2/customer_groups/{id}"},
		"listGroups":  {Method: "GET", Path: "/v2/customer_groups"},
		"getPrices":   {Method: "POST", Path: "/v3/pricing/products", ReadOnly: true},
	}
}

// good are rules in the form in which they are written again.
var good = []string{
	`{"action":"timeout"}`,
	`{"action":"reset"}`,
	`{"action":"empty"}`,
	`{"action":"truncate"}`,
	`{"action":{"slow":"1.5s"}}`,
	`{"action":{"status":503}}`,
	`{"delay":"250ms","delay_jitter":"50ms"}`,
	`{"action":{"commit_then":"reset"}}`,
	`{"action":{"commit_then":{"status":504}}}`,
	`{"action":{"commit_then":{"slow":"1s"}}}`,
	`{"operation":"createGroup","action":{"status":207}}`,
	`{"before":"auth","action":{"status":401,"title":"No"}}`,
	`{"action":{"status":429,"retry_after":7}}`,
	`{"action":{"status":422,"title":"Wrong","errors":{"name":"is taken"}}}`,
	`{"operation":"updateGroup","method":"PUT","path":"/v2/customer_groups/7","match":{"query":{"a":"b"},"header":{"x":"y"},"body":{"name":["x",1.50]}},"skip":1,"times":2,"every":3,"probability":0.5,"seed":18446744073709551615,"delay":"1s","action":{"status":500}}`,
}

func TestRoundTrip(t *testing.T) {
	for _, text := range good {
		rule, err := operations().DecodeOne([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if again, err := json.Marshal(rule); err != nil || string(again) != text {
			t.Errorf("%s is written as %s, error %v", text, again, err)
		}
	}
}

func TestOtherForms(t *testing.T) {
	for text, want := range map[string]string{
		`{"operation":"*","before":"handler","match":null,"action":"reset"}`: `{"action":"reset"}`,
		`{"match":{"body":null},"delay":"1s","action":null}`:                 `{"delay":"1s"}`,
	} {
		rule, err := operations().DecodeOne([]byte(text))
		if got, _ := json.Marshal(rule); err != nil || string(got) != want {
			t.Errorf("%s: %s, error %v, want %s", text, got, err, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct{ field, rule string }{
		{"", `7`},
		{"", `{`},
		{"", `{"action":"reset"} {}`},
		{"colour", `{"colour":"red"}`},
		{"skip", `{"skip":"2"}`},
		{"seed", `{"seed":-1}`},
		{"action.colour", `{"action":{"colour":"red"}}`},
		{"action.status", `{"action":{"status":"503"}}`},
		{"action.commit_then.status", `{"action":{"commit_then":{"status":true}}}`},
		{"action.commit_then", `{"action":{"commit_then":{"commit_then":"reset"}}}`},
		{"action.commit_then", `{"action":{"commit_then":"explode"}}`},
		{"action", `{}`},
		{"action", `{"action":{}}`},
		{"action", `{"action":[]}`},
		{"action", `{"action":"explode"}`},
		{"action", `{"action":"slow"}`},
		{"action", `{"action":"status"}`},
		{"action", `{"action":""}`},
		{"action", `{"action":{"status":503,"slow":"1s"}}`},
		{"action", `{"action":{"slow":"1s","title":"No"}}`},
		{"operation", `{"operation":"createGrupo","action":"reset"}`},
		{"operation", `{"operation":"*createGroup","action":"reset"}`},
		{"method", `{"method":"PATCH","action":"reset"}`},
		{"method", `{"method":"post","action":"reset"}`},
		{"method", `{"operation":"createGroup","method":"PUT","action":"reset"}`},
		{"path", `{"path":"v2","action":"reset"}`},
		{"path", `{"operation":"createGroup","path":"/v2/customers/*","action":"reset"}`},
		{"match.query", `{"match":{"query":[]},"action":"reset"}`},
		{"match.body", `{"method":"GET","match":{"body":{}},"action":"reset"}`},
		{"match.body", `{"operation":"listGroups","match":{"body":{}},"action":"reset"}`},
		{"match.body", `{"method":"DELETE","match":{"body":{}},"action":"reset"}`},
		{"skip", `{"skip":-1,"action":"reset"}`},
		{"times", `{"times":1000001,"action":"reset"}`},
		{"every", `{"every":-1,"action":"reset"}`},
		{"probability", `{"probability":1.1,"seed":1,"action":"reset"}`},
		{"probability", `{"probability":-0.1,"seed":1,"action":"reset"}`},
		{"seed", `{"probability":0.1,"action":"reset"}`},
		{"delay", `{"delay":"soon"}`},
		{"delay", `{"delay":5}`},
		{"delay", `{"delay":"-1s"}`},
		{"delay", `{"delay":"31s"}`},
		{"delay_jitter", `{"delay_jitter":"-1s"}`},
		{"delay_jitter", `{"delay":"20s","delay_jitter":"11s"}`},
		{"before", `{"before":"dinner","action":"reset"}`},
		{"before", `{"before":"auth","match":{"body":{}},"action":"reset"}`},
		{"before", `{"before":"auth","action":{"commit_then":"reset"}}`},
		{"before", `{"before":"auth","action":"truncate"}`},
		{"before", `{"before":"auth","action":{"slow":"1s"}}`},
		{"before", `{"before":"auth","operation":"createGroup","action":{"status":207}}`},
		{"action.commit_then", `{"operation":"listGroups","action":{"commit_then":"reset"}}`},
		{"action.commit_then", `{"method":"GET","action":{"commit_then":"reset"}}`},
		{"action.commit_then", `{"operation":"getPrices","action":{"commit_then":"reset"}}`},
		{"action.commit_then", `{"operation":"createGroup","action":{"commit_then":{"status":207}}}`},
		{"action.status", `{"operation":"listGroups","action":{"status":207}}`},
		{"action.status", `{"action":{"status":207}}`},
		{"action.status", `{"action":{"status":200}}`},
		{"action.status", `{"action":{"status":599}}`},
		{"action.status", `{"action":{"status":-1}}`},
		{"action.title", `{"operation":"createGroup","action":{"status":207,"title":"No"}}`},
		{"action.errors", `{"operation":"createGroup","action":{"status":207,"errors":{"a":"b"}}}`},
		{"action.retry_after", `{"operation":"createGroup","action":{"status":207,"retry_after":1}}`},
		{"action.errors", `{"action":{"status":503,"errors":{"a":"b"}}}`},
		{"action.retry_after", `{"action":{"status":503,"retry_after":1}}`},
		{"action.retry_after", `{"action":{"status":429,"retry_after":3601}}`},
		{"action.slow", `{"action":{"slow":"21s"}}`},
		{"action.slow", `{"action":{"slow":"-1s"}}`},
		{"", `{"action":{"status":503,"title":"` + strings.Repeat("x", 8<<10) + `"}}`},
	} {
		_, err := operations().DecodeOne([]byte(test.rule))
		wrong, ok := errors.AsType[*fault.RuleError](err)
		if !ok || wrong.Field != test.field || !strings.HasSuffix(wrong.Reason, ".") {
			t.Errorf("%.80s: %v, want an error of %q", test.rule, err, test.field)
		}
	}
}

func TestDecodeList(t *testing.T) {
	raw := func(rules ...string) (list []json.RawMessage) {
		for _, r := range rules {
			list = append(list, json.RawMessage(r))
		}
		return list
	}
	rules, err := operations().Decode(raw(good...))
	if err != nil || len(rules) != len(good) {
		t.Fatalf("%d rules, error %v", len(rules), err)
	}
	_, err = operations().Decode(raw(good[0], `{"times":-1,"action":"reset"}`))
	if wrong, ok := errors.AsType[*fault.RuleError](err); !ok || wrong.Field != "1.times" {
		t.Errorf("error %v", err)
	}
	if _, err = operations().Decode(make([]json.RawMessage, 10_000)); err == nil {
		t.Error("a list of 10 000 rules is accepted")
	}
}

func TestParseHeader(t *testing.T) {
	for value, want := range map[string]fault.Action{
		"503":               {Kind: fault.KindStatus, Status: 503},
		" reset ":           {Kind: fault.KindReset},
		"timeout":           {Kind: fault.KindTimeout},
		"empty":             {Kind: fault.KindEmpty},
		"truncate":          {Kind: fault.KindTruncate},
		"207":               {Kind: fault.KindStatus, Status: 207},
		"commit-then reset": {Kind: fault.KindReset, Commit: true},
		"commit-then  502":  {Kind: fault.KindStatus, Status: 502, Commit: true},
	} {
		got, err := operations().ParseHeader("createGroup", value)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: error %v\n%s", value, err, diff)
		}
	}
	for _, value := range []string{"", "200", "slow", "commit-then", "commit-then 207", "commit-then commit-then reset", "429; times=2"} {
		if _, err := operations().ParseHeader("createGroup", value); err == nil {
			t.Errorf("%q is accepted", value)
		}
	}
	if _, err := operations().ParseHeader("listGroups", "207"); err == nil {
		t.Error("207 is accepted for a GET")
	}
}

// All profiles can be written as rules.
func TestProfiles(t *testing.T) {
	for _, name := range fault.Profiles() {
		rules, ok := fault.Profile(name)
		if !ok || len(rules) == 0 {
			t.Errorf("there is no profile %s", name)
		}
		for _, r := range rules {
			if err := operations().Check(r); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, ok := fault.Profile("none"); ok {
		t.Error("a profile that does not exist has rules")
	}
}

// Any list of rules is refused with a sentence, or is accepted, and then written as a list
// that is accepted as the same.
func FuzzDecode(f *testing.F) {
	f.Add("[" + strings.Join(good, ",") + "]")
	f.Add(`[{"action":{"commit_then":{"commit_then":"reset"}}},{"match":{"body":[[[]]]}}]`)
	f.Add(`[null,{"action":0}]`)
	f.Fuzz(func(t *testing.T, text string) {
		var list []json.RawMessage
		if json.Unmarshal([]byte(text), &list) != nil {
			return
		}
		rules, err := operations().Decode(list)
		if err != nil {
			if wrong, ok := errors.AsType[*fault.RuleError](err); !ok || wrong.Reason == "" {
				t.Fatalf("error %v", err)
			}
			return
		}
		first, err := json.Marshal(rules)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(first, &list); err != nil {
			t.Fatal(err)
		}
		rules, err = operations().Decode(list)
		if second, _ := json.Marshal(rules); err != nil || string(second) != string(first) {
			t.Fatalf("%s is read as %s, error %v", first, second, err)
		}
		var s fault.Set
		if _, err := s.Put("abc", rules); err != nil {
			t.Fatal(err)
		}
		s.Take("abc", request(text))
	})
}
