package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"cohort.example/cohort/internal/conformance"
	"cohort.example/cohort/internal/upstream"
)

type conformanceCommand struct {
	URL         string `name:"url" default:"https://api.bigcommerce.com" placeholder:"URL" help:"The API of the store (${default})."`
	Token       string `env:"COHORT_API_TOKEN" placeholder:"TEXT" help:"The token of the store. Use the variable, which does not show in the process list."`
	Store       string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	AllowWrites bool   `name:"allow-writes" help:"Create groups, customers, price lists and more too, and delete them. Use this with a sandbox only."`
	JSON        bool   `name:"json" help:"Print the report as JSON."`
}

// Run prints which statements of the wire contract hold at a store.
func (c *conformanceCommand) Run(in *invocation) error {
	to, err := upstream.ParseURL(c.URL)
	if err != nil {
		return usageError("--url cannot be used: " + err.Error())
	}
	if c.Token == "" {
		return usageError("the store needs its token, in COHORT_API_TOKEN or --token")
	}
	client, err := clientOf(to.String())
	if err != nil {
		return err
	}
	report, err := conformance.Run(in.ctx, conformance.Options{
		URL: strings.TrimSuffix(to.String(), "/"), Store: c.Store, Token: c.Token, AllowWrites: c.AllowWrites, Client: client,
		Wait: pause, Run: strings.ToLower(rand.Text()[:8]), Now: time.Now(),
	})
	if err != nil {
		return errors.Join(err, leftOver(report))
	}
	if c.JSON {
		err = printJSON(in, report)
	} else {
		err = printConformance(in.Out, report)
	}
	if err = errors.Join(err, leftOver(report)); err == nil && report.Count(conformance.Differs) > 0 {
		err = differError("")
	}
	return err
}

// leftOver returns an error that names what could not be deleted, nil if there is nothing.
func leftOver(r *conformance.Report) error {
	if r == nil || len(r.Left) == 0 {
		return nil
	}
	return fmt.Errorf("cannot delete what was created: %s", strings.Join(r.Left, ", "))
}

// printConformance prints the statements that do not hold, after which request others were not
// checked, and the numbers.
func printConformance(out io.Writer, r *conformance.Report) error {
	var b strings.Builder
	var reasons []string
	notChecked := map[string]int{}
	for _, s := range r.Statements {
		switch s.Result {
		case conformance.Differs:
			printStatement(&b, s)
		case conformance.NotChecked:
			if notChecked[s.After]++; notChecked[s.After] == 1 {
				reasons = append(reasons, s.After)
			}
		}
	}
	for _, after := range reasons {
		fmt.Fprintf(&b, "Not checked, because of %s: %d\n", after, notChecked[after])
	}
	fmt.Fprintf(&b, "Statements that hold: %d. That do not: %d. Not checked: %d. Requests: %d.\n",
		r.Count(conformance.Holds), r.Count(conformance.Differs), r.Count(conformance.NotChecked), r.Requests)
	_, err := io.WriteString(out, b.String())
	return err
}

func printStatement(b *strings.Builder, s conformance.Statement) {
	fmt.Fprintf(b, "%s: %s\n", s.Page, s.Text)
	for _, p := range s.Problems {
		fmt.Fprintf(b, "  %s: status %d\n", p.Request, p.Status)
		for _, want := range p.Want {
			fmt.Fprintf(b, "    want %s\n", want)
		}
	}
}
