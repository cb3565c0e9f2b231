package cli

import (
	"fmt"
	"time"

	"cohort.example/cohort/internal/controlclient"
)

type clockCommands struct {
	Show    clockShow    `cmd:"" help:"Show the clock of a store."`
	Freeze  clockFreeze  `cmd:"" help:"Stop the clock of a store at a time."`
	Offset  clockOffset  `cmd:"" help:"Let the clock of a store run ahead of the system clock, or behind it."`
	Advance clockAdvance `cmd:"" help:"Move the clock of a store forward, whether it runs or is frozen."`
	Reset   clockReset   `cmd:"" help:"Let a store use the system clock again."`
}

// clockJSON is a clock of the control API, as --json prints it.
type clockJSON struct {
	Now    time.Time `json:"now"`
	Frozen bool      `json:"frozen"`
	Offset string    `json:"offset"`
}

// clockFlags are for commands that print the clock.
type clockFlags struct {
	testStoreFlags
	JSON bool `name:"json" help:"Print a JSON object instead of a sentence."`
}

// print sends a request and prints the clock that is its response.
func (f clockFlags) print(in *invocation, method string, body any, below ...string) error {
	var clock clockJSON
	call := controlclient.Call{Method: method, Path: f.path(append([]string{"clock"}, below...)...), Body: body}
	if err := f.decode(in, &clock, call); err != nil {
		return err
	}
	if f.JSON {
		return printJSON(in, clock)
	}
	state := "the system clock"
	switch {
	case clock.Frozen:
		state = "frozen"
	case clock.Offset != "" && clock.Offset != "0s":
		state = "the system clock and " + clock.Offset
	}
	_, err := fmt.Fprintf(in.Out, "In store %s it is %s (%s).\n", f.Store, clock.Now.UTC().Format(time.RFC3339Nano), visibleText(state))
	return err
}

type clockShow struct{ clockFlags }

// Run prints the clock.
func (c *clockShow) Run(in *invocation) error { return c.print(in, "GET", nil) }

type clockFreeze struct {
	Time string `arg:"" optional:"" default:"now" help:"The time, such as 2026-01-01T00:00:00Z; now, unless given."`
	clockFlags
}

// Run stops the clock.
func (c *clockFreeze) Run(in *invocation) error {
	return c.print(in, "PUT", map[string]string{"frozen_at": c.Time})
}

type clockOffset struct {
	Offset string `arg:"" help:"The offset, such as 72h; behind the system clock: -72h."`
	clockFlags
}

// Run sets the offset.
func (c *clockOffset) Run(in *invocation) error {
	return c.print(in, "PUT", map[string]string{"offset": c.Offset})
}

type clockAdvance struct {
	By string `arg:"" help:"How far, such as 48h or 30m."`
	clockFlags
}

// Run moves the clock.
func (c *clockAdvance) Run(in *invocation) error {
	return c.print(in, "POST", map[string]string{"by": c.By}, "advance")
}

type clockReset struct{ testStoreFlags }

// Run removes the clock of the store.
func (c *clockReset) Run(in *invocation) error {
	if _, err := c.do(in, "DELETE", nil, "clock"); err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "Store %s uses the system clock.\n", c.Store)
	return nil
}
