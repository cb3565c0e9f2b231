package main_test

import (
	"context"
	"database/sql" //nolint:depguard // who is connected to a server can be seen by SQL alone
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
	"cohort.example/cohort/internal/testenv"
)

// What the database of these tests holds: one group of many members, and two
// customers who are in none.
const (
	members   = 20_000
	customers = members + 2
)

// each runs a test beside others on an empty database of each engine.
func each(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Parallel()
	dbtest.EachURL(t, fn)
}

// isFile reports whether a database is a file, which only one process at a time
// writes to, and which is all there is of it.
func isFile(url string) bool { return strings.HasPrefix(url, "sqlite:") }

// filled makes the file once, to be copied.
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

// filler is the program that fills a database, built once.
var filler = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(binary), "fill")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, "./testdata/fill").CombinedOutput(); err != nil {
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

// fillDatabase puts into an empty database what these tests begin with.
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

// awaitNobody returns when a PostgreSQL server is through with what processes
// that were killed have sent it, as it is soon after it has missed them.
func awaitNobody(t *testing.T, url string) {
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
	const others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
	for n := 1; n > 0; {
		if err := d.QueryRowContext(ctx, others).Scan(&n); err != nil {
			t.Fatalf("somebody still uses the database: %v", err)
		}
	}
}

// kill ends the process as a crash does, and returns when it is gone.
func (p *process) kill(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGKILL)
	<-p.ended
}

// wantDeleted fails unless the group is gone for everybody who asks. It may be
// asked again and again while the rows of the members are written.
func (p *process) wantDeleted(t *testing.T, when string) {
	t.Helper()
	for path, want := range map[string]string{
		"/customers/count?customer_group_id=1":       `200 {"count":0}`,
		"/customers/count?customer_group_id=0":       fmt.Sprintf(`200 {"count":%d}`, customers),
		"/customers/count":                           fmt.Sprintf(`200 {"count":%d}`, customers),
		"/customers?customer_group_id=1":             "204 ",
		fmt.Sprintf("/customers/%d/addresses", 1):    "204 ",
		fmt.Sprintf("/customers?min_id=%d", members): inNone,
		fmt.Sprintf("/customers/%d", members):        inNone, // the last to be written
		fmt.Sprintf("/customers/%d", 1):              inNone, // the first
		"/customer_groups/1":                         "404 ",
		"/customer_groups/count":                     `200 {"count":0}`,
	} {
		p.want(t, when, path, want)
	}
}

// inNone is that every customer_group_id in the answer is 0.
const inNone = "in no group"

// want checks how an answer begins.
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

// isSwept reports whether no row names a deleted group any more. It changes
// nothing: what it tries, it undoes.
func isSwept(t *testing.T, d *db.DB) bool {
	t.Helper()
	more := true
	err := d.Update(t.Context(), func(tx *db.Tx) (err error) {
		more, err = tx.SweepTombstones(1)
		return errors.Join(err, errUndo)
	})
	if !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
	return !more
}

// wasSwept is isSwept for the database of a process that was killed. Of a file
// it looks at a copy, for to open it is to repair it, which is what the next
// process has to do by itself.
func wasSwept(t *testing.T, url string) bool {
	t.Helper()
	if !isFile(url) {
		awaitNobody(t, url)
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

// The deletion of a group is promised with the 204, when most of its members'
// rows still name it. However often the process is killed from then on, nobody
// is ever seen in that group again, and some process finishes the work.
func TestKilledAfterDeletingALargeGroup(t *testing.T) {
	each(t, testKilledAfterDeletingALargeGroup)
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
		t.Error("it had finished before it was killed; this test needs more members")
	}

	// Later and later, and always in the middle while there is one.
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
			t.Fatal("it does not finish")
		}
	}
	p.wantDeleted(t, "when it has swept")
}

// Killed before the answer, the process has deleted the group as a whole or not
// at all.
func TestKilledWhileDeletingALargeGroup(t *testing.T) {
	t.Parallel()
	for requests := range 6 {
		if requests%3 != 0 && !testenv.Full() {
			continue
		}
		t.Run(fmt.Sprint("after ", requests, " more requests"), func(t *testing.T) {
			t.Parallel()
			dbtest.EachURL(t, func(t *testing.T, url string) { testKilledWhileDeletingALargeGroup(t, url, requests) })
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
		sent <- struct{}{} // if it never was
	}()
	<-sent
	for range requests {
		if _, _, err := p.do(t.Context(), http.MethodGet, "/time"); err != nil {
			t.Error(err)
		}
	}
	p.kill(t)
	awaitNobody(t, url)
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

// do sends a request and reads the answer.
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
