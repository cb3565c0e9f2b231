package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/testenv"
)

// completions are lines with the cursor at their end, and what a shell completes there.
var completions = []struct {
	line string
	want []string
}{
	{"cohort s", []string{"seed", "serve", "snapshot", "start", "status", "stop", "store"}},
	{"cohort fault ", []string{"add", "clear", "list", "profile"}},
	{"cohort console token ", []string{"create", "list", "revoke"}},
	{"cohort help store u", []string{"update"}},
	{"cohort fault add --operation x --sta", []string{"--status"}},
	{"cohort store create abc --plan p", []string{"plus", "pro"}},
	{"cohort store create abc --plan=e", []string{"--plan=enterprise"}},
	{"cohort fault profile --store abc f", []string{"flaky"}},
	{"cohort serve --tls-cert my-c", []string{"my-cert.pem"}},
	{"cohort export -o my-c", []string{"my-cert.pem"}},
	{"cohort seed my-s", []string{"my-seed.yaml"}},
	{"cohort completion ", []string{"bash", "fish", "zsh"}},
	{"cohort serve --addr m", nil},
	{"cohort stop m", nil},
}

// completionFolder returns a folder with a completion script and files, and the path of a
// shell.
func completionFolder(t *testing.T, shell string) (folder, program string) {
	t.Helper()
	program, err := exec.LookPath(shell)
	if err != nil {
		testenv.Need(t, shell, "its completion is tested in the shell itself")
	}
	folder = t.TempDir()
	for name, text := range map[string]string{"script": mustRun(t, "completion", shell).out, "my-cert.pem": "", "my-seed.yaml": ""} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder, program
}

// runShell runs a program in a folder and returns the lines that it prints.
func runShell(t *testing.T, folder, program string, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "HOME="+folder, "XDG_CONFIG_HOME="+folder, "XDG_DATA_HOME="+folder, "TERM=dumb")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func TestBashCompletion(t *testing.T) {
	testenv.NotWithRace(t, "it reads one command line after another")
	t.Parallel()
	folder, bash := completionFolder(t, "bash")
	script := strings.Builder{}
	script.WriteString("source ./script\nfor line; do\n  eval \"COMP_WORDS=($line)\"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _cohort; echo \"${COMPREPLY[*]}\"\ndone\n")
	args := []string{"-c", script.String(), "bash"}
	for _, c := range completions {
		line := strings.ReplaceAll(c.line, "=", " = ") // as bash splits it
		if strings.HasSuffix(line, " ") {
			line += "''"
		}
		args = append(args, line)
	}
	got := runShell(t, folder, bash, args...)
	for i, c := range completions {
		words := strings.Fields(got[i])
		slices.Sort(words)
		want := slices.Clone(c.want)
		for j, word := range want {
			want[j] = word[strings.Index(word, "=")+1:] // bash completes what follows
		}
		if !slices.Equal(words, want) {
			t.Errorf("%q: %q, want %q", c.line, words, want)
		}
	}
}

func TestFishCompletion(t *testing.T) {
	testenv.NotWithRace(t, "it reads one command line after another")
	t.Parallel()
	folder, fish := completionFolder(t, "fish")
	for _, c := range completions {
		var words []string
		for _, line := range runShell(t, folder, fish, "--no-config", "-c", "source ./script; complete -C $argv[1]", c.line) {
			if word, _, _ := strings.Cut(line, "\t"); word != "" {
				words = append(words, word)
			}
		}
		slices.Sort(words)
		if !slices.Equal(words, c.want) {
			t.Errorf("%q: %q, want %q", c.line, words, c.want)
		}
	}
}

// zshSession starts zsh on a terminal, types each argument, a tab and a line break, and
// prints the words with which "cohort" is called.
const zshSession = `
zmodload zsh/zpty
zpty session zsh -f -i
zpty -w session 'PS1= PS2= RPS1=; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D; source ./script; cohort() { print -r -- "<""${(j: :)@}"">" }; print READY""NOW'
zpty -r session out '*READYNOW*'
for line; do
  zpty -w session "$line"$'\t'
  zpty -r session out '*<*>*'
  print -r -- "${${out##*<}%%>*}"
done
zpty -d session
`

// zsh shows nothing that a program could read if there are several candidates, so this test
// has the lines with one.
func TestZshCompletion(t *testing.T) {
	testenv.NotWithRace(t, "it reads one command line after another")
	t.Parallel()
	folder, zsh := completionFolder(t, "zsh")
	args := []string{"-f", "-c", zshSession, "zsh"}
	var want []string
	for _, c := range completions {
		if len(c.want) == 1 {
			args = append(args, c.line)
			want = append(want, c.line[len("cohort "):strings.LastIndex(c.line, " ")+1]+c.want[0])
		}
	}
	for i, line := range runShell(t, folder, zsh, args...) {
		if got := strings.TrimSpace(line); got != want[i] {
			t.Errorf("got %q, want %q", got, want[i])
		}
	}
}

// The scripts have each command and each flag of it.
func TestCompletionIsComplete(t *testing.T) {
	t.Parallel()
	script := mustRun(t, "completion", "bash").out
	for command, list := range flags {
		line := regexp.MustCompile(`(?m)^\t\t'` + command + `/'-\*\) candidates='(.*)' ;;$`).FindStringSubmatch(script)
		if line == nil {
			t.Errorf("no flags of %q", command)
			continue
		}
		words := strings.Fields(line[1])
		for _, f := range list {
			if !slices.Contains(words, f[0]) {
				t.Errorf("%q lacks %s", command, f[0])
			}
		}
	}
}
