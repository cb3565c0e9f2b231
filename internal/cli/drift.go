package cli

import (
	"iter"
	"maps"
	"slices"

	"cohort.example/cohort/internal/exchange"
	"cohort.example/cohort/internal/replay"
	"cohort.example/cohort/internal/upstream"
)

type driftCommand struct {
	Older string `arg:"" name:"older" help:"A recording of the store."`
	Newer string `arg:"" optional:"" name:"newer" help:"A later recording of it. Without one, the store is asked now."`
	URL   string `name:"url" default:"https://api.bigcommerce.com" placeholder:"URL" help:"The API of the store that is asked (${default})."`
	Store string `env:"COHORT_STORE" placeholder:"HASH" help:"The store that is asked."`
	Token string `env:"COHORT_TOKEN" placeholder:"TEXT" help:"Its token. Use the variable, which does not show in the process list."`
	JSON  bool   `name:"json" help:"Print a JSON object."`
}

// Run compares a recording with a later one, or with the store. It sends only GET and HEAD.
func (c *driftCommand) Run(in *invocation) error {
	if c.Newer != "" {
		return withRecording(c.Older, func(older iter.Seq2[*exchange.Exchange, error]) error {
			return withRecording(c.Newer, func(newer iter.Seq2[*exchange.Exchange, error]) error {
				return reportResults(in, c.JSON, replay.Drift(older, newer))
			})
		})
	}
	to, err := upstream.ParseURL(c.URL)
	if err != nil {
		return usageError("--url cannot be used: " + err.Error())
	}
	if c.Store == "" || c.Token == "" {
		return usageError("give a second recording, or --store and the token of the store, in COHORT_TOKEN or --token")
	}
	client, err := clientOf(to.String())
	if err != nil {
		return err
	}
	return withRecording(c.Older, func(older iter.Seq2[*exchange.Exchange, error]) error {
		return reportResults(in, c.JSON, replay.Run(in.ctx, older, replay.Options{
			URL: to.String(), Store: c.Store, Token: c.Token, Client: client, Same: true, Wait: pause,
		}))
	})
}

func sortedKeys(counts map[string]int) []string { return slices.Sorted(maps.Keys(counts)) }
