package main_test

import (
	"context"
	"database/sql" //nolint:depguard // only SQL shows the connections of a server
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/testenv"
)

// The content of the database: one group with many members, and two customers
// without a group.
const (
	members   = 20_000
	customers = members + 2
)

// each runs a test on a database of each engine, in parallel with other tests.
func each(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Parallel()
	dbtest.EachURL(t, fn)
}

// eachOrSQLite runs a test on a database of each engine in the full form, and
// on SQLite in the short form.
func eachOrSQLite(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	if testenv.Full() {
		dbtest.EachURL(t, fn)
		return
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, dbtest.MigratedSQLiteURL(t))
	})
}

// isFile reports whether the database is a SQLite file.
func isFile(url string) bool { return strings.HasPrefix(url, "sqlite:") }

// filled makes a filled SQLite file once; tests copy it.
var filled = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "cohort-crash-test-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "cohort.db")
	if err := fill("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// filler builds the program that fills a database, once.
var filler = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(binary), "fill")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-w", "-o", path, "./testdata/fill").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

func fill(url string) error {
	program, err := filler()
	if err != nil {
		return err
	}
	if out, err := exec.Command(program, url, strconv.Itoa(members), strconv.Itoa(customers)).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// fillDatabase fills a database without rows.
func fillDatabase(t *testing.T, url string) {
	t.Helper()
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok {
		if err := fill(url); err != nil {
			t.Fatal(err)
		}
		return
	}
	content, err := filled()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// awaitNoConnections waits until a PostgreSQL server has no other connection to the
// database: it has then processed everything that killed processes had sent.
func awaitNoConnections(t *testing.T, url string) {
	t.Helper()
	if isFile(url) {
		return
	}
	d, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	citus := false
	if err := d.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')").Scan(&citus); err != nil {
		t.Fatal(err)
	}
	awaitAlone(ctx, t, d)
	if !citus {
		return
	}
	for _, node := range pgtest.CitusNodeURLs(t, url)[1:] {
		w, err := sql.Open("pgx", node)
		if err != nil {
			t.Fatal(err)
		}
		awaitAlone(ctx, t, w)
		w.Close()
	}
}

// awaitAlone waits until no client but d is connected to the database. The servers of Citus
// keep connections to each other.
func awaitAlone(ctx context.Context, t *testing.T, d *sql.DB) {
	t.Helper()
	const others = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
		AND backend_type = 'client backend' AND application_name NOT LIKE 'citus\_%'`
	for {
		var n int
		if err := d.QueryRowContext(ctx, others).Scan(&n); err != nil {
			t.Fatalf("the database is still in use: %v", err)
		}
		if n == 0 {
			return
		}
		<-time.After(pollPause)
	}
}

// kill kills the process and waits for its end.
func (p *process) kill(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGKILL)
	<-p.ended
}

// wantDeleted fails unless every request shows the group as deleted. It also
// holds while the rows of the members are still being updated.
func (p *process) wantDeleted(t *testing.T, when string) {
	t.Helper()
	for path, want := range map[string]string{
		"/customers/count?customer_group_id=1":       `200 {"count":0}`,
		"/customers/count?customer_group_id=0":       fmt.Sprintf(`200 {"count":%d}`, customers),
		"/customers/count":                           fmt.Sprintf(`200 {"count":%d}`, customers),
		"/customers?customer_group_id=1":             "204 ",
		fmt.Sprintf("/customers/%d/addresses", 1):    "204 ",
		fmt.Sprintf("/customers?min_id=%d", members): inNone,
		fmt.Sprintf("/customers/%d", members):        inNone, // the last row that the sweep updates
		fmt.Sprintf("/customers/%d", 1):              inNone, // the first
		"/customer_groups/1":                         "404 ",
		"/customer_groups/count":                     `200 {"count":0}`,
	} {
		p.want(t, when, path, want)
	}
}

// inNone stands for a response in which every customer_group_id is 0.
const inNone = "in no group"

// want checks how the response begins.
func (p *process) want(t *testing.T, when, path, want string) {
	t.Helper()
	status, body, err := p.do(t.Context(), http.MethodGet, path)
	if err != nil {
		t.Fatalf("%s: %s: %v", when, path, err)
	}
	got := fmt.Sprint(status, " ", body)
	ok := strings.HasPrefix(got, want)
	if want == inNone {
		const field = `"customer_group_id":`
		ok = status == http.StatusOK && strings.Contains(body, field) && strings.Count(body, field) == strings.Count(body, field+"0,")
	}
	if !ok {
		t.Errorf("%s: %s: %.300s, want %s", when, path, got, want)
	}
}

var errUndo = errors.New("undo")

// isSwept reports whether no row refers to a deleted group. It changes nothing:
// it rolls its attempt back.
func isSwept(t *testing.T, d *db.DB) bool {
	t.Helper()
	more := true
	err := d.Update(t.Context(), func(tx *db.Tx) (err error) {
		more, err = tx.SweepTombstones(1, nil)
		return errors.Join(err, errUndo)
	})
	if !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
	return !more
}

// wasSwept is isSwept for the database of a killed process. It opens a copy of
// a SQLite file, because opening the file itself would repair it, and the next
// process has to do that.
func wasSwept(t *testing.T, url string) bool {
	t.Helper()
	if !isFile(url) {
		awaitNoConnections(t, url)
		d := openDB(t, url)
		defer d.Close()
		return isSwept(t, d)
	}
	path := strings.TrimPrefix(url, "sqlite:")
	copied := filepath.Join(t.TempDir(), "copy.db")
	for _, file := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := openDB(t, "sqlite:"+copied)
	defer d.Close()
	return isSwept(t, d)
}

func openDB(t *testing.T, url string) *db.DB {
	t.Helper()
	d, err := db.OpenExisting(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The 204 promises the deletion of a group while most rows of its members still
// refer to it. The process is killed repeatedly afterwards. No response ever
// shows a customer in that group again, and a later process finishes the sweep.
func TestKilledAfterDeletingALargeGroup(t *testing.T) {
	t.Parallel()
	eachOrSQLite(t, testKilledAfterDeletingALargeGroup)
}

func testKilledAfterDeletingALargeGroup(t *testing.T, url string) {
	fillDatabase(t, url)
	p := serve(t, "--db", url)
	p.want(t, "before", "/customers/count?customer_group_id=1", fmt.Sprintf(`200 {"count":%d}`, members))
	if status, body, err := p.do(t.Context(), http.MethodDelete, "/customer_groups/1"); status != http.StatusNoContent {
		t.Fatalf("delete: %d %s, error %v", status, body, err)
	}
	p.kill(t)
	if wasSwept(t, url) {
		t.Error("the sweep had finished before the kill; this test needs more members")
	}

	// Kill it later in each round, if possible in the middle of the sweep.
	for looks := range testenv.Times(5, 2) {
		p = serve(t, "--db", url)
		for range looks {
			p.wantDeleted(t, fmt.Sprint("restart ", looks+1))
		}
		p.kill(t)
	}

	p = serve(t, "--db", url)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d := openDB(t, url)
	defer d.Close()
	for !isSwept(t, d) {
		p.wantDeleted(t, "while it sweeps")
		if ctx.Err() != nil {
			t.Fatal("the sweep does not finish")
		}
	}
	p.wantDeleted(t, "when it has swept")
}

// A process that is killed before it responds has deleted the group completely
// or not at all.
func TestKilledWhileDeletingALargeGroup(t *testing.T) {
	t.Parallel()
	for requests := range 6 {
		if requests%3 != 0 && !testenv.Full() {
			continue
		}
		t.Run(fmt.Sprint("after ", requests, " more requests"), func(t *testing.T) {
			t.Parallel()
			eachOrSQLite(t, func(t *testing.T, url string) { testKilledWhileDeletingALargeGroup(t, url, requests) })
		})
	}
}

func testKilledWhileDeletingALargeGroup(t *testing.T, url string, requests int) {
	fillDatabase(t, url)
	p := serve(t, "--db", url)
	sent, answered := make(chan struct{}, 2), make(chan int, 1)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { sent <- struct{}{} }})
	go func() {
		status, _, _ := p.do(ctx, http.MethodDelete, "/customer_groups/1")
		answered <- status
		sent <- struct{}{} // if the request was never written
	}()
	<-sent
	for range requests {
		if _, _, err := p.do(t.Context(), http.MethodGet, "/time"); err != nil {
			t.Error(err)
		}
	}
	p.kill(t)
	awaitNoConnections(t, url)
	promised := <-answered == http.StatusNoContent

	p = serve(t, "--db", url)
	status, _, err := p.do(t.Context(), http.MethodGet, "/customer_groups/1")
	if status == http.StatusOK && !promised {
		p.want(t, "not deleted", "/customers/count?customer_group_id=1", fmt.Sprintf(`200 {"count":%d}`, members))
		p.want(t, "not deleted", "/customers/count?customer_group_id=0", fmt.Sprintf(`200 {"count":%d}`, customers-members))
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	p.wantDeleted(t, "deleted")
}

// do sends a request and reads the response.
func (p *process) do(ctx context.Context, method, path string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, p.url+"/stores/demo/v2"+path, nil)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("X-Auth-Token", "demo-token")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}
