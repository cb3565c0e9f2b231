package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/groupsync"
)

type diffCommand struct {
	toFlags
	JSON bool `name:"json" help:"Print a JSON object."`
}

// toFlags are for commands that compare a file with a store.
type toFlags struct {
	File  string `arg:"" help:"The file, YAML or JSON, as of \"cohort pull\"; - is standard input."`
	To    string `required:"" placeholder:"URL" help:"Where the store is: the URL of a server, such as https://api.bigcommerce.com, or of a database, such as sqlite:cohort.db."`
	Prune bool   `help:"Delete the groups, price lists, records and assignments that the file does not have."`
	storeFlags
}

// Run prints the changes.
func (c *diffCommand) Run(in *invocation) error {
	d, err := c.read(in)
	if err != nil {
		return err
	}
	var p *groupsync.Plan
	err = c.with(in, c.To, reading, func(ctx context.Context, api *client.Client) (err error) {
		p, err = c.compare(ctx, in, api, d)
		return err
	})
	switch {
	case err != nil:
		return err
	case c.JSON:
		err = printJSON(in, p)
	default:
		printPlan(in.Out, p)
	}
	switch {
	case err != nil:
		return err
	case len(p.Problems) > 0:
		return errors.New("the store lacks what the file needs")
	case len(p.Changes) > 0:
		return differError("")
	}
	return nil
}

// read reads the file.
func (c *toFlags) read(in *invocation) (*groupsync.Document, error) {
	text, err := readUpTo(in, c.File, groupsync.MaxFile)
	if err != nil {
		return nil, err
	}
	d, err := groupsync.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", inputName(c.File), err)
	}
	return d, nil
}

func (c *toFlags) compare(ctx context.Context, in *invocation, api *client.Client, d *groupsync.Document) (*groupsync.Plan, error) {
	bar := newProgress(in)
	defer bar.end()
	return groupsync.Compare(ctx, api, d, groupsync.Options{Prune: c.Prune, Progress: stepProgress(bar)})
}

// printPlan prints changes in words.
func printPlan(out io.Writer, p *groupsync.Plan) {
	for _, n := range p.Notes {
		fmt.Fprintln(out, n)
	}
	for _, text := range p.Problems {
		fmt.Fprintln(out, text)
	}
	printChanges(out, p.Changes)
	counts := map[groupsync.Action]int{}
	for _, c := range p.Changes {
		counts[c.Action]++
	}
	if len(p.Changes) == 0 {
		fmt.Fprintln(out, "Nothing to change.")
		return
	}
	fmt.Fprintf(out, "To create: %d. To update: %d. To delete: %d.\n", counts[groupsync.Create], counts[groupsync.Update], counts[groupsync.Delete])
}

func printChanges(out io.Writer, changes []groupsync.Change) {
	for _, c := range changes {
		fmt.Fprintln(out, changeText(c))
	}
}

// changeText is a change as a line.
func changeText(c groupsync.Change) string {
	line := visibleText(fmt.Sprintf("%s %s %s", c.Action, strings.ReplaceAll(string(c.Kind), "_", " "), c.Name))
	for _, f := range c.Fields {
		line += "\n  " + visibleText(fmt.Sprintf("%s: %s -> %s", f.Name, f.From, f.To))
	}
	if c.Kind == groupsync.KindGroup && c.Action == groupsync.Delete {
		line += fmt.Sprintf("\n  members who lose their group: %d", c.Members)
	}
	return line
}
