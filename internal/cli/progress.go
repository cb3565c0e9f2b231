package cli

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progressInterval is how often a progress bar is drawn at most.
const progressInterval = 100 * time.Millisecond

// unknown is the total of a progress that has no known end.
const unknown = -1

// progress draws what a long command is doing on a terminal. Where standard error is
// not a terminal, it draws nothing.
type progress struct {
	out io.Writer // nil: draw nothing
	bar *progressbar.ProgressBar
}

func newProgress(in *invocation) *progress {
	if !isTerminal(in.Err) {
		return &progress{}
	}
	return &progress{out: in.Err}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) //nolint:gosec // a file descriptor is small
}

// begin replaces the bar by one for the next step, such as "copying", of a total in
// units such as "rows". If the total is unknown, the bar shows that time passes.
func (p *progress) begin(step, unit string, total int64) {
	if p.out == nil {
		return
	}
	p.end()
	p.bar = progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(step), progressbar.OptionThrottle(progressInterval),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit),
		progressbar.OptionSetWidth(20), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	_ = p.bar.RenderBlank() // a bar that cannot be drawn must not stop the work
}

// set says how much of the total is done.
func (p *progress) set(done, total int64) {
	if p.bar == nil {
		return
	}
	if total != p.bar.GetMax64() {
		p.bar.ChangeMax64(total)
		_ = p.bar.RenderBlank() // at once, however short the work is
	}
	_ = p.bar.Set64(done)
}

// end removes the bar.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Exit() // stops the animation of an unknown total
		_ = p.bar.Clear()
		p.bar = nil
	}
}
