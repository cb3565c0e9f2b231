package cli

import (
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type checkCommand struct {
	Fix bool `env:"COHORT_FIX" help:"Repair the rows of stores. What is wrong with the file itself stays; restore a backup then."`
	jsonFlag
	dbFlag
}

// flawJSON is a flaw as --json prints it.
type flawJSON struct {
	Store    string `json:"store"` // empty: of the file
	Kind     string `json:"kind"`
	Flaw     string `json:"flaw"`
	Repaired bool   `json:"repaired"`
}

// Run prints the flaws of a database. It fails if some are left.
func (c *checkCommand) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		l := c.newListing(in, "STORE", "KIND", "FLAW")
		left, repaired := 0, 0
		add := func(f flawJSON) error {
			if f.Repaired {
				repaired++
			} else {
				left++
			}
			return l.add(f, f.Store, f.Kind, f.Flaw)
		}
		damage, err := svc.Damage(in.ctx)
		if err != nil {
			return err
		}
		for _, line := range damage {
			if err := add(flawJSON{Kind: "file", Flaw: line}); err != nil {
				return err
			}
		}
		// A repair in a damaged file may lose more than it mends.
		fix := c.Fix && len(damage) == 0
		stores, err := svc.CheckStores(in.ctx, fix, func(f service.Flaw) error {
			return add(flawJSON{Store: cohort.HashOfKey(f.StoreKey), Kind: string(f.Kind), Flaw: f.Text, Repaired: fix})
		})
		if err := errors.Join(err, c.end(l, left+repaired)); err != nil {
			return err
		}
		if !c.JSON {
			fmt.Fprintln(in.Out, checkSummary(int64(stores), repaired))
		}
		return c.verdict(left, len(damage) > 0)
	})
}

// end prints the listing, unless it is an empty table.
func (c *checkCommand) end(l *listing, flaws int) error {
	if flaws == 0 && !c.JSON {
		return nil
	}
	return l.end()
}

func checkSummary(stores int64, repaired int) string {
	s := counted(stores, "store") + " checked."
	if repaired > 0 {
		s += " Repaired: " + counted(int64(repaired), "flaw") + "."
	}
	return s
}

// verdict returns the error of a database with flaws.
func (c *checkCommand) verdict(left int, damaged bool) error {
	switch {
	case damaged:
		return errors.New("the file of the database is damaged; stop the server, keep a copy of the file, and restore a backup")
	case left > 0:
		return fmt.Errorf("the database has %s; cohort check --fix repairs what it finds", counted(int64(left), "flaw"))
	}
	return nil
}
