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
	// The demo has a database of its own, whatever the environment says.
	t.Setenv("COHORT_DB", "sqlite:"+tmp+"/mine.db")
	// Its store too: with these it could not be made, or not be used for long.
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
		`^    -d '\{"name":"Wholesale",`,
		`^HTTP/1\.1 200 OK$`,
		`^Location: /stores/demo/v2/customer_groups/1$`,
		`^\{"id":1,"name":"Wholesale",`,
		`^\$ curl -i -X DELETE `,
		`^HTTP/1\.1 204 No Content$`,
		`^HTTP/1\.1 404 Not Found$`,
		`"customer_group_name":"Regulars".*"gives":26\.96,"won":true,`,
		`"customer_group_name":"Friends".*"gives":19\.5,"won":true,`,
		`^All answers were as the contract says\.`,
		`^  cohort serve --dev `,
	} {
		if !regexp.MustCompile(`(?m)` + want).MatchString(r.out) {
			t.Errorf("no line is like %s:\n%s", want, r.out)
		}
	}
	if files, _ := os.ReadDir(tmp); len(files) != 0 {
		t.Errorf("it left %v behind", files)
	}
}

// Each request of the demo can be typed again as it is shown: the shell must
// get it whole.
func TestDemoShowsTypeableRequests(t *testing.T) {
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
