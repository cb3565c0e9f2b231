package main_test

import (
	"context"
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
)

// What the database of these tests holds: one group of many members, and two
// customers who are in none.
const (
	members   = 20_000
	customers = members + 2
)

// filled makes the database once, to be copied.
var filled = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "cohort-crash-test-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "cohort.db")
	out, err := exec.Command("go", "run", "-buildvcs=false", "./testdata/fill", path, strconv.Itoa(members), strconv.Itoa(customers)).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return os.ReadFile(path)
})

// newDatabase returns the path of a database of the test's own.
func newDatabase(t *testing.T) string {
	t.Helper()
	content, err := filled()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cohort.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
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
		more, err = tx.SweepDeparted(1)
		return errors.Join(err, errUndo)
	})
	if !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
	return !more
}

// wasSwept is isSwept for the database of a process that was killed. It looks
// at a copy, for to open the database is to repair it, which is what the next
// process has to do by itself.
func wasSwept(t *testing.T, path string) bool {
	t.Helper()
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
	d := openDB(t, copied)
	defer d.Close()
	return isSwept(t, d)
}

func openDB(t *testing.T, path string) *db.DB {
	t.Helper()
	d, err := db.OpenExisting(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The deletion of a group is promised with the 204, when most of its members'
// rows still name it. However often the process is killed from then on, nobody
// is ever seen in that group again, and some process finishes the work.
func TestKilledAfterDeletingALargeGroup(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	p := serve(t, "--db", "sqlite:"+path)
	p.want(t, "before", "/customers/count?customer_group_id=1", fmt.Sprintf(`200 {"count":%d}`, members))
	if status, body, err := p.do(t.Context(), http.MethodDelete, "/customer_groups/1"); status != http.StatusNoContent {
		t.Fatalf("delete: %d %s, error %v", status, body, err)
	}
	p.kill(t)
	if wasSwept(t, path) {
		t.Error("it had finished before it was killed; this test needs more members")
	}

	// Later and later, and always in the middle while there is one.
	for looks := range 5 {
		p = serve(t, "--db", "sqlite:"+path)
		for range looks {
			p.wantDeleted(t, fmt.Sprint("restart ", looks+1))
		}
		p.kill(t)
	}

	p = serve(t, "--db", "sqlite:"+path)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d := openDB(t, path)
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
		t.Run(fmt.Sprint("after ", requests, " more requests"), func(t *testing.T) {
			path := newDatabase(t)
			p := serve(t, "--db", "sqlite:"+path)
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
			promised := <-answered == http.StatusNoContent

			p = serve(t, "--db", "sqlite:"+path)
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
		})
	}
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
