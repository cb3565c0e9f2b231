package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"cohort.example/cohort/internal/cli"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

// Every flag can come from the environment, so what the developer's shell or
// the CI has set must not reach the tests.
func TestMain(m *testing.M) {
	for _, pair := range os.Environ() {
		// The server that the tests are given is theirs.
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "COHORT_") && !strings.HasPrefix(name, "COHORT_TEST_") {
			if err := os.Unsetenv(name); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}

type result struct {
	status   int
	out, err string
}

// run runs one command line with nothing to read.
func run(t *testing.T, args ...string) result {
	t.Helper()
	return runWith(t, "", args...)
}

// runWith runs one command line and gives it input. A server that should have
// been refused and serves is stopped, so that its test fails and does not hang.
func runWith(t *testing.T, input string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, errs := newOutput(), newOutput()
	errs.wrote = func(text string) {
		if regexp.MustCompile(servingLine).MatchString(text) {
			cancel()
		}
	}
	status := cli.Run(ctx, args, cli.Streams{In: strings.NewReader(input), Out: out, Err: errs})
	return result{status, out.String(), errs.String()}
}

// mustRun runs a command line that a test only needs to have happened.
func mustRun(t *testing.T, args ...string) result {
	t.Helper()
	r := run(t, args...)
	if r.status != 0 {
		t.Fatalf("cohort %s: exit status %d: %s", strings.Join(args, " "), r.status, r.err)
	}
	return r
}

// wantFailure checks for an exit status and one clear line on standard error:
// no second line, no stack, nothing on standard output.
func wantFailure(t *testing.T, r result, status int, message string) {
	t.Helper()
	if want := (result{status: status, err: "cohort: " + message + "\n"}); r != want {
		t.Errorf("got (-want):\n%s", cmp.Diff(want, r, cmp.AllowUnexported(result{})))
	}
}

// newDB returns the URL of a SQLite database that is not there yet, for tests
// that are about its file, or not about data.
func newDB(t *testing.T) string {
	t.Helper()
	return dbtest.SQLiteURL(t)
}

// eachDB runs a test beside others on the URL of an empty database of each
// engine.
func eachDB(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Parallel()
	dbtest.EachURL(t, fn)
}

func TestCommandLinesThatCannotBeUnderstood(t *testing.T) {
	for _, args := range [][]string{
		{"--bogus"},
		{"serve", "--bogus"},
		{"demo", "--bogus"},
		{"store", "create", "abc", "--bogus"},
		{"token", "list", "--bogus"},
		{"version", "--bogus"},
		{"bogus"},
		{"store"},
		{"store", "bogus"},
		{"store", "create"},
		{"store", "create", "abc", "def"},
		{"store", "create", "abc", "--plan", "gold"},
		{"store", "create", "abc", "--quota", "many"},
		{"token", "create", "--store", "abc"},
		{"token", "create", "--scope", "store_v2_customers"},
		{"token", "revoke"},
		{"serve", "--log-format", "xml"},
		{"serve", "--shutdown-timeout", "soon"},
		{"version", "extra"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			// Whatever it might make by mistake, it makes here.
			t.Chdir(t.TempDir())
			r := run(t, args...)
			if r.status != 2 || r.out != "" {
				t.Errorf("exit status %d, output %q; want 2 and none", r.status, r.out)
			}
			if !regexp.MustCompile(`^cohort: .+\nRun "cohort --help" to see what there is\.\n$`).MatchString(r.err) {
				t.Errorf("standard error: %q", r.err)
			}
			if files, _ := filepath.Glob("*"); files != nil {
				t.Errorf("it made %v", files)
			}
		})
	}
}

// The flags of each command, all of them, and the variables behind them.
var flags = map[string][][2]string{
	"serve": {
		{"--dev", "COHORT_DEV"}, {"--addr", "COHORT_ADDR"}, {"--tls-cert", "COHORT_TLS_CERT"}, {"--tls-key", "COHORT_TLS_KEY"},
		{"--redis", "COHORT_REDIS"}, {"--pricing-url", "COHORT_PRICING_URL"}, {"--pricing-secret", "COHORT_PRICING_SECRET"},
		{"--metrics-addr", "COHORT_METRICS_ADDR"}, {"--trusted-proxies", "COHORT_TRUSTED_PROXIES"}, {"--log-format", "COHORT_LOG_FORMAT"},
		{"--shutdown-timeout", "COHORT_SHUTDOWN_TIMEOUT"}, {"--db", "COHORT_DB"},
	},
	"demo": nil,
	"store create": {
		{"--plan", "COHORT_PLAN"}, {"--quota", "COHORT_QUOTA"}, {"--max-concurrent", "COHORT_MAX_CONCURRENT"},
		{"--catalog", "COHORT_CATALOG"}, {"--currency", "COHORT_CURRENCY"}, {"--db", "COHORT_DB"},
	},
	"store list": {{"--db", "COHORT_DB"}},
	"store update": {
		// An update that is not typed must not happen.
		{"--plan", ""}, {"--quota", ""}, {"--max-concurrent", ""}, {"--catalog", ""}, {"--currency", ""}, {"--db", "COHORT_DB"},
	},
	"store show":   {{"--db", "COHORT_DB"}},
	"store delete": {{"--yes", "COHORT_YES"}, {"--db", "COHORT_DB"}},
	"token create": {{"--store", "COHORT_STORE"}, {"--scope", "COHORT_SCOPE"}, {"--name", "COHORT_NAME"}, {"--db", "COHORT_DB"}},
	"token list":   {{"--store", "COHORT_STORE"}, {"--db", "COHORT_DB"}},
	"token revoke": {{"--db", "COHORT_DB"}},
	"catalog import": {
		{"--store", "COHORT_STORE"}, {"--format", "COHORT_FORMAT"}, {"--kind", "COHORT_KIND"},
		{"--dry-run", "COHORT_DRY_RUN"}, {"--db", "COHORT_DB"},
	},
	"jobs list":  {{"--store", "COHORT_STORE"}, {"--state", "COHORT_STATE"}, {"--db", "COHORT_DB"}},
	"jobs retry": {{"--store", "COHORT_STORE"}, {"--all", "COHORT_ALL"}, {"--db", "COHORT_DB"}},
	"jobs drop":  {{"--store", "COHORT_STORE"}, {"--all", "COHORT_ALL"}, {"--yes", "COHORT_YES"}, {"--db", "COHORT_DB"}},
	"version":    nil,
}

func TestHelpOfEachCommand(t *testing.T) {
	for command, want := range flags {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			r := mustRun(t, append(strings.Fields(command), "--help")...)
			if r.err != "" {
				t.Errorf("help was asked for, so it is no error: %q", r.err)
			}
			// One text per flag, with the line breaks out.
			var got [][2]string
			for _, part := range regexp.MustCompile(`(?m)^ {6}--`).Split(r.out, -1)[1:] {
				name := regexp.MustCompile(`^[a-z-]+`).FindString(part)
				variable := regexp.MustCompile(`\(\$(COHORT_[A-Z_]+)\)\.?\s*$`).FindStringSubmatch(part)
				if variable == nil {
					variable = []string{"", ""}
				}
				got = append(got, [2]string{"--" + name, variable[1]})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("flags and their variables (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	t.Parallel()
	help := mustRun(t, "--help")
	for command := range flags {
		if !regexp.MustCompile(`(?m)^  ` + command + ` `).MatchString(help.out) {
			t.Errorf("%q is not in the help:\n%s", command, help.out)
		}
	}
	if alone := mustRun(t); alone != help {
		t.Errorf("without arguments it says something else than with --help:\n%s", alone.out)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	r := mustRun(t, "version")
	want := regexp.MustCompile(`^cohort \S+( \S+)? ` + regexp.QuoteMeta(runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH) + `\n$`)
	if !want.MatchString(r.out) || r.err != "" {
		t.Errorf("got %+v, want one line like %s", r, want)
	}
}
