package cli_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestDemo(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Chdir(tmp)
	// The demo uses its own database and ignores the environment.
	t.Setenv("COHORT_DB", "sqlite:"+tmp+"/mine.db")
	// With these variables, its store could not be created.
	t.Setenv("COHORT_PLAN", "enterprise")
	t.Setenv("COHORT_QUOTA", "5")
	t.Setenv("COHORT_MAX_CONCURRENT", "-1")
	r := run(t, "demo")
	if r.status != 0 {
		t.Fatalf("exit status %d:\n%s%s", r.status, r.out, r.err)
	}
	for _, want := range []string{
		`^\$ cohort store create demo$`,
		`^\$ cohort token create --store demo --scope store_v2_customers,store_v2_products$`,
		`^\$ curl -i 'http://127\.0\.0\.1:\d+/stores/demo/v2/customer_groups' \\$`,
		`^    -d '\{"name":"Regulars",`,
		`^HTTP/1\.1 200 OK$`,
		`^Location: /stores/demo/v2/customer_groups/1$`,
		`^  "name": "Regulars",$`,
		`^\$ curl -i -X DELETE `,
		`^HTTP/1\.1 204 No Content$`,
		`^HTTP/1\.1 404 Not Found$`,
		`^HTTP/1\.1 400 Bad Request$`,
		`"customer_group_name": "Regulars"`,
		`"gives": 26\.96,\n +"won": true,$`,
		`"calculated_price": \{"as_entered":19\.5,`,
		`^You have seen 12 requests, and every response was as documented:$`,
		`^  cohort serve --dev `,
	} {
		if !regexp.MustCompile(`(?m)` + want).MatchString(r.out) {
			t.Errorf("no line is like %s:\n%s", want, r.out)
		}
	}
	if n := strings.Count(r.out, "\n"); n > 300 {
		t.Errorf("the demo prints %d lines, want 300 at most", n)
	}
	for line := range strings.Lines(r.out) {
		if strings.TrimSpace(line) == "#" {
			t.Errorf("an empty heading:\n%s", r.out)
		}
	}
	if files, _ := os.ReadDir(tmp); len(files) != 0 {
		t.Errorf("the demo left %v behind", files)
	}
}

// Each request that the demo prints can be pasted into a shell.
func TestDemoPrintsRequestsForTheShell(t *testing.T) {
	t.Parallel()
	r := mustRun(t, "demo")
	bodies := regexp.MustCompile(`(?m)-d '(.*)'$`).FindAllStringSubmatch(r.out, -1)
	if len(bodies) != strings.Count(r.out, "\n    -d ") || len(bodies) == 0 {
		t.Errorf("%d bodies are quoted for the shell:\n%s", len(bodies), r.out)
	}
	for _, body := range bodies {
		if strings.Contains(body[1], "'") {
			t.Errorf("a quote ends the shell's argument early: %s", body[1])
		}
	}
}
