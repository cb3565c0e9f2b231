package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cohort.example/cohort/internal/daemon"
)

type stopCommand struct {
	Timeout time.Duration `default:"20s" placeholder:"TIME" help:"How long to wait until the server has ended (${default})."`
}

// Run asks the server to end, and waits for its end.
func (c *stopCommand) Run(in *invocation) error {
	folder, err := daemon.Default()
	if err != nil {
		return err
	}
	running, err := folder.Running()
	switch {
	case errors.Is(err, daemon.ErrNotRunning):
		fmt.Fprintln(in.Out, "No server runs in the background.")
		return nil
	case errors.Is(err, daemon.ErrStarting):
		return errors.New("the server is about to start; try again when it is ready")
	case err != nil:
		return err
	}
	if err := running.Stop(); err != nil {
		return fmt.Errorf("cannot end process %d: %w", running.PID, err)
	}
	ctx, cancel := context.WithTimeout(in.ctx, c.Timeout)
	defer cancel()
	for {
		// The server removes the file before it ends, so it may look as if it started.
		if _, err := folder.Running(); errors.Is(err, daemon.ErrNotRunning) {
			fmt.Fprintf(in.Out, "The server at %s has ended.\n", running.URL)
			return nil
		}
		if err := pause(ctx, readyPause); err != nil {
			return fmt.Errorf("process %d has not ended after %s; it finishes the requests that run, and its log is %s", running.PID, c.Timeout, folder.Log())
		}
	}
}
