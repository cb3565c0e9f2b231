package cli

import (
	"fmt"
	"time"

	"cohort.example/cohort/internal/controlclient"
)

type snapshotCommands struct {
	Save    snapshotSave    `cmd:"" help:"Save the content of a store under a name. An earlier snapshot of that name is replaced."`
	Restore snapshotRestore `cmd:"" help:"Restore the content of a store."`
	List    snapshotList    `cmd:"" help:"List the snapshots of a store."`
	Rm      snapshotRm      `cmd:"" help:"Remove a snapshot."`
}

type snapshotArg struct {
	Name string `arg:"" help:"The name of the snapshot."`
	testStoreFlags
}

// snapshotJSON is a snapshot of the control API, as --json prints it.
type snapshotJSON struct {
	Name        string    `json:"name"`
	DateCreated time.Time `json:"date_created"`
	Rows        int64     `json:"rows"`
}

func (c *snapshotArg) call(method string, below ...string) controlclient.Call {
	return controlclient.Call{Method: method, Path: c.path(append([]string{"snapshots", c.Name}, below...)...)}
}

type snapshotSave struct{ snapshotArg }

// Run saves the store.
func (c *snapshotSave) Run(in *invocation) error {
	var s snapshotJSON
	if err := c.decode(in, &s, c.call("PUT")); err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "Store %s is saved as %s, with %s.\n", c.Store, c.Name, counted(s.Rows, "row"))
	return nil
}

type snapshotRestore struct{ snapshotArg }

// Run restores the store.
func (c *snapshotRestore) Run(in *invocation) error {
	var s snapshotJSON
	if err := c.decode(in, &s, c.call("POST", "restore")); err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "Store %s is as in %s, with %s.\n", c.Store, c.Name, counted(s.Rows, "row"))
	return nil
}

type snapshotRm struct{ snapshotArg }

// Run removes the snapshot.
func (c *snapshotRm) Run(in *invocation) error {
	if _, err := c.do(in, "DELETE", nil, "snapshots", c.Name); err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "Snapshot %s of store %s is removed.\n", c.Name, c.Store)
	return nil
}

type snapshotList struct {
	testStoreFlags
	jsonFlag
}

// Run prints the snapshots.
func (c *snapshotList) Run(in *invocation) error {
	var list struct {
		Snapshots []snapshotJSON `json:"snapshots"`
	}
	if err := c.decode(in, &list, controlclient.Call{Method: "GET", Path: c.path("snapshots")}); err != nil {
		return err
	}
	l := c.newListing(in, "NAME", "CREATED", "ROWS")
	for _, s := range list.Snapshots {
		if err := l.add(s, s.Name, dateText(s.DateCreated), idText(s.Rows)); err != nil {
			return err
		}
	}
	return l.end()
}
