package main_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/testenv"
)

// smallDisk mounts a file system of the given size for this test, or skips the
// test where that is not possible.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	const aDisk = "a small file system"
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		testenv.Need(t, aDisk, "only root on Linux can mount one")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		why, _, _ := strings.Cut(string(out), "\n")
		testenv.Need(t, aDisk, fmt.Sprintf("mount fails: %v: %s", err, why))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dir
}

// The disk fills up while clients write, twice, and the second time the server
// is killed in the middle of it. What does not fit is refused; what was
// acknowledged stays, and can be read all the time. With room on the disk,
// writing goes on without anybody doing anything.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	seed := setting(t, "COHORT_CRASH_SEED", rand.Uint64())
	t.Logf("COHORT_CRASH_SEED=%d", seed)
	disk := smallDisk(t, "8m")
	ballast := filepath.Join(disk, "ballast")
	// What is left has room for most of what is written, but not twice, in the
	// write-ahead log and in the database: copying one to the other stops half way.
	// The ballast is more than half of the disk, so that with it gone there is room
	// for a copy of the log, however much of what is left that has taken.
	if err := os.WriteFile(ballast, make([]byte, 9<<19), 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHistory(t, "sqlite:"+filepath.Join(disk, "cohort.db"), seed)

	h.fill(h.finish)
	h.wantReads()
	h.check("while the disk is full")
	// Some small changes may still fit, until nothing does.
	plug := filepath.Join(disk, "plug")
	if err := os.WriteFile(plug, make([]byte, 8<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is filled up: %v", err)
	}
	h.awaitWritable(http.StatusServiceUnavailable)
	h.wantReads()
	if err := os.Remove(plug); err != nil {
		t.Fatal(err)
	}
	h.makeRoom(ballast)
	h.awaitWritable(http.StatusOK)
	h.check("with room on the disk")

	if err := os.WriteFile(ballast, make([]byte, 8<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is filled up: %v", err)
	}
	h.fill(h.kill)
	h.restart("after a kill on a full disk")
	h.wantReads()
	h.makeRoom(ballast)
	h.kill()
	h.restart("in the end")
	t.Logf("%d acknowledged, %d refused, %d in doubt, of which %d carried out",
		h.acknowledged.Load(), h.refused.Load(), h.inDoubt, h.doneInDoubt)
}

// fill lets clients write large groups until the disk has been full for a while.
func (h *history) fill(end func()) {
	h.t.Helper()
	h.mayBeFull = true
	for id := range cohort.MaxCategoriesOfGroup - 10 {
		h.bulk += fmt.Sprint(",", 1_000_000_000_000_000+id)
	}
	enough := h.refused.Load() + 50
	h.work(func() bool { return h.refused.Load() >= enough }, end)
}

// makeRoom deletes a file, after which no small request may be refused.
func (h *history) makeRoom(path string) {
	h.t.Helper()
	if err := os.Remove(path); err != nil {
		h.t.Fatal(err)
	}
	h.bulk, h.mayBeFull = "", false
	enough := h.acknowledged.Load() + 40
	h.work(func() bool { return h.acknowledged.Load() >= enough }, h.finish)
}

// awaitWritable waits until /readyz?write has a status.
func (h *history) awaitWritable(status int) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 2*time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		res, err := h.http.Get(h.server.url + "/readyz?write")
		if err != nil {
			h.t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode == status {
			return
		}
	}
	h.t.Fatalf("/readyz?write does not become %d", status)
}

// wantReads checks that a server that cannot write is there for readers.
func (h *history) wantReads() {
	h.t.Helper()
	for _, path := range []string{"/livez", "/readyz"} {
		res, err := h.http.Get(h.server.url + path)
		if err != nil {
			h.t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			h.t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}
