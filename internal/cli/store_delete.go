package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type storeDelete struct {
	hashArg
	Yes bool `env:"COHORT_YES" help:"Delete without confirmation."`
	dbFlag
}

// Run deletes the store, after a confirmation unless --yes is given.
func (c *storeDelete) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Hash)
		if err != nil {
			return err
		}
		if !c.Yes {
			if err := c.confirm(in, svc, st.Key); err != nil {
				return err
			}
		}
		if err := svc.DeleteStore(in.ctx, st.Key); err != nil {
			return err
		}
		fmt.Fprintf(in.Out, "Store %s is deleted.\n", c.Hash)
		return c.sweep(in, svc, st.Key)
	})
}

func (c *storeDelete) confirm(in *invocation, svc *service.Service, key string) error {
	groups, err := svc.CountGroups(in.ctx, key, cohort.GroupFilter{})
	if err != nil {
		return err
	}
	customers, err := svc.CountCustomers(in.ctx, key, cohort.CustomerFilter{})
	if err != nil {
		return err
	}
	tokens, err := svc.ListTokens(in.ctx, key)
	if err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "This deletes store %s with %s, %s and %s. It cannot be undone.\nType the hash of the store to continue: ", c.Hash,
		counted(groups, "customer group"), counted(customers, "customer"), counted(int64(len(tokens)), "token"))
	line, _ := bufio.NewReader(in.In).ReadString('\n') // end of input is a "no"
	if strings.TrimSpace(line) != c.Hash {
		return errors.New("nothing is deleted")
	}
	return nil
}

// sweep deletes the rows of a deleted store and its snapshots, if they were too many for one
// transaction.
func (c *storeDelete) sweep(in *invocation, svc *service.Service, key string) error {
	deleted, err := svc.DeletedStores(in.ctx)
	if err != nil {
		return err
	}
	for _, d := range deleted {
		if d.Key != key && d.SnapshotOf != key {
			continue
		}
		if err := c.sweepOne(in, svc, d); err != nil || in.ctx.Err() != nil {
			return err
		}
	}
	return nil
}

func (c *storeDelete) sweepOne(in *invocation, svc *service.Service, d service.DeletedStore) error {
	what := "Its"
	if d.SnapshotOf != "" {
		what = "A snapshot's"
	}
	fmt.Fprintln(in.Err, what+" rows are deleted in small batches. Press Ctrl-C to leave them to \"cohort serve\".")
	bar := newProgress(in)
	defer bar.end()
	total := int64(unknown)
	if bar.out != nil {
		bar.begin("counting", "rows", unknown)
		if rows, err := svc.CountStoreRows(in.ctx, d.Key); err == nil {
			total = rows
		}
	}
	bar.begin("deleting", "rows", total)
	var swept int64
	err := svc.SweepStore(in.ctx, d, func(rows int64) {
		swept = rows
		bar.set(rows, total)
	})
	bar.end()
	if in.ctx.Err() != nil && errors.Is(err, in.ctx.Err()) {
		fmt.Fprintln(in.Err, "Stopped. \"cohort serve\" deletes the remaining rows.")
		return nil
	}
	if err != nil {
		return fmt.Errorf("the store is deleted, and \"cohort serve\" deletes its remaining rows: %w", err)
	}
	fmt.Fprintf(in.Out, "%s %d rows are deleted.\n", what, swept)
	return nil
}
