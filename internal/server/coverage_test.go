package server_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/vendorapi"

	"github.com/google/go-cmp/cmp"
)

var updateCoverage = flag.Bool("update", false, "rewrite the tables in docs/coverage.md")

// TestCoverage compares the tables in docs/coverage.md with the route tables and the list
// of the vendor's operations.
func TestCoverage(t *testing.T) {
	const file, heading = "../../docs/coverage.md", "## Operations\n"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text, tables, ok := strings.Cut(string(data), heading)
	if !ok {
		t.Fatalf("%s has no line %q", file, heading)
	}
	want := coverageTables()
	if *updateCoverage {
		if err := os.WriteFile(file, []byte(text+heading+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(tables, "\n"), strings.Split(want, "\n")); diff != "" {
		t.Errorf("%s differs from the routes; go test ./internal/server -run TestCoverage -update rewrites it (-file +routes):\n%s", file, diff)
	}
}

// coverageTables returns the tables of docs/coverage.md: one for each family of which
// Cohort serves a part, and a list of the others.
func coverageTables() string {
	routes := routeShapes()
	var families []string
	byFamily := map[string][]vendorapi.Operation{}
	served := map[string]int{}
	for _, o := range vendorapi.Operations() {
		if byFamily[o.Family] == nil {
			families = append(families, o.Family)
		}
		byFamily[o.Family] = append(byFamily[o.Family], o)
		if routes[o.Key()] {
			served[o.Family]++
		}
	}
	var b strings.Builder
	for _, f := range families {
		if served[f] == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n### %s%s\n\n%d of %d operations.\n\n| Operation | |\n|---|---|\n", strings.ToUpper(f[:1]), f[1:], served[f], len(byFamily[f]))
		for _, o := range byFamily[f] {
			is := "not there"
			if routes[o.Key()] {
				is = o.Mark.String()
			}
			fmt.Fprintf(&b, "| `%s` | %s |\n", o, is)
		}
	}
	b.WriteString("\n### Cohort's own\n\n| Operation | |\n|---|---|\n")
	for _, d := range server.Dialects(nil) {
		for _, r := range d.Routes {
			if d.Prefix == "/cohort" {
				fmt.Fprintf(&b, "| `%s %s%s` | decided here |\n", r.Method, d.Prefix, r.Path)
			}
		}
	}
	b.WriteString("\n### Not there\n\n| Family | Operations |\n|---|---|\n")
	for _, f := range families {
		if served[f] > 0 {
			continue
		}
		var list []string
		for _, o := range byFamily[f] {
			list = append(list, "`"+strings.TrimPrefix(o.String(), vendorapi.Every+" ")+"`")
		}
		fmt.Fprintf(&b, "| %s | %s |\n", f, strings.Join(list, ", "))
	}
	return b.String()
}
