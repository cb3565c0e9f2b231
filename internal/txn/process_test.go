package txn_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// writerURL is the environment variable that turns the test binary into a node
// of its own, which opens the database and adds groups until it is stopped. It
// prints a line for each group that the database has acknowledged.
const writerURL = "COHORT_TEST_WRITER_URL"

func TestWriterProcess(t *testing.T) {
	url := os.Getenv(writerURL)
	if url == "" {
		t.Skip("only runs as a process of another test")
	}
	d := dbtest.Open(t, url)
	update(t, d, func(tx *db.Tx) error {
		if _, err := tx.Store("a"); cohort.KindOf(err) != cohort.KindNotFound {
			return err
		}
		return tx.InsertStore(cohort.Store{Hash: "a"})
	})
	for {
		var id int64
		update(t, d, func(tx *db.Tx) (err error) {
			if id, err = tx.NextGroupID("a"); err != nil {
				return err
			}
			return tx.InsertGroup("a", newGroup(id, "acknowledged"))
		})
		fmt.Println("added", id)
	}
}

// Several processes make the database together and write to it together, and
// are killed in the middle of it. Every group that one of them acknowledged is
// there afterwards, under an id of its own.
func TestKilledProcessesLoseNothing(t *testing.T) {
	const processes, each = 4, 25
	dbtest.EachEmptyURL(t, func(t *testing.T, url string) {
		var mu sync.Mutex
		var acknowledged []int64
		var wg sync.WaitGroup
		for range processes {
			wg.Go(func() {
				ids := killAfter(t, url, each)
				mu.Lock()
				defer mu.Unlock()
				acknowledged = append(acknowledged, ids...)
			})
		}
		wg.Wait()

		d := dbtest.Open(t, url)
		kept := idsOf(listGroups(t, d, "a", everything, onePage))
		slices.Sort(acknowledged)
		if unique := slices.Compact(slices.Clone(acknowledged)); len(unique) < processes*each || len(unique) != len(acknowledged) {
			t.Errorf("%d acknowledged, of which %d different, want at least %d", len(acknowledged), len(unique), processes*each)
		}
		for _, id := range acknowledged {
			if !slices.Contains(kept, id) {
				t.Errorf("group %d was acknowledged and is lost", id)
			}
		}
		// A process can have died before it could say what was added, but only
		// once. So not more is there than that.
		if n := len(kept) - len(acknowledged); n > processes {
			t.Errorf("%d groups are there that nobody said were added", n)
		}
		// Where one writes at a time no id is left out: what a kill undid was
		// undone as a whole, the counter too.
		if n := int64(len(kept)); d.SeesAllWrites() && (n == 0 || kept[n-1] != n) {
			t.Errorf("the ids have gaps: %v", kept)
		}
	})
}

// killAfter starts a writer process, kills it after its nth line, and returns
// the ids of the groups that it said were added, also while the kill was on its
// way.
func killAfter(t *testing.T, url string, n int) (ids []int64) {
	self, err := os.Executable()
	if err != nil {
		t.Error(err)
		return nil
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestWriterProcess$")
	cmd.Env = append(os.Environ(), writerURL+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
		return nil
	}
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return nil
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var id int64
		if _, err := fmt.Sscanf(lines.Text(), "added %d", &id); err != nil {
			t.Errorf("a process says %q", lines.Text())
			continue
		}
		ids = append(ids, id)
		if len(ids) == n {
			_ = cmd.Process.Kill() // SIGKILL: it may be at any instruction
		}
	}
	_ = cmd.Wait() // says that it was killed
	return ids
}
