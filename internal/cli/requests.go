package cli

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"cohort.example/cohort/internal/controlclient"
)

type requestsCommand struct {
	ID     int64  `arg:"" optional:"" name:"id" help:"Print this request whole."`
	Follow bool   `short:"f" help:"Print requests as they end, until Ctrl-C."`
	As     string `enum:",curl" default:"" placeholder:"FORM" help:"curl: print a command that sends the request again."`
	JSON   bool   `name:"json" help:"Print a JSON array instead of a table; with --follow a line for each request, with an id an object."`

	Operation string `placeholder:"NAME" help:"Only requests to this operation, such as createGroup."`
	Method    string `placeholder:"METHOD" help:"Only requests with this method."`
	Path      string `placeholder:"PATH" help:"Only requests to this path after the store; a star stands for any characters: /v2/customers/*."`
	Status    int    `placeholder:"STATUS" help:"Only requests with this status."`
	Since     *int64 `placeholder:"ID" help:"Only requests after the one with this id. Without it, the newest ones are listed."`
	Limit     int    `default:"50" placeholder:"N" help:"How many requests are listed at most (${default}). It does not end --follow."`
	testStoreFlags
}

// requestJSON is what a table shows of a request.
type requestJSON struct {
	ID           int64     `json:"id"`
	Date         time.Time `json:"date"`
	DurationMS   float64   `json:"duration_ms"`
	Method       string    `json:"method"`
	Path         string    `json:"path"`
	Query        string    `json:"query"`
	Operation    string    `json:"operation"`
	Status       int       `json:"status"`
	Fault        string    `json:"fault"`
	UnreadFields []string  `json:"unread_fields"`
}

// Run prints requests, oldest first.
func (c *requestsCommand) Run(in *invocation) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if c.Limit < 1 {
		return usageError("--limit must be at least 1")
	}
	if c.As != "" && c.JSON {
		return usageError("--as and --json do not go together")
	}
	p := &requestPrinter{in: in, requestsCommand: c, client: client}
	switch {
	case c.ID != 0 && c.Follow:
		return usageError("an id and --follow do not go together")
	case c.ID != 0:
		return p.printOne()
	case c.Follow:
		return c.follow(in, client, p)
	}
	return c.list(in, client, p)
}

// filter returns the parameters that select requests.
func (c *requestsCommand) filter() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"operation": c.Operation, "method": c.Method, "path": c.Path} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if c.Status != 0 {
		q.Set("status", strconv.Itoa(c.Status))
	}
	return q
}

// requestPage is a page of requests.
type requestPage struct {
	Requests []json.RawMessage `json:"requests"`
	More     bool              `json:"more"`
}

// list prints the newest requests, or those since an id.
func (c *requestsCommand) list(in *invocation, client *controlclient.Client, p *requestPrinter) error {
	q := c.filter()
	q.Set("limit", strconv.Itoa(c.Limit))
	if c.Since != nil {
		q.Set("since", strconv.FormatInt(*c.Since, 10))
		q.Set("order", "asc")
	}
	var page requestPage
	if err := client.Decode(in.ctx, controlclient.Call{Method: "GET", Path: c.path("requests"), Query: q}, &page); err != nil {
		return err
	}
	if c.Since == nil {
		slices.Reverse(page.Requests)
	}
	if c.As == "" {
		p.list = jsonFlag{c.JSON}.newListing(in, requestColumns()...)
	}
	for _, text := range page.Requests {
		if err := p.print(text); err != nil {
			return err
		}
	}
	if page.More {
		fmt.Fprintln(in.Err, "There are more; --since and --limit select them.")
	}
	return p.end()
}

// follow prints requests until the context ends.
func (c *requestsCommand) follow(in *invocation, client *controlclient.Client, p *requestPrinter) error {
	since := int64(-1)
	if c.Since != nil {
		since = *c.Since
	}
	return client.Follow(in.ctx, c.Store, c.filter(), since, controlclient.Follower{
		Request: p.print,
		Lost: func(count int) {
			fmt.Fprintf(in.Err, "%s came too fast and cannot be shown.\n", counted(int64(count), "request"))
		},
		Interrupted: func(err error) {
			fmt.Fprintf(in.Err, "The connection is lost (%s). Trying again…\n", visibleText(err.Error()))
		},
		Resumed: func() { fmt.Fprintln(in.Err, "The connection is back.") },
	})
}
