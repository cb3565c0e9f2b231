package cli

import (
	"context"
	"fmt"
	"time"
)

type waitCommand struct {
	serverFlag
	Timeout time.Duration `default:"30s" placeholder:"TIME" help:"How long to wait (${default})."`
}

// Run asks /readyz until it says that the server is ready.
func (c *waitCommand) Run(in *invocation) error {
	ctx, cancel := context.WithTimeout(in.ctx, c.Timeout)
	defer cancel()
	var cause error // what the server last said, rather than that the time is over
	for {
		server, err := c.url() // a server may be starting in the background meanwhile
		if err == nil {
			err = askReady(ctx, server+"/readyz")
		}
		if err == nil {
			fmt.Fprintln(in.Out, "ready")
			return nil
		}
		if cause == nil || ctx.Err() == nil {
			cause = err
		}
		if pause(ctx, readyPause) != nil {
			return fmt.Errorf("waited %s for %s: %w", c.Timeout, server, cause)
		}
	}
}
