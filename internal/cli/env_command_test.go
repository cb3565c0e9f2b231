package cli_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cohort.example/cohort/internal/testca"
	"cohort.example/cohort/internal/testenv"
)

func TestEnv(t *testing.T) {
	t.Parallel()
	want := `# eval "$(cohort env)"
export COHORT_URL='http://127.0.0.1:4000'
export COHORT_STORE='demo'
export BC_API_ENDPOINT='http://127.0.0.1:4000'
export BIGCOMMERCE_API_URL='http://127.0.0.1:4000'
export BIGCOMMERCE_STORE_API_URL='http://127.0.0.1:4000/stores/demo'
export BIGCOMMERCE_STORE_HASH='demo'
export BC_STORE_HASH='demo'
export STORE_HASH='demo'
export BIGCOMMERCE_CLIENT_ID='cohort'
export BC_CLIENT_ID='cohort'
export BIGCOMMERCE_ACCESS_TOKEN='demo-token'
export BIGCOMMERCE_API_TOKEN='demo-token'
export BIGCOMMERCE_STORE_API_TOKEN='demo-token'
export BC_ACCESS_TOKEN='demo-token'
export ACCESS_TOKEN='demo-token'
`
	if r := mustRun(t, "env", "--server", "http://127.0.0.1:4000/"); r != (result{0, want, ""}) {
		t.Errorf("got %+v, want %s", r, want)
	}
	// The token of another store is not known.
	r := mustRun(t, "env", "--server", "http://127.0.0.1:4000", "--store", "abc")
	if !strings.Contains(r.out, "\n# ACCESS_TOKEN: give --token\n") || strings.Contains(r.out, "demo") {
		t.Errorf("another store:\n%s", r.out)
	}
}

// hostileToken is a token with everything that a shell could read.
const hostileToken = "it's $HOME `id` \\' \\\\ \"x\" ; & ‘’ %s\ttab"

// Shells read back what was given.
// At a server with a certificate of the user's CA, the variables to trust it come too.
func TestEnvWithCA(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	t.Setenv("COHORT_CA_DIR", dir)
	if r := run(t, "env", "--server", "https://localhost:8443"); strings.Contains(r.out, "SSL_CERT_FILE") {
		t.Errorf("without a CA: %s", r.out)
	}
	mustRun(t, "ca", "init")
	file := filepath.Join(dir, "ca.pem")
	for _, name := range testca.TrustVariables {
		if want := "export " + name + "='" + file + "'\n"; !strings.Contains(run(t, "env", "--server", "https://localhost:8443").out, want) {
			t.Errorf("no %s", want)
		}
	}
	if r := run(t, "env", "--server", "http://localhost:8080"); strings.Contains(r.out, "SSL_CERT_FILE") {
		t.Errorf("without https: %s", r.out)
	}
}

func TestEnvInShells(t *testing.T) {
	t.Parallel()
	for shell, c := range map[string]struct{ form, script string }{
		"sh":   {"sh", `eval "$1"; printf '%s' "$ACCESS_TOKEN|$STORE_HASH"`},
		"bash": {"sh", `eval "$1"; printf '%s' "$ACCESS_TOKEN|$STORE_HASH"`},
		"zsh":  {"sh", `eval "$1"; printf '%s' "$ACCESS_TOKEN|$STORE_HASH"`},
		"fish": {"fish", `printf '%s\n' $argv[2] | source; printf '%s' "$ACCESS_TOKEN|$STORE_HASH"`},
		"pwsh": {"powershell", ""},
	} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			text := mustRun(t, "env", "--server", "http://127.0.0.1:4000", "--store", "abc", "--token", hostileToken, "--shell", c.form).out
			if c.form == "powershell" { // no machine of ours has it
				want := `$env:ACCESS_TOKEN = 'it''s $HOME ` + "`id`" + ` \'' \\ "x" ; & ‘‘’’ %s` + "\ttab'\n"
				if !strings.HasSuffix(text, want) {
					t.Errorf("got:\n%swant the end:\n%s", text, want)
				}
				return
			}
			program, err := exec.LookPath(shell)
			if err != nil {
				testenv.Need(t, shell, "it reads the variables")
			}
			out, err := exec.CommandContext(t.Context(), program, "-c", c.script, shell, text).Output()
			if got, want := string(out), hostileToken+"|abc"; got != want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		})
	}
	if r := run(t, "env", "--shell", "csh"); r.status != 2 || !regexp.MustCompile(`--shell must be sh, fish or powershell`).MatchString(r.err) {
		t.Errorf("another shell: %+v", r)
	}
}
