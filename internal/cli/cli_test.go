package cli_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/testenv"

	"cohort.example/cohort/internal/cli"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

// Most flags have a variable, so the tests must not see the variables of the developer's
// shell or of the CI.
func TestMain(m *testing.M) {
	for _, pair := range os.Environ() {
		// COHORT_TEST_ variables configure the tests.
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

// run runs one command line with an empty standard input.
func run(t *testing.T, args ...string) result {
	t.Helper()
	return runWith(t, "", args...)
}

// runWith runs one command line with an input. It stops a server that serves, so that a
// test that expects a rejection fails and does not hang.
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

// mustRun runs a command line that must succeed.
func mustRun(t *testing.T, args ...string) result {
	t.Helper()
	r := run(t, args...)
	if r.status != 0 {
		t.Fatalf("cohort %s: exit status %d: %s", strings.Join(args, " "), r.status, r.err)
	}
	return r
}

// citusLine is the line with which a server says that its database is that of Citus.
var citusLine = regexp.MustCompile(`time=\S+ level=INFO msg="Citus spreads .*\n`)

// wantFailure checks for an exit status and one line on standard error: the message
// as a sentence. After exit status 2, a second line names the command's help. There
// is nothing on standard output.
func wantFailure(t *testing.T, r result, status int, message string) {
	t.Helper()
	r.err = citusLine.ReplaceAllString(r.err, "")
	want := result{status: status, err: "cohort: " + strings.ToUpper(message[:1]) + strings.TrimSuffix(message[1:], ".") + ".\n"}
	if status == 2 {
		want.err += regexp.MustCompile(`Run "cohort [a-z ]+ --help" for help\.\n$`).FindString(r.err)
	}
	if r != want || status == 2 && strings.Count(r.err, "\n") != 2 {
		t.Errorf("got (-want):\n%s", cmp.Diff(want, r, cmp.AllowUnexported(result{})))
	}
}

// newDB returns the URL of a SQLite database that does not exist yet, for tests about its
// file, or that do not depend on the engine.
func newDB(t *testing.T) string {
	t.Helper()
	return dbtest.SQLiteURL(t)
}

// eachDB runs a test on the URL of an empty database of each engine, in parallel with
// other tests.
func eachDB(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Parallel()
	dbtest.EachURL(t, fn)
}

// eachDBIfFull is eachDB in the full form of the tests, and runs the test only on SQLite
// in the short form. It is for tests of what commands print and log.
func eachDBIfFull(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Parallel()
	dbtest.EachLogicURL(t, fn)
}

// Each error of a command line says what is wrong in plain words, and names the help
// of the command that it is about.
func TestInvalidCommandLines(t *testing.T) {
	testenv.NotWithRace(t, "it reads one command line after another")
	for _, c := range []struct{ line, message, command string }{
		{"--bogus", "Unknown flag --bogus.", ""},
		{"serve --bogus", "Unknown flag --bogus.", " serve"},
		{"serve --de", `Unknown flag --de, did you mean one of "--dev", "--dev-listen-anywhere", "--db"?`, " serve"},
		{"demo --bogus", "Unknown flag --bogus.", " demo"},
		{"store create abc --bogus", "Unknown flag --bogus.", " store create"},
		{"token list --bogus", "Unknown flag --bogus.", " token list"},
		{"version --bogus", "Unknown flag --bogus.", " version"},
		{"bogus", `Unexpected argument "bogus".`, ""},
		{"tokn", `Unexpected argument "tokn", did you mean "token"?`, ""},
		{"store", "Missing command: create, list, show, update or delete.", " store"},
		{"store bogus", `Unexpected argument "bogus".`, " store"},
		{"store create", "Missing argument <hash>.", " store create"},
		{"store create abc def", `Unexpected argument "def".`, " store create"},
		{"store create abc --plan gold", `--plan must be unlimited, standard, plus, pro or enterprise, not "gold".`, " store create"},
		{"store create abc --quota many", `--quota: "many" is not a whole number.`, " store create"},
		{"jobs retry --store abc one", `<id>: "one" is not a whole number.`, " jobs retry"},
		{"jobs list --state lost", `--state must be waiting or dead, not "lost".`, " jobs list"},
		{"catalog import x --store abc --format xml", `--format must be csv or jsonl, not "xml".`, " catalog import"},
		{"token create --store abc", "Missing flags: --scope=SCOPE,...", " token create"},
		{"token create --scope store_v2_customers", "Missing flags: --store=HASH.", " token create"},
		{"token revoke", "Missing argument <id>.", " token revoke"},
		{"serve --log-format xml", `--log-format must be text or json, not "xml".`, " serve"},
		{"serve --shutdown-timeout soon", `--shutdown-timeout: "soon" is not a duration, such as 15s or 2m.`, " serve"},
		{"serve --tls always", `--tls must be auto, not "always".`, " serve"},
		{"ca", "Missing command: init.", " ca"},
		{"serve --tls-key key.pem", "--tls-cert and --tls-key go together.", " serve"},
		{"store update abc", "Nothing to change: give --plan, --quota, --max-concurrent, --catalog, --currency, --events, --event-days, --event-count, --name, --domain, --timezone, --email, --first-name or --last-name.", " store update"},
		{"version extra", `Unexpected argument "extra".`, " version"},
		{"help bogus", `Unexpected argument "bogus".`, ""},
		{"help store bogus", `Unexpected argument "bogus".`, " store"},
	} {
		t.Run(c.line, func(t *testing.T) {
			// Anything that a command makes by mistake is in this folder.
			t.Chdir(t.TempDir())
			r := run(t, strings.Fields(c.line)...)
			want := result{2, "", "cohort: " + c.message + "\nRun \"cohort" + c.command + " --help\" for help.\n"}
			if r != want {
				t.Errorf("got %+v, want %+v", r, want)
			}
			if files, _ := filepath.Glob("*"); files != nil {
				t.Errorf("the command created %v", files)
			}
		})
	}
}

// flags holds all flags of each command and their variables.
var flags = map[string][][2]string{
	"serve": {
		{"--dev", "COHORT_DEV"}, {"--dev-listen-anywhere", "COHORT_DEV_LISTEN_ANYWHERE"}, {"--addr", "COHORT_ADDR"}, {"--tls-cert", "COHORT_TLS_CERT"}, {"--tls-key", "COHORT_TLS_KEY"},
		{"--redis", "COHORT_REDIS"}, {"--pricing-url", "COHORT_PRICING_URL"}, {"--pricing-secret", "COHORT_PRICING_SECRET"}, {"--control-token", "COHORT_CONTROL_TOKEN"},
		{"--hooks-allow-private", "COHORT_HOOKS_ALLOW_PRIVATE"}, {"--console-addr", "COHORT_CONSOLE_ADDR"}, {"--console-hosts", "COHORT_CONSOLE_HOSTS"},
		{"--mcp", "COHORT_MCP"}, {"--mcp-allow-writes", "COHORT_MCP_ALLOW_WRITES"}, {"--mcp-no-personal-data", "COHORT_MCP_NO_PERSONAL_DATA"},
		{"--max-staleness", "COHORT_MAX_STALENESS"},
		{"--upstream", "COHORT_UPSTREAM"}, {"--upstream-tokens", "COHORT_UPSTREAM_TOKENS"}, {"--upstream-allow-writes", "COHORT_UPSTREAM_ALLOW_WRITES"}, {"--stub", "COHORT_STUB"},
		{"--metrics-addr", "COHORT_METRICS_ADDR"}, {"--pprof", "COHORT_PPROF"}, {"--trusted-proxies", "COHORT_TRUSTED_PROXIES"}, {"--log-format", "COHORT_LOG_FORMAT"},
		{"--ready-file", "COHORT_READY_FILE"}, {"--shutdown-timeout", "COHORT_SHUTDOWN_TIMEOUT"},
		{"--tls", "COHORT_TLS"}, {"--ca-dir", "COHORT_CA_DIR"}, {"--proxy-addr", "COHORT_PROXY_ADDR"}, {"--db", "COHORT_DB"},
	},
	"mcp": {
		{"--store", "COHORT_STORE"}, {"--url", "COHORT_MCP_URL"}, {"--token", "COHORT_MCP_TOKEN"},
		{"--allow-writes", "COHORT_MCP_ALLOW_WRITES"}, {"--no-personal-data", "COHORT_MCP_NO_PERSONAL_DATA"}, {"--db", "COHORT_DB"},
	},
	"console token create": {{"--name", "COHORT_NAME"}, {"--read-only", "COHORT_READ_ONLY"}, {"--json", ""}, {"--db", "COHORT_DB"}},
	"console token list":   {{"--json", ""}, {"--db", "COHORT_DB"}},
	"console token revoke": {{"--db", "COHORT_DB"}},
	"ca init":              {{"--dir", "COHORT_CA_DIR"}, {"--host", ""}, {"--force", ""}},
	"demo":                 nil,
	"store create": {
		{"--plan", "COHORT_PLAN"}, {"--quota", "COHORT_QUOTA"}, {"--max-concurrent", "COHORT_MAX_CONCURRENT"},
		{"--catalog", "COHORT_CATALOG"}, {"--currency", "COHORT_CURRENCY"}, {"--events", "COHORT_EVENTS"}, {"--event-days", "COHORT_EVENT_DAYS"}, {"--event-count", "COHORT_EVENT_COUNT"},
		{"--name", ""}, {"--domain", ""}, {"--timezone", ""}, {"--email", ""}, {"--first-name", ""}, {"--last-name", ""}, {"--db", "COHORT_DB"},
	},
	"store list": {{"--json", ""}, {"--db", "COHORT_DB"}},
	"store update": {
		// An exported variable must not change a store.
		{"--plan", ""}, {"--quota", ""}, {"--max-concurrent", ""}, {"--catalog", ""}, {"--currency", ""}, {"--events", ""}, {"--event-days", ""}, {"--event-count", ""},
		{"--name", ""}, {"--domain", ""}, {"--timezone", ""}, {"--email", ""}, {"--first-name", ""}, {"--last-name", ""}, {"--db", "COHORT_DB"},
	},
	"store show":   {{"--json", ""}, {"--db", "COHORT_DB"}},
	"store delete": {{"--yes", "COHORT_YES"}, {"--db", "COHORT_DB"}},
	"token create": {{"--store", "COHORT_STORE"}, {"--scope", "COHORT_SCOPE"}, {"--name", "COHORT_NAME"}, {"--expires", ""}, {"--secret-from", ""}, {"--json", ""}, {"--db", "COHORT_DB"}},
	"token list":   {{"--store", "COHORT_STORE"}, {"--json", ""}, {"--db", "COHORT_DB"}},
	"token revoke": {{"--db", "COHORT_DB"}},
	"catalog import": {
		{"--store", "COHORT_STORE"}, {"--format", "COHORT_FORMAT"}, {"--kind", "COHORT_KIND"},
		{"--dry-run", "COHORT_DRY_RUN"}, {"--db", "COHORT_DB"},
	},
	"catalog export": {
		{"--store", "COHORT_STORE"}, {"--format", "COHORT_FORMAT"}, {"--kind", "COHORT_KIND"}, {"--db", "COHORT_DB"},
	},
	"events":     {{"--store", "COHORT_STORE"}, {"--after", ""}, {"--type", ""}, {"--follow", ""}, {"--json", ""}, {"--jsonl", ""}, {"--db", "COHORT_DB"}},
	"group list": {{"--store", "COHORT_STORE"}, {"--json", ""}, {"--db", "COHORT_DB"}},
	"group move": {
		{"--store", "COHORT_STORE"}, {"--to", ""}, {"--customer", ""}, {"--email", ""}, {"--from", ""}, {"--skip-unknown", ""},
		{"--dry-run", ""}, {"--expect", ""}, {"--db", "COHORT_DB"},
	},
	"group delete": {
		{"--store", "COHORT_STORE"}, {"--reassign-to", ""}, {"--dry-run", ""}, {"--expect", ""}, {"--db", "COHORT_DB"},
	},
	"group history": {{"--store", "COHORT_STORE"}, {"--members", ""}, {"--json", ""}, {"--db", "COHORT_DB"}},
	"group member":  {{"--store", "COHORT_STORE"}, {"--as-of", ""}, {"--json", ""}, {"--db", "COHORT_DB"}},
	"group clone":   {{"--store", "COHORT_STORE"}, {"--name", ""}, {"--dry-run", ""}, {"--db", "COHORT_DB"}},
	"price": {
		{"--store", "COHORT_STORE"}, {"--product", ""}, {"--variant", ""}, {"--customer", ""}, {"--group", ""}, {"--channel", ""},
		{"--currency", ""}, {"--explain", ""}, {"--as-of", ""}, {"--db", "COHORT_DB"},
	},
	"doctor":        {{"--redis", "COHORT_REDIS"}, {"--json", ""}, {"--db", "COHORT_DB"}},
	"backup":        {{"--db", "COHORT_DB"}},
	"restore":       {{"--db", "COHORT_DB"}},
	"check":         {{"--fix", "COHORT_FIX"}, {"--json", ""}, {"--db", "COHORT_DB"}},
	"copy":          {{"--from", ""}, {"--to", ""}},
	"db distribute": {{"--shards", ""}, {"--coordinator", ""}, {"--dry-run", ""}, {"--db", "COHORT_DB"}},
	"healthcheck":   {{"--addr", "COHORT_ADDR"}, {"--tls-cert", "COHORT_TLS_CERT"}, {"--tls", "COHORT_TLS"}},
	"jobs list":     {{"--store", "COHORT_STORE"}, {"--state", "COHORT_STATE"}, {"--json", ""}, {"--db", "COHORT_DB"}},
	"jobs retry":    {{"--store", "COHORT_STORE"}, {"--all", "COHORT_ALL"}, {"--db", "COHORT_DB"}},
	"jobs drop":     {{"--store", "COHORT_STORE"}, {"--all", "COHORT_ALL"}, {"--yes", "COHORT_YES"}, {"--db", "COHORT_DB"}},
	"hooks list":    {{"--store", "COHORT_STORE"}, {"--json", ""}, {"--db", "COHORT_DB"}},
	"hooks deliveries": {
		{"--store", "COHORT_STORE"}, {"--state", "COHORT_STATE"}, {"--json", ""}, {"--db", "COHORT_DB"},
	},
	"hooks redeliver":     {{"--store", "COHORT_STORE"}, {"--db", "COHORT_DB"}},
	"token rotate":        {{"--overlap", "COHORT_OVERLAP"}, {"--expires", ""}, {"--json", ""}, {"--db", "COHORT_DB"}},
	"token rotate-secret": {{"--keep", "COHORT_KEEP"}, {"--json", ""}, {"--db", "COHORT_DB"}},
	"start":               {{"--addr", "COHORT_ADDR"}, {"--db", "COHORT_DB"}, {"--timeout", ""}},
	"stop":                {{"--timeout", ""}},
	"status":              {{"--server", "COHORT_URL"}, {"--control-token", "COHORT_CONTROL_TOKEN"}, {"--json", ""}},
	"wait":                {{"--server", "COHORT_URL"}, {"--timeout", ""}},
	"env":                 {{"--server", "COHORT_URL"}, {"--store", "COHORT_STORE"}, {"--token", ""}, {"--shell", ""}},
	"reset":               append(testStoreFlags(), [2]string{"--empty", ""}),
	"seed":                testStoreFlags(),
	"export":              append(testStoreFlags(), [][2]string{{"--format", ""}, {"--output", ""}}...),

	"snapshot save":    testStoreFlags(),
	"snapshot restore": testStoreFlags(),
	"snapshot list":    append(testStoreFlags(), [2]string{"--json", ""}),
	"snapshot rm":      testStoreFlags(),
	"fault add": append([][2]string{
		{"--rule", ""}, {"--operation", ""}, {"--method", ""}, {"--path", ""}, {"--query", ""}, {"--header", ""}, {"--body", ""},
		{"--skip", ""}, {"--every", ""}, {"--times", ""}, {"--probability", ""}, {"--seed", ""}, {"--before", ""},
		{"--status", ""}, {"--title", ""}, {"--retry-after", ""}, {"--break", ""}, {"--slow", ""}, {"--commit", ""},
		{"--delay", ""}, {"--delay-jitter", ""},
	}, testStoreFlags()...),
	"fault list":    append(testStoreFlags(), [2]string{"--json", ""}),
	"fault clear":   testStoreFlags(),
	"fault profile": append(testStoreFlags(), [2]string{"--json", ""}),
	"clock show":    append(testStoreFlags(), [2]string{"--json", ""}),
	"clock freeze":  append(testStoreFlags(), [2]string{"--json", ""}),
	"clock offset":  append(testStoreFlags(), [2]string{"--json", ""}),
	"clock advance": append(testStoreFlags(), [2]string{"--json", ""}),
	"clock reset":   testStoreFlags(),
	"requests": append([][2]string{
		{"--follow", ""}, {"--as", ""}, {"--json", ""}, {"--operation", ""}, {"--method", ""}, {"--path", ""}, {"--status", ""}, {"--since", ""}, {"--limit", ""},
	}, testStoreFlags()...),
	"verify": append([][2]string{
		{"--criteria", ""}, {"--operation", ""}, {"--method", ""}, {"--path", ""}, {"--status", ""}, {"--query", ""}, {"--header", ""}, {"--body", ""},
		{"--times", ""}, {"--at-least", ""}, {"--at-most", ""}, {"--within", ""}, {"--json", ""},
	}, testStoreFlags()...),

	"record":      {{"--to", ""}, {"--addr", ""}, {"--allow-writes", ""}},
	"replay":      {{"--store", "COHORT_STORE"}, {"--token", "COHORT_TOKEN"}, {"--value", ""}, {"--allow-writes", ""}, {"--json", ""}, {"--server", "COHORT_URL"}},
	"conformance": {{"--url", ""}, {"--token", "COHORT_API_TOKEN"}, {"--store", "COHORT_STORE"}, {"--allow-writes", ""}, {"--json", ""}},
	"drift":       {{"--url", ""}, {"--store", "COHORT_STORE"}, {"--token", "COHORT_TOKEN"}, {"--json", ""}},

	"completion": nil,
	"version":    {{"--json", ""}},
	"help":       nil,
}

// testStoreFlags are the flags of commands about a store of a running server.
func testStoreFlags() [][2]string {
	return [][2]string{{"--store", "COHORT_STORE"}, {"--server", "COHORT_URL"}, {"--control-token", "COHORT_CONTROL_TOKEN"}}
}

func TestHelpOfEachCommand(t *testing.T) {
	testenv.NotWithRace(t, "it reads one command line after another")
	for command, want := range flags {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			r := mustRun(t, append(strings.Fields(command), "--help")...)
			if r.err != "" {
				t.Errorf("help was asked for, so it is no error: %q", r.err)
			}
			// One text per flag, without line breaks.
			var got [][2]string
			for _, part := range regexp.MustCompile(`(?m)^  (?:    |-[a-z], )--`).Split(r.out, -1)[1:] {
				name := regexp.MustCompile(`^[a-z-]+`).FindString(part)
				if name == "help" {
					continue
				}
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

// docs/cli.md has a row for each flag, with its variable.
func TestDocumentationOfFlags(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{} // variables by command and flag
	command := ""
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 {
			continue
		}
		if words := regexp.MustCompile("^ (?:`([a-z -]*[a-z])|all commands )").FindStringSubmatch(cells[1]); words != nil {
			command = words[1]
		}
		for _, flag := range regexp.MustCompile("--[a-z-]+").FindAllString(cells[2], -1) {
			documented[command+" "+flag] = strings.Trim(cells[3], "` ")
		}
	}
	for command, list := range flags {
		for _, f := range list {
			want := f[1]
			if want == "" {
				want = "none"
			}
			got, own := documented[command+" "+f[0]]
			if !own {
				got = documented[" "+f[0]] // a row for all commands
			}
			if got != want {
				t.Errorf("docs/cli.md has the variable %q for %s %s, want %q", got, command, f[0], want)
			}
		}
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
	for _, line := range []string{"", "help"} {
		if other := mustRun(t, strings.Fields(line)...); other != help {
			t.Errorf("\"cohort %s\" prints something else than \"cohort --help\":\n%s", line, other.out)
		}
	}
}

func TestHelpCommand(t *testing.T) {
	testenv.NotWithRace(t, "it reads one command line after another")
	t.Parallel()
	for command := range flags {
		words := strings.Fields(command)
		if got, want := mustRun(t, append([]string{"help"}, words...)...), mustRun(t, append(words, "--help")...); got != want {
			t.Errorf("help %s:\n%s\nwant:\n%s", command, got.out, want.out)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	r := mustRun(t, "version")
	want := regexp.MustCompile(`^cohort \S+( \S+)? ` + regexp.QuoteMeta(runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH) + `\n$`)
	if !want.MatchString(r.out) || r.err != "" {
		t.Errorf("got %+v, want one line like %s", r, want)
	}
	if flag := mustRun(t, "--version"); flag != r {
		t.Errorf("--version prints %+v, want %+v", flag, r)
	}
	var b map[string]string
	if err := json.Unmarshal([]byte(mustRun(t, "version", "--json").out), &b); err != nil {
		t.Fatal(err)
	}
	line := strings.Join(slices.DeleteFunc([]string{"cohort", b["version"], b["commit"], b["go"], b["platform"]}, func(s string) bool { return s == "" }), " ")
	if line+"\n" != r.out {
		t.Errorf("--json prints %v, want the parts of %q", b, r.out)
	}
}

// A message becomes a sentence, but the name of a file keeps its letters.
func TestFileNamesKeepTheirLetters(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("groups.yaml", []byte("customer_group: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("COHORT_API_TOKEN", "secret")
	r := run(t, "diff", "groups.yaml", "--to", "http://127.0.0.1:1", "--store", "abc")
	if r.status != 1 || !strings.HasPrefix(r.err, "cohort: groups.yaml: line 1, column ") {
		t.Errorf("got %+v", r)
	}
}
