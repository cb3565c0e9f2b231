// Package deploy_test checks what can be checked of the files in this folder
// without the programs that read them. .ci/run builds the static binary.
package deploy_test

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/cli"
)

var files = []string{"Dockerfile", "compose.yaml", "cohort.service"}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func help(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if status := cli.Run(t.Context(), append(args, "--help"), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out}); status != 0 {
		t.Fatalf("cohort %s --help: exit status %d: %s", strings.Join(args, " "), status, &out)
	}
	return out.String()
}

// Every variable that the files set is one that `cohort serve` reads.
func TestVariablesExist(t *testing.T) {
	serve := help(t, "serve")
	for _, file := range files {
		names := regexp.MustCompile(`\bCOHORT_[A-Z_]+`).FindAllString(read(t, file), -1)
		if len(names) == 0 {
			t.Errorf("%s sets nothing", file)
		}
		for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
			if !strings.Contains(serve, "$"+name) {
				t.Errorf("%s sets %s, which `cohort serve` does not read", file, name)
			}
		}
	}
}

// Every flag that they mention is one of `cohort serve`, and every command one of
// cohort's.
func TestFlagsAndCommandsExist(t *testing.T) {
	serve, all := help(t, "serve"), help(t)
	for _, file := range files {
		text := read(t, file)
		for _, flag := range regexp.MustCompile(`--shutdown-[a-z-]+`).FindAllString(text, -1) {
			if !strings.Contains(serve, flag+"=") {
				t.Errorf("%s mentions %s, which is no flag of `cohort serve`", file, flag)
			}
		}
		for _, m := range regexp.MustCompile(`/cohort"?,? "?([a-z]+)`).FindAllStringSubmatch(text, -1) {
			if !regexp.MustCompile(`(?m)^  ` + m[1] + `\b`).MatchString(all) {
				t.Errorf("%s runs %q, which is no command", file, m[1])
			}
		}
	}
}
