package cli

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type jobCommands struct {
	List  jobList  `cmd:"" help:"List the jobs: what is still to be told, and what is not tried any more."`
	Retry jobRetry `cmd:"" help:"Have jobs tried again at once, and as often as new ones."`
	Drop  jobDrop  `cmd:"" help:"Take jobs away. What they have to tell is not told then."`
}

type jobList struct {
	Store string `env:"COHORT_STORE" placeholder:"HASH" help:"Only this store's jobs."`
	State string `env:"COHORT_STATE" enum:",waiting,dead" default:"" placeholder:"STATE" help:"Only jobs in this state: waiting, or dead (tried so often that nobody tries them any more)."`
	dbFlag
}

// Run prints a table of the jobs.
func (c *jobList) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		key, err := optionalKey(in, svc, c.Store)
		if err != nil {
			return err
		}
		jobs, err := svc.ListJobs(in.ctx, key, service.JobState(c.State))
		if err != nil {
			return err
		}
		t := newTable(in, "STORE", "ID", "WHAT", "STATE", "ATTEMPTS", "NEXT TRY", "LAST ERROR")
		for _, j := range jobs {
			t.row(cohort.HashOfKey(j.StoreHash), strconv.FormatInt(j.ID, 10), jobText(j), string(j.State), strconv.Itoa(j.Attempt), nextTryText(j), j.LastError)
		}
		return t.Flush()
	})
}

// jobText says what a job is about.
func jobText(j service.Job) string {
	if j.Kind == service.SitewideJob {
		return "sitewide discount of customer group " + j.Subject
	}
	return j.Kind + " " + j.Subject
}

func nextTryText(j service.Job) string {
	switch {
	case j.State == db.JobDead:
		return "never"
	case j.Leased(time.Now()):
		return "under way"
	}
	return dateText(j.RunAt)
}

// jobChoice is one job of a store, or all of them.
type jobChoice struct {
	Store string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store whose jobs they are."`
	ID    int64  `arg:"" optional:"" help:"The job's id, as \"cohort jobs list\" shows it."`
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

// text says of how many jobs something is true.
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

// Run makes the jobs due.
func (c *jobRetry) Run(in *invocation) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		n, err := svc.RetryJobs(in.ctx, st.Key, c.ID)
		if err != nil {
			return err
		}
		fmt.Fprint(in.Out, c.text(n, "is due now", "are due now"))
		return nil
	})
}

type jobDrop struct {
	jobChoice
	Yes bool `env:"COHORT_YES" help:"Do not ask."`
	dbFlag
}

// Run asks, unless told not to, and deletes the jobs.
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
		n, err := svc.DropJobs(in.ctx, st.Key, c.ID)
		if err != nil {
			return err
		}
		fmt.Fprint(in.Out, c.text(n, "is dropped", "are dropped"))
		return nil
	})
}

func (c *jobDrop) confirm(in *invocation, svc *service.Service, key string) error {
	jobs, err := svc.ListJobs(in.ctx, key, "")
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
		return service.NoJob(c.Store, c.ID)
	}
	fmt.Fprintf(in.Out, "The other system is not told any more what these %d have to tell, and goes on with what it knows.\nType the store's hash to go on: ", n)
	answer, _ := bufio.NewReader(in.In).ReadString('\n') // no line is a "no"
	if strings.TrimSpace(answer) != c.Store {
		return fmt.Errorf("nothing is dropped")
	}
	return nil
}
