package mcp

import (
	"context"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/outbox"
	"cohort.example/cohort/internal/service"
)

func jobTools() []tool {
	return []tool{
		define(tool{
			name: "list_jobs", title: "List undelivered messages", operations: []string{"listGroups"},
			description: "Messages to other systems, such as webhooks, that wait or are dead: no more attempts are made.",
		}, (*caller).listJobs),
		define(tool{
			name: "retry_job", title: "Retry a message", operations: []string{"updateGroup"}, writes: true,
			description: "Makes a waiting or dead message due now, with as many attempts as a new one.",
		}, (*caller).retryJob),
	}
}

type listJobsInput struct {
	State jobState `json:"state,omitempty"`
	listInput
}

type jobRow struct {
	ID        int64  `json:"id"`
	What      string `json:"what"`
	State     string `json:"state"`
	Running   bool   `json:"running,omitempty"`
	Attempts  int    `json:"attempts"`
	NextTry   string `json:"next_try,omitempty"`
	LastError string `json:"last_error,omitempty"`
}

func (c *caller) listJobs(ctx context.Context, in listJobsInput) (any, error) {
	p, err := in.page()
	if err != nil {
		return nil, err
	}
	jobs, err := c.Service.Outbox().List(ctx, c.store.Key, outbox.State(in.State))
	if err != nil {
		return nil, err
	}
	after, _ := ref(p.After).id() // 0: from the first one
	rows := []jobRow{}
	for _, j := range jobs {
		if j.ID > after && len(rows) < p.Size {
			rows = append(rows, c.viewJob(j))
		}
	}
	return newList(in.listInput, rows, int64(len(jobs)), func(r jobRow) int64 { return r.ID })
}

func (c *caller) viewJob(j outbox.Entry) jobRow {
	row := jobRow{
		ID: j.ID, What: j.Kind + " " + clip(j.Subject, maxShown), State: string(j.State), Attempts: j.Attempt, LastError: clip(j.LastError, maxReason),
		Running: j.State != outbox.Dead && j.Leased(time.Now()),
	}
	if j.Kind == service.SitewideKind {
		row.What = "sitewide discount of group " + j.Subject
	}
	if j.State != outbox.Dead {
		row.NextTry = dateText(j.NextAttempt)
	}
	return row
}

type retryJobInput struct {
	Job positive `json:"job" jsonschema:"id"`
}

func (c *caller) retryJob(ctx context.Context, in retryJobInput) (any, error) {
	n, err := c.Service.Outbox().Retry(ctx, c.store.Key, int64(in.Job))
	if missing(err) {
		return nil, cohort.Invalid("job", "there is no such job; list_jobs lists them")
	}
	return map[string]int64{"due_now": n}, err
}
