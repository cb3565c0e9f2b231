package cli

import (
	"context"
	"errors"
	"fmt"

	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/groupsync"
)

type applyCommand struct{ toFlags }

// Run prints the changes and makes them. If it has to stop, it prints those that are left.
func (c *applyCommand) Run(in *invocation) error {
	d, err := c.read(in)
	if err != nil {
		return err
	}
	var made int
	err = c.with(in, c.To, changing, func(ctx context.Context, api *client.Client) error {
		p, err := c.compare(ctx, in, api, d)
		if err != nil {
			return err
		}
		printPlan(in.Out, p)
		made = len(p.Changes)
		return c.apply(ctx, in, api, p)
	})
	if err != nil {
		return c.explain(in, err)
	}
	if made > 0 {
		fmt.Fprintf(in.Out, "Made %s.\n", counted(int64(made), "change"))
	}
	return nil
}

func (c *applyCommand) apply(ctx context.Context, in *invocation, api *client.Client, p *groupsync.Plan) error {
	bar := newProgress(in)
	defer bar.end()
	total := int64(len(p.Changes))
	bar.begin("applying", "changes", total)
	notes, err := groupsync.Apply(ctx, api, p, func(done int) { bar.set(int64(done), total) })
	bar.end()
	for _, n := range notes {
		fmt.Fprintln(in.Err, visibleText(n))
	}
	return err
}

// explain says what is made and prints what is left.
func (c *applyCommand) explain(in *invocation, err error) error {
	stopped, ok := errors.AsType[*groupsync.Stopped](err)
	switch {
	case !ok:
		return err
	case isDatabase(c.To):
		return fmt.Errorf("%w; nothing was changed", err)
	}
	fmt.Fprintf(in.Err, "Made %s. Left:\n", counted(int64(stopped.Done), "change"))
	printChanges(in.Err, stopped.Left)
	return fmt.Errorf("%w; the same command makes the changes that are left", err)
}
