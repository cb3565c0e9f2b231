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
	"cohort.example/cohort/internal/testenv"
)

// writerURL is the environment variable that makes the test binary a separate node. It
// opens the database and adds groups until it is killed. It prints a line for each
// group whose commit was acknowledged.
const writerURL = "COHORT_TEST_WRITER_URL"

func TestWriterProcess(t *testing.T) {
	url := os.Getenv(writerURL)
	if url == "" {
		t.Skip("this is the process of TestKilledProcesses")
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
			if id, err = tx.NextID("a", "customer_group"); err != nil {
				return err
			}
			return tx.InsertGroup("a", newGroup(id, fmt.Sprint("acknowledged ", id)))
		})
		fmt.Println("added", id)
	}
}

// Several processes create the database, write to it concurrently, and are killed. Every
// acknowledged group exists afterwards, with an id of its own.
func TestKilledProcesses(t *testing.T) {
	t.Parallel()
	processes, each := testenv.Times(4, 3), testenv.Times(25, 10)
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
		kept := groupIDs(listGroups(t, d, "a", allGroups, onePage))
		slices.Sort(acknowledged)
		if unique := slices.Compact(slices.Clone(acknowledged)); len(unique) < processes*each || len(unique) != len(acknowledged) {
			t.Errorf("%d acknowledged ids, %d of them different, want at least %d", len(acknowledged), len(unique), processes*each)
		}
		for _, id := range acknowledged {
			if !slices.Contains(kept, id) {
				t.Errorf("group %d was acknowledged and does not exist", id)
			}
		}
		// Each process may have been killed after one commit and before its line.
		if n := len(kept) - len(acknowledged); n > processes {
			t.Errorf("%d groups exist without a line, want at most %d", n, processes)
		}
		// On SQLite the counter is rolled back with the group, so the ids have no gaps.
		if n := int64(len(kept)); d.SeesAllWrites() && (n == 0 || kept[n-1] != n) {
			t.Errorf("the ids have gaps: %v", kept)
		}
	})
}

// killAfter starts a writer process, kills it after its nth line, and returns the ids of
// all lines, including those printed before the signal arrived.
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
			t.Errorf("unexpected line %q of a process", lines.Text())
			continue
		}
		ids = append(ids, id)
		if len(ids) == n {
			_ = cmd.Process.Kill() // SIGKILL, at any instruction
		}
	}
	_ = cmd.Wait() // the error says that it was killed
	return ids
}
