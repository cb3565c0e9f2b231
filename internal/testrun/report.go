package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// event is a line of `go test -json`; `go doc test2json` describes it.
type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64 // seconds
}

// test names a test, or with an empty name a package outside of its tests.
type test struct{ pkg, name string }

// report prints the results of packages and what failed tests print, and counts
// the tests that are skipped.
type report struct {
	out     io.Writer
	output  map[test][]string // of tests that have not ended
	results map[string]int    // tests by how they ended: pass, fail, skip
	skipped map[string][]test // by reason
	failed  []test
}

func newReport(out io.Writer) *report {
	return &report{out: out, output: map[test][]string{}, results: map[string]int{}, skipped: map[string][]test{}}
}

// read reads events until their end.
func (r *report) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.line(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		fmt.Fprintf(r.out, "%s", line) // of the go command itself
		return
	}
	of := test{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "output":
		r.print(of, e.Output)
	case "pass", "fail", "skip":
		r.end(of, e.Action)
	}
}

// print keeps what a test prints until it ends. The result of a package is
// printed at once.
func (r *report) print(of test, text string) {
	if of.name == "" && isResult.MatchString(text) {
		fmt.Fprint(r.out, text)
		return
	}
	r.output[of] = append(r.output[of], text)
}

// isResult matches the line in which go test gives the result of a package.
var isResult = regexp.MustCompile(`^(ok  |FAIL|\?   )\t`)

func (r *report) end(of test, result string) {
	output := r.output[of]
	delete(r.output, of)
	if result == "fail" {
		r.failed = append(r.failed, of)
		fmt.Fprint(r.out, strings.Join(output, ""))
	}
	if of.name == "" {
		return
	}
	r.results[result]++
	if result == "skip" {
		why := reason(output)
		r.skipped[why] = append(r.skipped[why], of)
	}
}

var (
	// frame matches the lines that the testing package prints by itself.
	frame = regexp.MustCompile(`^\s*(=== |--- )`)
	// place matches the place of a call to Skip, before the reason.
	place = regexp.MustCompile(`^\s*\S+\.go:\d+: `)
)

// reason returns the last thing that a skipped test printed: why it is skipped.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		if frame.MatchString(line) {
			continue
		}
		if text := strings.TrimSpace(place.ReplaceAllString(line, "")); text != "" {
			return text
		}
	}
	return "no reason given"
}

func (r *report) hasFailedTest(pkg string) bool {
	return slices.ContainsFunc(r.failed, func(of test) bool { return of.pkg == pkg && of.name != "" })
}

// mostNames is how many tests the summary names for each reason.
const mostNames = 3

func (r *report) summary() {
	fmt.Fprintf(r.out, "\n%d tests passed, %d failed, %d skipped\n", r.results["pass"], r.results["fail"], r.results["skip"])
	for _, of := range r.failed {
		if of.name != "" || !r.hasFailedTest(of.pkg) {
			fmt.Fprintf(r.out, "  failed: %s\n", strings.TrimSpace(of.pkg+" "+of.name))
		}
	}
	for _, why := range slices.SortedFunc(maps.Keys(r.skipped), func(a, b string) int {
		return cmp.Or(len(r.skipped[b])-len(r.skipped[a]), cmp.Compare(a, b))
	}) {
		tests := r.skipped[why]
		names := make([]string, 0, mostNames+1)
		for _, t := range tests[:min(mostNames, len(tests))] {
			names = append(names, t.name)
		}
		if len(tests) > mostNames {
			names = append(names, "…")
		}
		fmt.Fprintf(r.out, "  skipped %d: %s (%s)\n", len(tests), why, strings.Join(names, ", "))
	}
}
