package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// addHook gives the store abc a webhook with a delivery that has failed, and returns the
// secret of its token.
func addHook(t *testing.T, url string) (secret string) {
	t.Helper()
	secret = newToken(t, url, "abc")
	d := dbtest.Open(t, url)
	h := cohort.Hook{ClientID: id(secret), Scope: "store/customer/*", Destination: "https://app.example/", Active: true, Headers: map[string]string{"X-Key": "hidden"}}
	if _, err := service.New(d).CreateHook(t.Context(), "abc", h); err != nil {
		t.Fatal(err)
	}
	dbtest.Update(t, d, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO hook_deliveries VALUES ('abc', 1, 1, 7, 'customer 3', 'store/customer/created', '{"data":1}', 'failed', 12, 0, 500,
			'{}', 'no', 'the status is 500', 42, 5000, 6000)`)
		return err
	})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestHooks(t *testing.T) {
	dbtest.EachLogicURL(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "abc", "--db", url)
		secret := addHook(t, url)
		cohortHooks := func(args ...string) string {
			t.Helper()
			return mustRun(t, append([]string{"hooks"}, append(args, "--store", "abc", "--db", url)...)...).out
		}
		for _, args := range [][]string{{"list"}, {"list", "--json"}} {
			out := cohortHooks(args...)
			if !strings.Contains(out, id(secret)) || !strings.Contains(out, "store/customer/*") || strings.Contains(out, "hidden") {
				t.Errorf("%v: %s", args, out)
			}
		}
		if out := cohortHooks("deliveries", "1"); !strings.Contains(out, "failed") || !strings.Contains(out, "the status is 500") {
			t.Errorf("deliveries: %s", out)
		}
		if out := cohortHooks("deliveries", "1", "--state", "waiting"); strings.Contains(out, "500") {
			t.Errorf("deliveries that wait: %s", out)
		}
		if out := cohortHooks("redeliver", "1"); out != "Delivery 1 of webhook 1 is due now.\n" {
			t.Errorf("redeliver: %s", out)
		}
		if out := cohortHooks("deliveries", "1", "--json", "--state", "waiting"); !strings.Contains(out, `"request_body": {"data": 1}`) && !strings.Contains(out, `"request_body":{"data":1}`) {
			t.Errorf("deliveries as JSON: %s", out)
		}
		wantFailure(t, run(t, "hooks", "deliveries", "2", "--store", "abc", "--db", url), 1, "Hook 2 does not exist.")
		wantFailure(t, run(t, "hooks", "redeliver", "2", "--store", "abc", "--db", url), 1, "Delivery 2 does not exist.")
	})
}

// A client secret is printed when it is new, and nowhere else.
func TestRotateSecret(t *testing.T) {
	dbtest.EachLogicURL(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "abc", "--db", url)
		var created struct {
			ID           string `json:"id"`
			Token        string `json:"token"`
			ClientSecret string `json:"client_secret"`
		}
		out := mustRun(t, "token", "create", "--store", "abc", "--scope", "store_v2_customers", "--json", "--db", url).out
		if err := json.Unmarshal([]byte(out), &created); err != nil || id(created.Token) != created.ID || created.ClientSecret == "" {
			t.Fatalf("%s: %v", out, err)
		}
		second := strings.TrimSuffix(mustRun(t, "token", "rotate-secret", created.ID, "--db", url).out, "\n")
		d := dbtest.Open(t, url)
		secrets, err := service.New(d).ClientSecrets(t.Context(), "abc", created.ID)
		if len(secrets) != 2 || secrets[0] != second || secrets[1] != created.ClientSecret || err != nil {
			t.Errorf("the secrets are %q, error %v", secrets, err)
		}
		mustRun(t, "token", "rotate-secret", created.ID, "--keep", "0s", "--db", url)
		if secrets, err := service.New(d).ClientSecrets(t.Context(), "abc", created.ID); len(secrets) != 1 || err != nil {
			t.Errorf("the secrets are %q, error %v", secrets, err)
		}
		if r := mustRun(t, "token", "list", "--db", url); strings.Contains(r.out, second) {
			t.Error("the list shows a client secret")
		}
		wantFailure(t, run(t, "token", "rotate-secret", "nothing", "--db", url), 1, "Token nothing does not exist.")
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}
