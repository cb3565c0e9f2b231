package control

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/seed"
)

// maxSeeds bounds how many seeds and exports run at the same time: each may need some
// hundred MiB for the values of its text.
const maxSeeds = 2

// seedTimeout bounds a seed or an export, with the wait for its turn.
const seedTimeout = 5 * time.Minute

// patient returns a context of the work on a large body, which goes on when the client
// leaves, and gives the response as much time.
func patient(w http.ResponseWriter, r *http.Request) (context.Context, context.CancelFunc) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(seedTimeout)) // fails only without a network connection
	return context.WithTimeout(context.WithoutCancel(r.Context()), seedTimeout)
}

// seedCounts is the response to a seed.
type seedCounts struct {
	Store  store       `json:"store"`
	Counts seed.Counts `json:"counts"` // the items of each section
}

// seedStore replaces the content of a store by the seed in the body, in YAML or JSON.
func (a *API) seedStore(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	text, err := readText(w, r, seed.MaxBytes)
	if err != nil {
		return err
	}
	n, err := seed.Parse(text)
	if err != nil {
		return seedProblem(err)
	}
	ctx, cancel := patient(w, r)
	defer cancel()
	counts, err := a.load(ctx, st, n)
	if err != nil {
		return err
	}
	if st, err = a.Service.StoreByKey(ctx, st.Key); err != nil {
		return err
	}
	return writeOK(w, http.StatusOK, seedCounts{storeToWire(r, st), counts})
}

// load waits for its turn and loads a seed.
func (a *API) load(ctx context.Context, st cohort.Store, n *seed.Node) (counts seed.Counts, err error) {
	err = a.inTurn(ctx, func() error {
		counts, err = seed.Load(ctx, a.Service, a.Dialects, st, n)
		return seedProblem(err)
	})
	return counts, err
}

// inTurn runs fn when fewer than maxSeeds others run.
func (a *API) inTurn(ctx context.Context, fn func() error) error {
	select {
	case a.seeds <- struct{}{}:
		defer func() { <-a.seeds }()
		return fn()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// seedProblem returns the problem of a mistake in a seed.
func seedProblem(err error) error {
	e, ok := errors.AsType[*seed.Error](err)
	if !ok {
		return err
	}
	return &problem{status: http.StatusUnprocessableEntity, field: e.Path, line: e.Line, reason: e.Detail, detail: e.Error()}
}

// parseSeed reads the seed of a new store: an object, or a text with YAML. Without one it
// returns nil.
func parseSeed(raw json.RawMessage) (*seed.Node, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	text := []byte(raw)
	var yaml string
	if json.Unmarshal(raw, &yaml) == nil {
		text = []byte(yaml)
	}
	n, err := seed.Parse(text)
	return n, seedProblem(err)
}

// firstSeed loads the seed of a new store, or deletes the store.
func (a *API) firstSeed(w http.ResponseWriter, r *http.Request, st cohort.Store, n *seed.Node) (cohort.Store, error) {
	ctx, cancel := patient(w, r)
	defer cancel()
	if _, err := a.load(ctx, st, n); err != nil {
		return st, errors.Join(err, a.Service.DeleteStore(context.WithoutCancel(ctx), st.Key))
	}
	return a.Service.StoreByKey(ctx, st.Key)
}

// exportStore responds with the content of a store as a seed.
func (a *API) exportStore(w http.ResponseWriter, r *http.Request) error {
	format, contentType := seed.YAML, "application/yaml"
	switch r.URL.Query().Get("format") {
	case "", "yaml":
	case "json":
		format, contentType = seed.JSON, "application/json"
	default:
		return cohort.Invalid("format", "The value must be yaml or json.")
	}
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	ctx, cancel := patient(w, r)
	defer cancel()
	var text []byte
	err = a.inTurn(ctx, func() error {
		n, err := seed.Export(ctx, a.Service, a.Dialects, st)
		if err != nil {
			return err
		}
		text, err = seed.Write(n, format)
		return err
	})
	if err != nil {
		return err
	}
	if len(text) > seed.MaxBytes {
		return &problem{status: http.StatusRequestEntityTooLarge, detail: "The export is larger than a seed may be. The command cohort copy moves stores of any size."}
	}
	w.Header().Set("Content-Type", contentType)
	_, err = w.Write(text)
	return err
}
