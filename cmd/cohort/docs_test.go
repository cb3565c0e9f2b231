package main_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/testenv"

	"cohort.example/cohort/internal/pgtest"
)

// A block of commands in the documentation is fenced and tagged "sh". The blocks of a
// page run in order, in one shell and in an empty folder, so that each can use what the
// blocks before it have made. These are the conventions:
//
//   - "cohort serve" runs in the background, since a reader types the next block in
//     another terminal. The next "cohort serve" ends the one before.
//   - The ports of 127.0.0.1:8080 and 127.0.0.1:8889 are replaced by free ones, and
//     examplePostgres by the URL of an empty database.
//   - curl fails if the response is an error.
//   - A line "<!-- not run: REASON -->" before a block says why a test cannot run it.

// examplePostgres is the URL of a PostgreSQL database in the documentation.
const examplePostgres = "postgres://cohort:PASSWORD@db.example.com/cohort?sslmode=verify-full"

// maxNotRun is how many blocks of all pages may be marked as not run.
const maxNotRun = 7

var (
	shellBlock = regexp.MustCompile("(?m)^((?:<!-- not run: .+ -->\n)?)```sh\n((?s:.*?))^```$")
	serveLine  = regexp.MustCompile(`(?m)^(cohort serve\b(?:.*\\\n)*.*?)(?: &)?$`)
	// looseCommand is a command in a block that no test runs.
	looseCommand = regexp.MustCompile("(?m)^ {4}(?:\\$ |cohort |curl |export |go |sqlite3 )|^```(?:bash|shell|console)$")
)

// preamble begins the script of a page.
const preamble = `set -euo pipefail
server=
end() { if [ -n "$server" ]; then kill "$server"; wait "$server" || true; fi; server=; }
trap 'end; cohort stop >/dev/null' EXIT
serve() {
	end
	case " $* " in
	*" --tls auto "*) export COHORT_TLS=auto ;;
	*) unset COHORT_TLS ;;
	esac
	"$@" 2>>serve.log &
	server=$!
	until cohort healthcheck >/dev/null 2>&1; do
		kill -0 "$server" || { cat serve.log; exit 1; }
		sleep 0.05
	done
}
curl() { command curl -sSf "$@"; echo; }
`

func TestCommandsInTheDocumentation(t *testing.T) {
	testenv.NotWithRace(t, "it runs commands one after another")
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	notRun := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if loose := looseCommand.FindAllString(string(text), -1); loose != nil {
			t.Errorf("%s has commands that are not in a block tagged sh, so no test runs them: %q", page, loose)
		}
		var script strings.Builder
		for _, m := range shellBlock.FindAllStringSubmatch(string(text), -1) {
			if m[1] != "" {
				notRun++
				continue
			}
			script.WriteString(m[2] + "\n")
		}
		if script.Len() > 0 {
			t.Run(filepath.Base(page), func(t *testing.T) {
				t.Parallel()
				runPage(t, script.String())
			})
		}
	}
	if notRun > maxNotRun {
		t.Errorf("%d blocks are marked as not run, want %d at most", notRun, maxNotRun)
	}
}

// runPage runs the commands of a page in an empty folder.
func runPage(t *testing.T, script string) {
	folder, bin := t.TempDir(), t.TempDir()
	program, err := filepath.Abs(binary)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(bin, "cohort")); err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	if strings.Contains(script, examplePostgres) {
		script = strings.ReplaceAll(script, examplePostgres, pgtest.URL(t))
	}
	script = strings.NewReplacer("127.0.0.1:8080", addr, "127.0.0.1:8889", freeAddr(t)).Replace(script)
	script = preamble + serveLine.ReplaceAllString(script, "serve $1")
	shell := exec.CommandContext(t.Context(), "bash", "-c", script)
	shell.Dir = folder
	shell.Env = slices.Concat(command(t).Env, []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "COHORT_ADDR=" + addr, "COHORT_STATE_DIR=" + folder, "HOME=" + folder, "XDG_CONFIG_HOME=", "TMPDIR=" + folder})
	if out, err := shell.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\nafter the script:\n%s", err, out, script)
	}
}

// freeAddr returns an address of this machine that nothing listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr())
}

// README is read by people who want to start. Reference material belongs in docs.
func TestReadmeIsShort(t *testing.T) {
	const most = 120
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n > most {
		t.Errorf("README.md has %d lines, want %d at most", n, most)
	}
}
