package cli_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/limit/redistest"
)

// findings runs doctor and returns its findings as "check state what", and the exit status.
func findings(t *testing.T, args ...string) (lines []string, status int) {
	t.Helper()
	r := run(t, append([]string{"doctor", "--json"}, args...)...)
	var all []struct{ Check, State, What, Advice string }
	if err := json.Unmarshal([]byte(r.out), &all); err != nil {
		t.Fatalf("%q: %v", r.out, err)
	}
	for _, f := range all {
		if (f.State == "ok") != (f.Advice == "") {
			t.Errorf("advice %q with the state %s", f.Advice, f.State)
		}
		lines = append(lines, f.Check+" "+f.State+" "+f.What)
	}
	return lines, r.status
}

// wantFinding checks that a line is among the findings.
func wantFinding(t *testing.T, lines []string, want string) {
	t.Helper()
	for _, line := range lines {
		if strings.HasPrefix(line, want) {
			return
		}
	}
	t.Errorf("%q is not in:\n%s", want, strings.Join(lines, "\n"))
}

func TestDoctor(t *testing.T) {
	eachDB(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "abc", "--db", url)
		lines, _ := findings(t, "--db", url)
		wantFinding(t, lines, "settings ok")
		wantFinding(t, lines, "schema ok version ")
		// Opening the database again would run the migrations again.
		d, err := db.OpenExisting(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		change := func(statement string) {
			dbtest.Update(t, d, func(tx *db.Tx) error { _, err := tx.Exec(statement); return err })
		}
		change("DELETE FROM goose_db_version WHERE version_id > 30")
		lines, _ = findings(t, "--db", url)
		wantFinding(t, lines, "schema warning its version is 29, and this version of cohort has ")
		change("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)")
		lines, status := findings(t, "--db", url)
		wantFinding(t, lines, "schema problem its version is 9999, and this version of cohort knows ")
		if status != 1 {
			t.Errorf("exit status %d, want 1", status)
		}
	})
}

func TestDoctorChangesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	lines, _ := findings(t, "--db", "sqlite:"+filepath.Join(folder, "cohort.db"))
	wantFinding(t, lines, "schema warning there are no tables yet")
	if files, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(files) != 0 {
		t.Errorf("it has made %v, %v", files, err)
	}
}

func TestDoctorWithoutADatabase(t *testing.T) {
	t.Parallel()
	lines, status := findings(t, "--db", "postgres://x@127.0.0.1:1/x")
	wantFinding(t, lines, "database problem cannot open the database postgres://x@127.0.0.1:1/x: no server listens at 127.0.0.1:1")
	if status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	lines, _ = findings(t, "--db", "sqlite:"+filepath.Join(t.TempDir(), "none", "cohort.db"))
	wantFinding(t, lines, "database problem cannot open the database")
}

func TestDoctorAsksRedis(t *testing.T) {
	t.Parallel()
	lines, _ := findings(t, "--db", newDB(t), "--redis", redistest.URL(t))
	wantFinding(t, lines, "redis ok")
	lines, _ = findings(t, "--db", newDB(t), "--redis", "redis://127.0.0.1:1")
	wantFinding(t, lines, "redis warning it does not answer") // a server serves without Redis
	lines, _ = findings(t, "--db", newDB(t), "--redis", "no URL")
	wantFinding(t, lines, "redis problem it is not the URL of a Redis")
}

func TestDoctorReadsTheEnvironment(t *testing.T) {
	t.Setenv("COHORT_TLS_CERT", "cert.pem")
	t.Setenv("COHORT_METRIC_ADDR", ":9000")
	lines, status := findings(t, "--db", newDB(t))
	wantFinding(t, lines, "settings problem --tls-cert and --tls-key go together")
	wantFinding(t, lines, "settings warning no command reads the variable COHORT_METRIC_ADDR")
	if status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	t.Setenv("COHORT_TLS_CERT", "")
	t.Setenv("COHORT_SHUTDOWN_TIMEOUT", "soon")
	lines, _ = findings(t, "--db", newDB(t))
	wantFinding(t, lines, "settings problem ")
}
