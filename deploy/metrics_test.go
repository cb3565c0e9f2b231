package deploy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/limit/redistest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/webhook"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v4"
)

// onCitus are the metrics of a database on several servers, which tests rarely have.
var onCitus = map[string][]string{"cohort_db_workers": nil, "cohort_db_workers_lost": nil}

// described are the labels of the metrics of a server, by name, also of those that have no
// value yet.
func described(t *testing.T) map[string][]string {
	t.Helper()
	form := regexp.MustCompile(`fqName: "(\w+)".*constLabels: \{(.*?)\}, variableLabels: \{(.*?)\}`)
	found := maps.Clone(onCitus)
	metrics := []*server.Metrics{serverOn(t, dbtest.MigratedSQLiteURL(t)), serverOn(t, dbtest.MigratedPostgresURL(t))}
	for _, m := range metrics {
		descs := make(chan *prometheus.Desc)
		go func() {
			m.Registry().Describe(descs)
			close(descs)
		}()
		for d := range descs {
			parts := form.FindStringSubmatch(d.String())
			if parts == nil {
				t.Fatalf("a description in another form: %s", d)
			}
			labels := strings.FieldsFunc(regexp.MustCompile(`="[^"]*"`).ReplaceAllString(parts[2], "")+","+parts[3], func(r rune) bool { return r == ',' })
			found[parts[1]] = append(found[parts[1]], labels...)
		}
	}
	return found
}

// serverOn returns the metrics of a server with everything that has metrics.
func serverOn(t *testing.T, url string) *server.Metrics {
	t.Helper()
	svc := service.New(dbtest.Open(t, url), service.WithHookSender(webhook.New(webhook.Options{})))
	shared, err := limit.Open(t.Context(), redistest.Start(t).URL(""), limit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shared.Close() })
	m := server.NewMetrics()
	server.New(svc, server.Options{Metrics: m, Limits: shared})
	return m
}

// promql is a query with where it is.
type promql struct{ place, text string }

func dashboardQueries(t *testing.T) (list []promql) {
	t.Helper()
	var dashboard struct {
		Templating struct {
			List []struct{ Name, Query string }
		}
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "grafana/cohort.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, v := range dashboard.Templating.List {
		if v.Query != "prometheus" {
			list = append(list, promql{"the variable " + v.Name, v.Query})
		}
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			list = append(list, promql{"the panel " + p.Title, target.Expr})
		}
	}
	return list
}

func alertQueries(t *testing.T) (list []promql) {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "prometheus/alerts.yml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" || !slices.Contains([]string{"page", "ticket"}, r.Labels["severity"]) {
				t.Errorf("the alert %q lacks a text or a severity", r.Alert)
			}
			list = append(list, promql{"the alert " + r.Alert, r.Expr})
		}
	}
	return list
}

var (
	metricName = regexp.MustCompile(`\b(?:cohort|go|process)_\w+`)
	series     = regexp.MustCompile(`_(?:bucket|sum|count)$`)
	matcher    = regexp.MustCompile(`[{,]\s*(\w+)\s*(?:=~|!~|!=|=)`)
	grouping   = regexp.MustCompile(`\b(?:by|without|ignoring|on) \(([\w, ]+)\)`)
	quoted     = regexp.MustCompile(`"[^"]*"`)
)

// The queries of the dashboard and of the alerts use metrics and labels that a server has, and
// the dashboard shows every metric of Cohort.
func TestQueriesUseMetricsThatExist(t *testing.T) {
	t.Parallel()
	known := described(t)
	shown := map[string]bool{}
	queries := dashboardQueries(t)
	for _, q := range slices.Concat(queries, alertQueries(t)) {
		for _, problem := range problems(q.text, known) {
			t.Errorf("%s: %s: %s", q.place, problem, q.text)
		}
	}
	for _, q := range queries {
		for _, name := range metricName.FindAllString(q.text, -1) {
			shown[series.ReplaceAllString(name, "")] = true
		}
	}
	operations := read(t, "../docs/operations.md")
	for name := range known {
		if !strings.HasPrefix(name, "cohort_") {
			continue
		}
		if !shown[name] {
			t.Errorf("the dashboard does not show %s", name)
		}
		if !strings.Contains(operations, "`"+name+"`") {
			t.Errorf("docs/operations.md does not list %s", name)
		}
	}
}

// problems returns what is wrong with a query: metrics and labels that do not exist.
func problems(query string, known map[string][]string) (list []string) {
	labels := []string{"instance", "job", "le"} // of Prometheus itself
	bare := quoted.ReplaceAllString(query, `""`)
	names := metricName.FindAllString(bare, -1)
	if len(names) == 0 && !strings.HasPrefix(query, "up{") {
		return []string{"it uses no metric"}
	}
	for _, name := range names {
		of, ok := known[name]
		if !ok && series.MatchString(name) {
			of, ok = known[series.ReplaceAllString(name, "")]
		}
		if !ok && !isRuntime(name) {
			list = append(list, name+" does not exist")
		}
		labels = append(labels, of...)
	}
	used := matcher.FindAllStringSubmatch(bare, -1)
	for _, g := range grouping.FindAllStringSubmatch(bare, -1) {
		for label := range strings.SplitSeq(g[1], ",") {
			used = append(used, []string{"", strings.TrimSpace(label)})
		}
	}
	for _, m := range used {
		if !slices.Contains(labels, m[1]) {
			list = append(list, fmt.Sprintf("no metric in it has the label %s", m[1]))
		}
	}
	return list
}

// isRuntime reports whether a name is that of a metric whose description a collector of the
// client library does not give beforehand.
func isRuntime(name string) bool { return strings.HasPrefix(name, "go_memstats_") }

// The check finds what it is there for.
func TestProblemsOfQueries(t *testing.T) {
	t.Parallel()
	known := map[string][]string{"cohort_x_total": {"status"}, "cohort_t_seconds": nil}
	for query, want := range map[string]int{
		`sum by (status) (rate(cohort_x_total{status=~"5..", instance="a{b=1}"}[5m]))`: 0,
		`histogram_quantile(0.9, sum by (le) (rate(cohort_t_seconds_bucket[5m])))`:     0,
		`up{job="cohort"} == 0`:               0,
		`rate(cohort_y_total[5m])`:            1,
		`cohort_x_total{operation="a"}`:       1,
		`sum by (operation) (cohort_x_total)`: 1,
		`vector(1)`:                           1,
	} {
		if got := problems(query, known); len(got) != want {
			t.Errorf("%s: %q, want %d", query, got, want)
		}
	}
}

// Prometheus itself accepts the alerts and the queries of the dashboard.
func TestPrometheusAcceptsTheQueries(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool, of the Debian package prometheus, is not installed")
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", "prometheus/alerts.yml").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for i, q := range dashboardQueries(t) {
		if strings.HasPrefix(q.text, "label_values(") {
			continue // of Grafana
		}
		expr := strings.NewReplacer("$__rate_interval", "5m").Replace(q.text)
		text, err := json.Marshal(expr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&rules, "  - {record: 'panel:%d', expr: %s}\n", i, text)
	}
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
