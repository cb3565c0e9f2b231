package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"cohort.example/cohort/internal/db"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

type copyCommand struct {
	From string `required:"" placeholder:"URL" help:"The database to copy from, as --db of the other commands."`
	To   string `required:"" placeholder:"URL" help:"The database to copy to. It must be empty; a file is made."`
}

// Run copies a database, and prints how many rows there are on both sides.
func (c *copyCommand) Run(in *invocation) (err error) {
	if c.From == c.To {
		return usageError("--from and --to name the same database")
	}
	from, err := db.OpenExisting(in.ctx, c.From)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := db.Open(in.ctx, c.To)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	for _, f := range to.OpenToOthers() {
		fmt.Fprintf(in.Err, "cohort: others than its owner can read or write %s (mode %04o), which will hold hashes of passwords; let nobody else with chmod 600\n", f.Path, f.Mode)
	}
	progress, end := newProgress(in.Err, "rows")
	counts, err := db.Copy(in.ctx, from, to, progress)
	end()
	if len(counts) == 0 {
		return err
	}
	t := newTable(in, "TABLE", "FROM", "TO")
	for _, n := range counts {
		t.row(n.Table, strconv.FormatInt(n.From, 10), strconv.FormatInt(n.To, 10))
	}
	if err := errors.Join(err, t.Flush()); err != nil {
		return err
	}
	fmt.Fprintln(in.Out, "\nEverything is copied. What was written to the first database meanwhile is not among it.")
	return nil
}

// progressEvery is how often a progress bar is drawn anew.
const progressEvery = 100 * time.Millisecond

// newProgress returns a progress bar on w, and how to wipe it away; where nobody
// looks, because w is no terminal, it draws nothing.
func newProgress(w io.Writer, unit string) (progress func(done, of int64), end func()) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) { //nolint:gosec // a file descriptor is small
		return func(int64, int64) {}, func() {}
	}
	bar := progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(w), progressbar.OptionThrottle(progressEvery), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit), progressbar.OptionClearOnFinish())
	return func(done, of int64) {
		bar.ChangeMax64(of)
		_ = bar.Set64(done) // a bar that cannot be drawn is no reason to stop
	}, func() { _ = bar.Clear() }
}
