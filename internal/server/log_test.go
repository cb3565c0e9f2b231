package server_test

import (
	"encoding/json"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// logged has the attributes of a log line.
type logged struct {
	Level         string
	Msg           string
	RequestID     string `json:"request_id"`
	Method        string
	Path          string
	Operation     string
	Store         string
	Token         string
	Client        string
	Status        int
	Bytes         int64
	CorrelationID string `json:"correlation_id"`
	Error         any
}

func newLoggedFixture(t *testing.T, d *db.DB) (*fixture, logLines) {
	t.Helper()
	lines := newLogLines()
	log := slog.New(slog.NewJSONHandler(lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return newFixture(t, d, server.Options{Log: log}, service.WithPusher(fakePricing{})), lines
}

// newInfoLog returns a log with the default level.
func newInfoLog(lines logLines) *slog.Logger { return slog.New(slog.NewJSONHandler(lines, nil)) }

func (l logLines) only(t *testing.T) (entry logged) {
	t.Helper()
	lines := l.drain()
	if len(lines) != 1 {
		t.Fatalf("%d log lines, want 1: %s", len(lines), strings.Join(lines, ""))
	}
	if err := json.Unmarshal([]byte(lines[0]), &entry); err != nil {
		t.Fatalf("%v: %s", err, lines[0])
	}
	return entry
}

// Every request has one log line, with the request id of the response.
func TestLogLine(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f, lines := newLoggedFixture(t, d)
		for _, c := range []struct {
			method, path, token string
			want                logged
		}{
			{"GET", f.path("/time"), "token", logged{Operation: "getTime", Store: "abc", Status: 200}},
			{"GET", f.path("/customer_groups"), "token", logged{Operation: "listGroups", Store: "abc", Status: 204}},
			{"HEAD", f.path("/customergroups.json/"), "read_token", logged{Operation: "listGroups", Store: "abc", Status: 204}},
			{"GET", f.path("/customer_groups/7"), "token", logged{Operation: "getGroup", Store: "abc", Status: 404}},
			// Only an authenticated request has store and path in its log line; any
			// other path may contain personal data.
			{"GET", f.path("/customer_groups"), "other_token", logged{Operation: "listGroups", Status: 403}},
			{"DELETE", f.path("/customer_groups/7"), "none", logged{Operation: "deleteGroup", Status: 401}},
			{"GET", "/no/such/path", "token", logged{Operation: "none", Status: 404}},
			{"GET", "/livez", "none", logged{Operation: "live", Status: 200}},
		} {
			w := f.mustDo(t, c.want.Status, c.method, c.path, f.vars[c.token], "")
			c.want.Level, c.want.Msg = "INFO", "request"
			c.want.RequestID, c.want.Bytes = w.Header().Get("X-Request-Id"), int64(w.Body.Len())
			c.want.Method, c.want.Client = c.method, "192.0.2.1"
			if c.want.Operation != "none" && c.want.Operation != "live" && c.token != "none" {
				c.want.Token = cohort.NewToken(f.vars[c.token]).ID
			}
			if c.want.Store != "" {
				c.want.Path = c.path
			}
			if diff := cmp.Diff(c.want, lines.only(t)); diff != "" {
				t.Errorf("the log line of %s %s (-want +got):\n%s", c.method, c.path, diff)
			}
		}
	})
}

// Every response has a unique request id, which the client cannot set.
func TestRequestID(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		seen, form := map[string]bool{}, regexp.MustCompile(`^[0-9a-f]{32}$`)
		for range 50 {
			for _, path := range []string{f.path("/time"), f.path("/customer_groups/1"), f.path("/nowhere"), "/livez", "/"} {
				ids := f.do("GET", path, f.vars["token"], "", "X-Request-Id", "mine").Header().Values("X-Request-Id")
				if len(ids) != 1 || !form.MatchString(ids[0]) || seen[ids[0]] {
					t.Fatalf("GET %s: X-Request-Id %q", path, ids)
				}
				seen[ids[0]] = true
			}
		}
	})
}

// A client's correlation id is logged, shortened, and cannot inject attributes or
// lines.
func TestCorrelationID(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f, lines := newLoggedFixture(t, d)
		for sent, want := range map[string]string{
			"":                        "",
			"order-42":                "order-42",
			`","level":"ERROR`:        `","level":"ERROR`,
			strings.Repeat("x", 200):  strings.Repeat("x", 200),
			strings.Repeat("x", 9000): strings.Repeat("x", 200) + "…",
		} {
			f.mustDo(t, 200, "GET", f.path("/time"), f.vars["token"], "", "X-Correlation-Id", sent)
			if got := lines.only(t); got.CorrelationID != want || got.Level != "INFO" {
				t.Errorf("X-Correlation-Id %.40q: log line with level %s, correlation_id %q", sent, got.Level, got.CorrelationID)
			}
		}
	})
}

// Tokens, queries, headers and bodies are never logged.
func TestLogHasNoSecrets(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f, lines := newLoggedFixture(t, d)
		f.vars["unknown"] = "unknown-token"
		for _, c := range []struct {
			want                      int
			method, path, token, body string
		}{
			{200, "POST", "/customer_groups?name=Jane+Doe", "token", `{"name":"Jane Doe"}`},
			{200, "GET", "/customer_groups?name=Jane+Doe", "token", ""},
			{400, "GET", "/customer_groups?is_default=Jane+Doe", "token", ""},
			{400, "GET", "/customer_groups?Jane+Doe=1", "token", ""},
			{400, "POST", "/customer_groups", "token", `{"name":"x","category_access":{"type":"specific","categories":["Jane Doe"]}}`},
			{400, "POST", "/customer_groups", "token", `{"name":"Jane Doe`},
			{400, "POST", "/customer_groups", "token", `{"name":"x","Jane Doe":1}`},
			{401, "GET", "/customer_groups?name=Jane+Doe", "unknown", ""},
			{403, "GET", "/customer_groups?name=Jane+Doe", "other_token", ""},
			{404, "GET", "/nowhere?name=Jane+Doe", "token", ""},
			{404, "GET", "/customers/Jane%20Doe", "token", ""},
			{404, "GET", "/customer_groups/Jane+Doe", "token", ""},
			{207, "POST", "/customer_groups", "token", strings.Replace(groupWhosePricing(fails), "Wholesale", "Jane Doe", 1)},
			{500, "POST", "/customer_groups", "token", strings.Replace(groupWhosePricing(panics), "Wholesale", "Jane Doe", 1)},
		} {
			f.mustDo(t, c.want, c.method, f.path(c.path), f.vars[c.token], c.body,
				"Cookie", "session=Jane Doe", "Authorization", "Bearer Jane Doe", "X-Auth-Client", "Jane Doe", "User-Agent", "Jane Doe", "Referer", "Jane Doe")
			line := strings.Join(lines.drain(), "")
			if line == "" {
				t.Errorf("%s %s: no log line", c.method, c.path)
			}
			for _, secret := range []string{f.vars[c.token], "Jane", "Doe"} {
				if strings.Contains(line, secret) {
					t.Errorf("%s %s: the log contains %q: %s", c.method, c.path, secret, line)
				}
			}
		}
	})
}
