package cli

import (
	"fmt"
	"strconv"
	"time"

	"cohort.example/cohort/internal/controlclient"
	"cohort.example/cohort/internal/daemon"
)

type statusCommand struct {
	controlFlags
	JSON bool `name:"json" help:"Print a JSON object instead of a table."`
}

// statusJSON is a running server as --json prints it.
type statusJSON struct {
	URL           string    `json:"url"`
	Version       string    `json:"version"`
	DateStarted   time.Time `json:"date_started"`
	UptimeSeconds int64     `json:"uptime_seconds"`
	PID           int       `json:"pid,omitempty"` // of a server that "cohort start" has started
	Log           string    `json:"log,omitempty"` // likewise
}

// Run asks the server what it is. It fails if there is no answer.
func (c *statusCommand) Run(in *invocation) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	s := statusJSON{URL: client.URL()}
	if err := client.Decode(in.ctx, controlclient.Call{Method: "GET", Path: "/health"}, &s); err != nil {
		return err
	}
	if running, err := background(); err == nil && running.URL == client.URL() {
		folder, err := daemon.Default()
		if err != nil {
			return err
		}
		s.PID, s.Log = running.PID, folder.Log()
	}
	if c.JSON {
		return printJSON(in, s)
	}
	t := newTable(in, "URL", s.URL)
	t.row("VERSION", s.Version)
	t.row("STARTED", dateText(s.DateStarted))
	t.row("UPTIME", fmt.Sprint(time.Duration(s.UptimeSeconds)*time.Second))
	if s.PID != 0 {
		t.row("PROCESS", strconv.Itoa(s.PID))
		t.row("LOG", s.Log)
	}
	return t.Flush()
}
