package console

import (
	"fmt"
	"net/url"
	"strconv"

	"cohort.example/cohort/internal/numeral"
	"cohort.example/cohort/internal/outbox"
)

func jobRoutes() []route {
	return []route{
		{method: "GET", path: "stores/{hash}/jobs", handle: (*call).listJobs},
		{method: "POST", path: "stores/{hash}/jobs/retry", handle: (*call).retryJobs},
		{method: "POST", path: "stores/{hash}/jobs/drop", handle: (*call).dropJobs},
	}
}

// maxJobs bounds how many jobs a page shows.
const maxJobs = 200

// jobsPage is what the page of the jobs shows.
type jobsPage struct {
	Jobs  []outbox.Entry // at most maxJobs
	Total int
	State outbox.State
}

// listJobs shows the messages to other systems that are not delivered yet, or are dead.
func (c *call) listJobs() error {
	p := jobsPage{State: outbox.State(c.query("state"))}
	if p.State != outbox.Waiting && p.State != outbox.Dead {
		p.State = ""
	}
	jobs, err := c.Service.Outbox().List(c.ctx(), c.store.Key, p.State)
	if err != nil {
		return err
	}
	p.Total, p.Jobs = len(jobs), jobs[:min(len(jobs), maxJobs)]
	return c.render(page{name: "jobs", title: "Jobs", body: p, same: []example{{"Command line", fmt.Sprintf(
		"cohort jobs list --store %[1]s\ncohort jobs retry --store %[1]s ID\ncohort jobs drop --store %[1]s --all", c.store.Hash)}}})
}

// Runs reports whether an attempt to deliver a job is running.
func (v view) Runs(j outbox.Entry) bool { return j.State != outbox.Dead && j.Leased(v.Now()) }

// job returns the id of the job that the form names; 0: all jobs of the store.
func (c *call) job() (int64, error) {
	if c.form.Get("id") == "all" {
		return 0, nil
	}
	id, err := strconv.ParseInt(c.form.Get("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, &statusError{400, "The form names no job."}
	}
	return id, nil
}

// retryJobs makes a job, or all jobs, due now.
func (c *call) retryJobs() error {
	id, err := c.job()
	if err != nil {
		return err
	}
	n, err := c.Service.Outbox().Retry(c.ctx(), c.store.Key, id)
	if err != nil {
		return err
	}
	return c.sayAndGo(c.path("jobs"), numeral.Plural(n, "job is due now.", "jobs are due now."))
}

// dropJobs asks, with the number of jobs, and then deletes them.
func (c *call) dropJobs() error {
	id, err := c.job()
	if err != nil {
		return err
	}
	count := 1
	if id == 0 {
		jobs, err := c.Service.Outbox().List(c.ctx(), c.store.Key, "")
		if err != nil {
			return err
		}
		count = len(jobs)
	}
	if c.form.Get("count") != fmt.Sprint(count) {
		jobs := numeral.Plural(int64(count), "job", "jobs")
		return c.confirm(confirmation{
			Title: "Drop " + jobs, Section: "jobs", Button: "Drop " + jobs, Back: c.path("jobs"), Action: c.r.URL.Path,
			Text:   []string{"The other system does not get what they say, and keeps what it has."},
			Fields: url.Values{"id": {c.form.Get("id")}, "count": {fmt.Sprint(count)}},
		})
	}
	n, err := c.Service.Outbox().Drop(c.ctx(), c.store.Key, id)
	if err != nil {
		return err
	}
	return c.sayAndGo(c.path("jobs"), numeral.Plural(n, "job was dropped.", "jobs were dropped."))
}
