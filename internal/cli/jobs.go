package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"
	"cohort.example/cohort/internal/service"
)

type jobCommands struct {
	List  jobList  `cmd:"" help:"List the messages to other systems that are not delivered yet, or are dead."`
	Retry jobRetry `cmd:"" help:"Make jobs due now, with as many attempts as new ones."`
	Drop  jobDrop  `cmd:"" help:"Delete jobs without delivering them."`
}

type jobList struct {
	Store string `env:"COHORT_STORE" placeholder:"HASH" help:"Only this store's jobs."`
	State string `env:"COHORT_STATE" enum:",waiting,dead" default:"" placeholder:"STATE" help:"Only jobs in this state: waiting, or dead (no more attempts are made)."`
	jsonFlag
	dbFlag
}

// jobJSON is a job as --json prints it.
type jobJSON struct {
	Store     string `json:"store"`
	ID        int64  `json:"id"`
	Kind      string `json:"kind"`
	Subject   string `json:"subject"` // for a sitewide discount, the id of the customer group
	State     string `json:"state"`   // waiting or dead
	Running   bool   `json:"running"`
	Attempts  int    `json:"attempts"`
	NextTry   string `json:"next_try"` // RFC 3339, UTC; empty for a dead job
	LastError string `json:"last_error"`
}

func newJobJSON(j outbox.Entry) jobJSON {
	next := ""
	if j.State != outbox.Dead {
		next = dateText(j.NextAttempt)
	}
	return jobJSON{
		Store: cohort.HashOfKey(j.Store), ID: j.ID, Kind: j.Kind, Subject: j.Subject, State: string(j.State),
		Running: j.State != outbox.Dead && j.Leased(time.Now()), Attempts: j.Attempt, NextTry: next, LastError: j.LastError,
	}
}

// Run prints the jobs.
func (c *jobList) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		key, err := optionalKey(in, svc, c.Store)
		if err != nil {
			return err
		}
		jobs, err := svc.Outbox().List(in.ctx, key, outbox.State(c.State))
		if err != nil {
			return err
		}
		l := c.newListing(in, "STORE", "ID", "WHAT", "STATE", "ATTEMPTS", "NEXT TRY", "LAST ERROR")
		for _, j := range jobs {
			err := l.add(newJobJSON(j), cohort.HashOfKey(j.Store), idText(j.ID), jobText(j), string(j.State),
				strconv.Itoa(j.Attempt), nextTryText(j), j.LastError)
			if err != nil {
				return err
			}
		}
		return l.end()
	})
}

// jobText describes a job.
func jobText(j outbox.Entry) string {
	if j.Kind == service.SitewideKind {
		return "sitewide discount of customer group " + j.Subject
	}
	return j.Kind + " " + j.Subject
}

func nextTryText(j outbox.Entry) string {
	switch {
	case j.State == outbox.Dead:
		return "never"
	case j.Leased(time.Now()):
		return "running"
	}
	return dateText(j.NextAttempt)
}

// jobChoice is one job of a store, or all jobs of the store.
type jobChoice struct {
	Store string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store of the jobs."`
	ID    int64  `arg:"" optional:"" help:"The id of the job, as \"cohort jobs list\" prints it."`
	All   bool   `env:"COHORT_ALL" help:"All jobs of the store."`
}

func (c jobChoice) check() error {
	if (c.ID != 0) == c.All {
		return usageError("give the id of a job, or --all")
	}
	if c.ID < 0 {
		return usageError("the id of a job is a positive number")
	}
	return nil
}

// text returns a sentence about n jobs.
func (c jobChoice) text(n int64, is, are string) string {
	switch {
	case !c.All:
		return fmt.Sprintf("Job %d of store %s %s.\n", c.ID, c.Store, is)
	case n == 1:
		return fmt.Sprintf("1 job of store %s %s.\n", c.Store, is)
	}
	return fmt.Sprintf("%d jobs of store %s %s.\n", n, c.Store, are)
}

type jobRetry struct {
	jobChoice
	dbFlag
}

// Run makes the jobs due now.
func (c *jobRetry) Run(in *invocation) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		n, err := svc.Outbox().Retry(in.ctx, st.Key, c.ID)
		if err != nil {
			return err
		}
		fmt.Fprint(in.Out, c.text(n, "is due now", "are due now"))
		return nil
	})
}

type jobDrop struct {
	jobChoice
	Yes bool `env:"COHORT_YES" help:"Drop without confirmation."`
	dbFlag
}

// Run deletes the jobs, after a confirmation unless --yes is given.
func (c *jobDrop) Run(in *invocation) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		if !c.Yes {
			if err := c.confirm(in, svc, st.Key); err != nil {
				return err
			}
		}
		n, err := svc.Outbox().Drop(in.ctx, st.Key, c.ID)
		if err != nil {
			return err
		}
		fmt.Fprint(in.Out, c.text(n, "is dropped", "are dropped"))
		return nil
	})
}

func (c *jobDrop) confirm(in *invocation, svc *service.Service, key string) error {
	jobs, err := svc.Outbox().List(in.ctx, key, "")
	if err != nil {
		return err
	}
	n := 0
	for _, j := range jobs {
		if c.All || j.ID == c.ID {
			fmt.Fprintf(in.Out, "%d: %s\n", j.ID, jobText(j))
			n++
		}
	}
	if n == 0 && !c.All {
		return outbox.NotFound(c.Store, c.ID)
	}
	fmt.Fprintf(in.Out, "The other system does not get %s, and keeps the discounts that it has.\nType the hash of the store to continue: ", counted(int64(n), "job"))
	line, _ := bufio.NewReader(in.In).ReadString('\n') // end of input is a "no"
	if strings.TrimSpace(line) != c.Store {
		return errors.New("nothing is dropped")
	}
	return nil
}
