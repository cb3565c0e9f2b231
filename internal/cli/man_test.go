package cli_test

import (
	"bytes"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/cli"
	"cohort.example/cohort/internal/testenv"
)

func TestManPageOfEachCommand(t *testing.T) {
	t.Parallel()
	pages := map[string]string{}
	for _, p := range cli.ManPages("1.2.3", "2026-12-01") {
		pages[p.Name] = string(p.Text)
	}
	for command, list := range flags {
		name := "cohort-" + strings.ReplaceAll(command, " ", "-")
		page, ok := pages[name+".1"]
		if !ok {
			t.Errorf("there is no page %s.1", name)
			continue
		}
		for _, f := range list {
			for _, want := range []string{f[0], f[1]} {
				if !strings.Contains(page, strings.ReplaceAll(want, "-", `\-`)) {
					t.Errorf("%s.1 has no %s", name, want)
				}
			}
		}
	}
	for name, page := range pages {
		for _, m := range regexp.MustCompile(`(?m)^\.BR (\S+) \(1\)`).FindAllStringSubmatch(page, -1) {
			if other := strings.ReplaceAll(m[1], `\-`, "-") + ".1"; pages[other] == "" {
				t.Errorf("%s refers to %s, which does not exist", name, other)
			}
		}
	}
}

func TestManPageText(t *testing.T) {
	t.Parallel()
	pages := cli.ManPages("1.2.3", "2026-12-01")
	i := slices.IndexFunc(pages, func(p cli.ManPage) bool { return p.Name == "cohort-clock-offset.1" })
	if i < 0 {
		t.Fatal("there is no page cohort-clock-offset.1")
	}
	text := string(pages[i].Text)
	for _, want := range []string{
		`.TH "COHORT\-CLOCK\-OFFSET" 1 "2026\-12\-01" "cohort 1.2.3" "Cohort"`,
		"\n.SH SYNOPSIS\n" + `\fBcohort clock offset\fR \fIOFFSET\fR [\fIFLAG\fR]...` + "\n",
		"\n.TP\n" + `\fB\-\-store\fR=\fI`,
		"\n" + `The variable \fBCOHORT_STORE\fR sets it too.` + "\n",
		"\n.BR cohort\\-clock (1),\n.BR cohort (1)\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q:\n%s", want, text)
		}
	}
}

// groff has no warning for any page, and prints no escape as text.
func TestManPagesInGroff(t *testing.T) {
	t.Parallel()
	groff, err := exec.LookPath("groff")
	if err != nil {
		testenv.Need(t, "groff", "it checks the pages of the manual")
	}
	var all, out, warnings bytes.Buffer
	for _, p := range cli.ManPages("1.2.3", "2026-12-01") {
		all.Write(p.Text)
	}
	cmd := exec.CommandContext(t.Context(), groff, "-man", "-Kutf8", "-Tutf8", "-ww")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &all, &out, &warnings
	if err := cmd.Run(); err != nil || warnings.Len() > 0 {
		t.Errorf("%v\n%s", err, &warnings)
	}
	if !strings.Contains(out.String(), "COHORT-CLOCK-OFFSET(1)") || strings.Contains(out.String(), `\`) {
		t.Errorf("groff prints:\n%s", &out)
	}
}
