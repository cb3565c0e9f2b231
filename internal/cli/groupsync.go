package cli

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/controlclient"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/groupsync"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// storeFlags are for commands about a store that is behind an API or in a database.
type storeFlags struct {
	Store string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	Token string `env:"COHORT_API_TOKEN" placeholder:"TEXT" help:"The token of the store, if it is behind an API. Use the variable, which does not show in the process list."`
}

func isDatabase(place string) bool {
	return strings.HasPrefix(place, "sqlite:") || strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// atServer returns a client for a store behind an API.
func (f storeFlags) atServer(url string) (*client.Client, error) {
	if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		return nil, usageError("the place of a store is the URL of a server, such as https://api.bigcommerce.com, or of a database, such as sqlite:cohort.db")
	}
	if f.Token == "" {
		return nil, usageError("a store behind an API needs its token, in COHORT_API_TOKEN or --token")
	}
	version, _ := buildVersion()
	options := []client.Option{client.WithBaseURL(url), client.WithUserAgent("cohort/" + version)}
	if file, ok := caOf(url); ok {
		trusting, err := controlclient.Trusting(file)
		if err != nil {
			return nil, err
		}
		options = append(options, client.WithHTTPClient(&http.Client{Transport: trusting}))
	}
	c, err := client.New(f.Store, f.Token, options...)
	if errors.Is(err, client.ErrArgument) {
		return nil, usageError(strings.TrimPrefix(err.Error(), "client: "))
	}
	return c, err
}

// transaction runs the calls of a client on a database in one transaction.
type transaction func(svc *service.Service, ctx context.Context, st cohort.Store, fn func(context.Context) error) error

// reading is a transaction that reads.
func reading(svc *service.Service, ctx context.Context, _ cohort.Store, fn func(context.Context) error) error {
	return svc.ReadStore(ctx, fn)
}

// changing is a transaction that changes a store, all or nothing.
func changing(svc *service.Service, ctx context.Context, st cohort.Store, fn func(context.Context) error) error {
	return svc.ChangeStore(ctx, st.Key, fn)
}

// with calls fn with a client for the store. On a database, all that it does is in one
// transaction.
func (f storeFlags) with(in *invocation, place string, t transaction, fn func(context.Context, *client.Client) error) error {
	if !isDatabase(place) {
		c, err := f.atServer(place)
		if err != nil {
			return err
		}
		return fn(in.ctx, c)
	}
	return dbFlag{place}.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, f.Store)
		if err != nil {
			return err
		}
		c, err := groupsync.Direct(server.Dialects(svc), st)
		if err != nil {
			return err
		}
		return t(svc, in.ctx, st, func(ctx context.Context) error { return fn(ctx, c) })
	})
}

// stepProgress draws the steps of reading a store.
func stepProgress(bar *progress) func(step string, rows int64) {
	current := ""
	return func(step string, rows int64) {
		if step != current {
			current = step
			bar.begin("reading "+step, "rows", unknown)
		}
		bar.set(rows, unknown)
	}
}
