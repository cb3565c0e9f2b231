// Package deploy_test checks the files in this folder without Docker and systemd.
// .ci/run builds the static binary.
package deploy_test

import (
	"bytes"
	"go/version"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/cli"
)

var files = []string{"Dockerfile", "compose.yaml", "compose.tls.yaml", "compose.test.yaml", "cohort.service", "release.Dockerfile", "package/cohort.env"}

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

// `cohort serve` reads every variable that the files set.
func TestVariablesExist(t *testing.T) {
	serve := help(t, "serve")
	for _, file := range files {
		names := regexp.MustCompile(`\bCOHORT_[A-Z_]+`).FindAllString(read(t, file), -1)
		if len(names) == 0 {
			t.Errorf("%s sets no variable", file)
		}
		for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
			if !strings.Contains(serve, "$"+name) {
				t.Errorf("%s sets %s, which `cohort serve` does not read", file, name)
			}
		}
	}
}

// Each base image in the Dockerfiles is pinned by digest, and has a tag with a Go version
// that satisfies go.mod.
func TestBaseIsPinned(t *testing.T) {
	pinned := regexp.MustCompile(`^golang:([0-9]+\.[0-9]+\.[0-9]+)@sha256:[0-9a-f]{64}$`)
	froms := regexp.MustCompile(`(?m)^FROM (?:--\S+ )*(\S+)`).FindAllStringSubmatch(read(t, "Dockerfile")+read(t, "release.Dockerfile"), -1)
	if len(froms) != 4 {
		t.Fatalf("the Dockerfiles have %d FROM, want 4", len(froms))
	}
	for _, from := range froms {
		if from[1] == "scratch" {
			continue
		}
		m := pinned.FindStringSubmatch(from[1])
		if m == nil {
			t.Errorf("FROM %s: want golang:VERSION@sha256:DIGEST", from[1])
			continue
		}
		needs := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "../go.mod"))[1]
		if version.Compare("go"+m[1], "go"+needs) < 0 {
			t.Errorf("the image has Go %s, but go.mod needs %s", m[1], needs)
		}
	}
}

// The image of a release differs from that of the Dockerfile only in where its binary is from.
func TestImagesAreAlike(t *testing.T) {
	last := func(name string) string {
		_, stage, _ := strings.Cut(read(t, name), "\nFROM scratch\n")
		return stage
	}
	want := strings.Replace(last("Dockerfile"), "COPY --from=build /cohort", "COPY $TARGETPLATFORM/cohort", 1)
	if got := strings.Replace(last("release.Dockerfile"), "ARG TARGETPLATFORM\n", "", 1); got != want || want == "" {
		t.Errorf("the last stage of release.Dockerfile is\n%s\nwant\n%s", got, want)
	}
}

// `cohort serve` has every flag that the files mention, and cohort has every command.
func TestFlagsAndCommandsExist(t *testing.T) {
	serve, all := help(t, "serve"), help(t)
	for _, file := range files {
		text := read(t, file)
		for _, flag := range regexp.MustCompile(`--shutdown-[a-z-]+`).FindAllString(text, -1) {
			if !strings.Contains(serve, flag+"=") {
				t.Errorf("%s mentions %s, which is not a flag of `cohort serve`", file, flag)
			}
		}
		for _, m := range regexp.MustCompile(`/cohort"?,? "?([a-z]+)`).FindAllStringSubmatch(text, -1) {
			if !regexp.MustCompile(`(?m)^  ` + m[1] + `\b`).MatchString(all) {
				t.Errorf("%s runs %q, which is not a command", file, m[1])
			}
		}
	}
}
