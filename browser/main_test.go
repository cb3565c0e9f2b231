// Package browser tests the console in a real browser, Chromium, which chromedp drives.
// It has tests alone, and is a module of its own to keep chromedp out of Cohort's go.mod.
//
// COHORT_SCREENSHOTS names a folder for pictures of the pages; without it there are none.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/testenv"

	"github.com/chromedp/chromedp"
)

// patience is how long one step in the browser or of a server may take. A busy machine
// with two cores starts Chromium in some seconds.
const patience = time.Minute

// The tests share one browser and one program, which the first test that needs them makes.
var (
	sharedBrowser = sync.OnceValues(startBrowser)
	sharedProgram = sync.OnceValues(buildProgram)
)

// atEnd has what TestMain does after the last test.
var atEnd struct {
	sync.Mutex
	do []func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	atEnd.Lock()
	for _, f := range slices.Backward(atEnd.do) {
		f()
	}
	atEnd.Unlock()
	os.Exit(code)
}

// finally runs f after the last test. What comes later in the run ends earlier.
func finally(f func()) {
	atEnd.Lock()
	defer atEnd.Unlock()
	atEnd.do = append(atEnd.do, f)
}

// browser returns the context of the browser that all tests share. Without a browser on
// the machine it skips the test, or fails it with CI=true.
func browser(t *testing.T) context.Context {
	t.Helper()
	ctx, err := sharedBrowser()
	if errors.Is(err, exec.ErrNotFound) {
		testenv.Need(t, "Chromium or Chrome", "no folder of PATH has it")
	}
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

// startBrowser starts a browser without a window, which finds no host but this machine.
func startBrowser() (context.Context, error) {
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ = chromedp.NewContext(ctx)
	// The context of the first call bounds the life of the browser, so it has no timeout.
	tooLate := time.AfterFunc(patience, stop)
	defer tooLate.Stop()
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, fmt.Errorf("start the browser: %w", err)
	}
	finally(func() {
		closing, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		_ = chromedp.Cancel(closing) // stop kills a browser that does not close
		stop()
	})
	return ctx, nil
}

// buildProgram builds cmd/cohort and returns the path of the binary.
func buildProgram() (string, error) {
	folder, err := os.MkdirTemp("", "cohort-browser")
	if err != nil {
		return "", err
	}
	finally(func() { _ = os.RemoveAll(folder) })
	binary := filepath.Join(folder, "cohort")
	build := exec.Command("go", "build", "-o", binary, "./cmd/cohort")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return binary, nil
}
