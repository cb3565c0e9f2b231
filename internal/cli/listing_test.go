package cli_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// wantJSON checks what a command prints with --json. Ids of tokens, and dates, are
// replaced by ID and DATE.
func wantJSON(t *testing.T, want string, args ...string) {
	t.Helper()
	r := mustRun(t, append(args, "--json")...)
	if !json.Valid([]byte(r.out)) || r.err != "" {
		t.Errorf("%v: not JSON alone: %+v", args, r)
	}
	got := regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"`).ReplaceAllString(r.out, `"DATE"`)
	got = regexp.MustCompile(`"[0-9a-f]{16}"`).ReplaceAllString(got, `"ID"`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%v (-want +got):\n%s", args, diff)
	}
}

func TestListsAsJSON(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, url string) {
		leaveJobs(t, url)
		mustRun(t, "store", "update", "abc", "--quota", "3", "--plan", "pro", "--max-concurrent", "5", "--db", url)
		mustRun(t, "store", "update", "xyz", "--name", `My "shop"`, "--domain", "XYZ.example.com", "--timezone", "Asia/Tokyo",
			"--email", "jo@example.com", "--first-name", "Jo", "--last-name", "Doe", "--db", url)
		rule := cohort.DiscountRule{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(5)}
		inDB(t, url, func(tx *db.Tx) error {
			return addGroup(tx, "xyz", cohort.Group{ID: 30, Name: "VIP \"gold\"", IsDefault: true, DiscountRules: []cohort.DiscountRule{rule}}, 2)
		})
		const abc = `{"store":"abc","plan":"pro","quota":3,"max_concurrent":5,"catalog":"external","currency":"USD","events":false,"event_days":30,"event_count":100000,"created":"DATE",` +
			`"store_id":3833052024919718,"name":"abc","domain":"store-abc.example","timezone":"UTC","email":"admin@store-abc.example",` +
			`"first_name":"Store","last_name":"Owner","phone":"","address":"","country":"United States","language":"en"}`
		const xyz = `{"store":"xyz","plan":"unlimited","quota":null,"max_concurrent":null,"catalog":"external","currency":"USD","events":false,"event_days":30,"event_count":100000,"created":"DATE",` +
			`"store_id":195386412434209,"name":"My \"shop\"","domain":"xyz.example.com","timezone":"Asia/Tokyo","email":"jo@example.com",` +
			`"first_name":"Jo","last_name":"Doe","phone":"","address":"","country":"United States","language":"en"}`
		wantJSON(t, "[\n  "+abc+",\n  "+xyz+"\n]\n", "store", "list", "--db", url)
		wantJSON(t, abc+"\n", "store", "show", "abc", "--db", url)

		wantJSON(t, "[]\n", "token", "list", "--db", url)
		mustRun(t, "token", "create", "--store", "abc", "--scope", "store_v2_customers,store_v2_products", "--name", "ETL", "--db", url)
		wantJSON(t, "[\n  "+`{"id":"ID","store":"abc","name":"ETL","scopes":["store_v2_customers","store_v2_products"],"created":"DATE","expires":null,"last_used":null,"earlier_secrets":[]}`+"\n]\n",
			"token", "list", "--db", url)

		out := mustRun(t, "group", "list", "--store", "xyz", "--json", "--db", url).out
		if want := `"name":"VIP \"gold\"","members":2,"default":true,"guests":false,"rules":1,"modified":"2024-02-29T12:00:30Z"}` + "\n]\n"; !strings.HasSuffix(out, want) {
			t.Errorf("groups: %s, want the end %s", out, want)
		}

		var jobs []struct {
			Store, Kind, Subject, State string
			Attempts                    int
			NextTry                     string `json:"next_try"`
			LastError                   string `json:"last_error"`
		}
		if err := json.Unmarshal([]byte(mustRun(t, "jobs", "list", "--json", "--db", url).out), &jobs); err != nil || len(jobs) != 3 {
			t.Fatalf("%+v, %v", jobs, err)
		}
		if j := jobs[0]; j.Store != "abc" || j.Subject != "1" || j.State != "dead" || j.NextTry != "" || j.LastError == "" || j.Attempts == 0 {
			t.Errorf("the dead job: %+v", j)
		}
		if j := jobs[1]; j.State != "waiting" || j.NextTry == "" {
			t.Errorf("the waiting job: %+v", j)
		}
	})
}
