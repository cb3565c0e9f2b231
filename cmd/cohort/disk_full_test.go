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

// The disk fills up twice while clients write; the second time the server is
// killed on the full disk. Writes that do not fit are rejected. Acknowledged
// changes stay and can be read throughout. Once there is space again, writes
// succeed without intervention.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	seed := setting(t, "COHORT_CRASH_SEED", rand.Uint64())
	t.Logf("COHORT_CRASH_SEED=%d", seed)
	disk := smallDisk(t, "8m")
	ballast := filepath.Join(disk, "ballast")
	// The free space is enough for one copy of most of the written data, but
	// not for two, in the write-ahead log and in the database: the checkpoint
	// stops half way. The ballast is more than half of the disk, so that
	// without it there is space to copy any log that fits into the rest.
	if err := os.WriteFile(ballast, make([]byte, 9<<19), 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHistory(t, "sqlite:"+filepath.Join(disk, "cohort.db"), seed)

	h.fill(h.finish)
	h.wantReads()
	h.check("while the disk is full")
	// Some small changes may still fit. Fill the disk completely.
	plug := filepath.Join(disk, "plug")
	if err := os.WriteFile(plug, make([]byte, 8<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("filling the disk: %v, want ENOSPC", err)
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
		t.Fatalf("filling the disk: %v, want ENOSPC", err)
	}
	h.fill(h.kill)
	h.restart("after a kill on a full disk")
	h.wantReads()
	h.makeRoom(ballast)
	h.kill()
	h.restart("in the end")
	t.Logf("%d acknowledged, %d rejected, %d in doubt, of which %d were made",
		h.acknowledged.Load(), h.rejected.Load(), h.inDoubt, h.doneInDoubt)
}

// fill makes clients write large groups until the disk has been full for some
// time.
func (h *history) fill(end func()) {
	h.t.Helper()
	h.mayBeFull = true
	for id := range cohort.MaxCategoriesOfGroup - 10 {
		h.bulk += fmt.Sprint(",", 1_000_000_000_000_000+id)
	}
	enough := h.rejected.Load() + 50
	h.work(func() bool { return h.rejected.Load() >= enough }, end)
}

// makeRoom deletes a file. Afterwards no small request may be rejected.
func (h *history) makeRoom(path string) {
	h.t.Helper()
	if err := os.Remove(path); err != nil {
		h.t.Fatal(err)
	}
	h.bulk, h.mayBeFull = "", false
	enough := h.acknowledged.Load() + 40
	h.work(func() bool { return h.acknowledged.Load() >= enough }, h.finish)
}

// awaitWritable waits until /readyz?write responds with a status.
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
		<-time.After(pollPause)
	}
	h.t.Fatalf("/readyz?write does not become %d", status)
}

// wantReads checks that a server that cannot write is ready for reads.
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
