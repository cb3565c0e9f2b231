package cli

import (
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

// confirmFlags are for commands that change many customers.
type confirmFlags struct {
	DryRun bool   `help:"Change nothing, and print what would change."`
	Expect *int64 `placeholder:"N" help:"The number of customers that the dry run has printed. Required without --dry-run, if customers move."`
}

func (f confirmFlags) confirmation() service.Confirmation {
	return service.Confirmation{DryRun: f.DryRun, Expected: f.Expect}
}

// errUnconfirmed is returned without --dry-run and --expect.
var errUnconfirmed = errors.New("--expect is required. Use --dry-run first: it prints the number of customers to expect")

func (f confirmFlags) check() error {
	if !f.DryRun && f.Expect == nil {
		return errUnconfirmed
	}
	return nil
}

// print prints the customers of an operation, and what happened to them.
func (f confirmFlags) print(in *invocation, members service.AffectedMembers, moved string) error {
	if len(members.Sample) > 0 {
		t := newTable(in, "ID", "EMAIL", "GROUP")
		for _, c := range members.Sample {
			t.row(idText(c.ID), c.Email, idText(c.GroupID))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	if more := members.Count - int64(len(members.Sample)); more > 0 {
		fmt.Fprintf(in.Out, "… and %s more\n", counted(more, "customer"))
	}
	if f.DryRun {
		fmt.Fprintf(in.Out, "Dry run: %s would be %s. To do it, replace --dry-run with --expect %d.\n", counted(members.Count, "customer"), moved, members.Count)
		return nil
	}
	_, err := fmt.Fprintf(in.Out, "%s %s.\n", counted(members.Count, "customer"), moved)
	return err
}

type groupMove struct {
	Store string   `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	To    int64    `required:"" placeholder:"ID" help:"The group that the customers move to; 0 is none."`
	ID    []int64  `name:"customer" xor:"who" required:"" placeholder:"ID" help:"The customers, separated by commas."`
	Email []string `xor:"who" required:"" placeholder:"EMAIL" help:"The email addresses of the customers, separated by commas."`
	From  *int64   `xor:"who" required:"" placeholder:"ID" help:"All members of this group; 0 is all customers in none."`
	Skip  bool     `name:"skip-unknown" help:"Move the others if some customers do not exist."`
	confirmFlags
	dbFlag
}

// Run moves the customers.
func (c *groupMove) Run(in *invocation) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		move := service.MemberMove{IDs: c.ID, Emails: c.Email, GroupID: c.To, SkipUnknown: c.Skip, Confirmation: c.confirmation()}
		if c.From != nil {
			move.Filter = &cohort.CustomerFilter{GroupIDs: []int64{*c.From}}
		}
		moved, err := svc.MoveMembers(in.ctx, st.Key, move)
		if err != nil {
			return err
		}
		if moved.Unchanged > 0 {
			fmt.Fprintf(in.Out, "%s already there.\n", counted(moved.Unchanged, "customer"))
		}
		if moved.Unknown > 0 {
			fmt.Fprintf(in.Out, "%s unknown.\n", counted(moved.Unknown, "customer"))
		}
		return c.print(in, moved.AffectedMembers, "moved")
	})
}

type groupDelete struct {
	ID         int64  `arg:"" help:"The id of the group."`
	Store      string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	ReassignTo *int64 `placeholder:"ID" help:"The group that the members move to; 0 is none. Without it, a group with members is not deleted."`
	confirmFlags
	dbFlag
}

// Run deletes the group.
func (c *groupDelete) Run(in *invocation) error {
	if c.ReassignTo != nil {
		if err := c.check(); err != nil {
			return err
		}
	}
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		members, err := svc.DeleteGroupSafely(in.ctx, st.Key, c.ID, service.GroupDeletion{ReassignTo: c.ReassignTo, Confirmation: c.confirmation()})
		if err != nil {
			return err
		}
		if err := c.print(in, members, "moved"); err != nil || c.DryRun {
			return err
		}
		_, err = fmt.Fprintf(in.Out, "Group %d is deleted.\n", c.ID)
		return err
	})
}

type groupClone struct {
	ID     int64  `arg:"" help:"The id of the group."`
	Store  string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	Name   string `required:"" help:"The name of the new group."`
	DryRun bool   `help:"Change nothing, and print what would be made."`
	dbFlag
}

// Run clones the group.
func (c *groupClone) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		clone, err := svc.CloneGroup(in.ctx, st.Key, c.ID, c.Name, c.DryRun)
		if err != nil {
			return err
		}
		parts := counted(int64(len(clone.DiscountRules)), "discount rule") + " and " + counted(int64(len(clone.Assignments)), "price list assignment")
		if c.DryRun {
			_, err = fmt.Fprintf(in.Out, "Dry run: the clone would have %s.\n", parts)
			return err
		}
		_, err = fmt.Fprintf(in.Out, "Group %d has %s.\n", clone.ID, parts)
		return err
	})
}
