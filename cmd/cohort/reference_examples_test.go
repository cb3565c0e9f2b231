package main_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/docsite"
	"cohort.example/cohort/internal/snippet"
	"cohort.example/cohort/internal/testenv"
)

var update = flag.Bool("update", false, "rewrite the answers in internal/docsite/answers.txt")

const answersFile = "../../internal/docsite/answers.txt"

// runExamples has how the examples of a language, joined to one program, are run.
var runExamples = map[string]struct {
	file    string
	join    func([]string) string
	command func(*testing.T) []string
}{
	"curl":    {"examples.sh", joinCommands, func(t *testing.T) []string { installed(t, "curl"); return []string{installed(t, "bash")} }},
	"Node.js": {"examples.mjs", joinBlocks, languages[0].command},
	"Python":  {"examples.py", joinLines, languages[1].command},
	"Ruby":    {"examples.rb", joinLines, languages[2].command},
	"PHP":     {"examples.php", joinPHP, languages[3].command},
	"Go":      {"main.go", joinGo, func(t *testing.T) []string { return []string{installed(t, "go"), "run"} }},
}

// TestReferenceExamples runs the example of each operation in each language, as the pages of
// the reference show it, against a development server with the content of docs/example.yaml.
// Each sends the request of the operation, and the server answers it as the page says. In the
// short form, each example runs in one of the languages.
func TestReferenceExamples(t *testing.T) {
	testenv.NotWithRace(t, "it sends one request after another")
	t.Parallel()
	for i, l := range snippet.Languages() {
		t.Run(l.Name, func(t *testing.T) {
			t.Parallel()
			run := runExamples[l.Name]
			args := run.command(t)
			s := newExampleServer(t)
			if !testenv.Full() && !*update {
				s.examples = everyNth(s.examples, len(runExamples), i)
			}
			var programs []string
			for _, e := range s.examples {
				programs = append(programs, l.Write(e.Request))
			}
			file := filepath.Join(t.TempDir(), run.file)
			text := s.real.Replace(run.join(programs))
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), args[0], append(args[1:], file)...)
			cmd.Env = slices.Concat(command(t).Env, []string{"GO111MODULE=off", "GOFLAGS="})
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%.3000s", err, out)
			}
			s.check(t)
			if *update && l.Name == "curl" {
				if err := os.WriteFile(answersFile, []byte(docsite.WriteAnswers(keepOld(s.answers))), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// keepOld returns the answers with those of before where they do not differ, so that an update
// changes no dates and ids.
func keepOld(list map[string]docsite.Answer) map[string]docsite.Answer {
	kept := maps.Clone(list)
	for id, a := range list {
		if old, ok := docsite.Answers()[id]; ok && a.Differs(old) == "" {
			kept[id] = old
		}
	}
	return kept
}

// everyNth returns each n-th example, from the i-th.
func everyNth(list []docsite.Example, n, i int) (chosen []docsite.Example) {
	for ; i < len(list); i += n {
		chosen = append(chosen, list[i])
	}
	return chosen
}

// joinCommands lets curl fail for an error.
func joinCommands(list []string) string {
	return "set -e\ncurl() { command curl -sSf \"$@\"; }\n" + strings.Join(list, "")
}

func joinLines(list []string) string { return strings.Join(list, "\n") }

func joinBlocks(list []string) string { return "{\n" + strings.Join(list, "}\n{\n") + "}\n" }

func joinPHP(list []string) string {
	return "<?php\n" + strings.ReplaceAll(strings.Join(list, "\n"), "<?php\n", "")
}

var goHead = regexp.MustCompile(`(?s)^package main\n\nimport \(.*?\)\n\nfunc main\(\)`)

func joinGo(list []string) string {
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n\t\"io\"\n\t\"log\"\n\t\"net/http\"\n\t\"os\"\n\t\"strings\"\n)\n\nfunc main() {\n")
	for i := range list {
		fmt.Fprintf(&b, "\texample%d()\n", i)
	}
	b.WriteString("}\n")
	for i, program := range list {
		b.WriteString("\n" + goHead.ReplaceAllString(program, fmt.Sprintf("func example%d()", i)))
	}
	return b.String()
}
