package control

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/seed"
)

// maxLife bounds the life of a store with a ttl.
const maxLife = 365 * 24 * time.Hour

// storeInput is the body of a create. All of its fields are optional.
type storeInput struct {
	Hash        string             `json:"hash"`
	Name        string             `json:"name"`
	Plan        cohort.Plan        `json:"plan"`
	Quota       int                `json:"quota"`
	Concurrency int                `json:"concurrency"`
	Catalog     cohort.CatalogMode `json:"catalog"`
	Currency    string             `json:"currency"`
	Events      bool               `json:"events"`
	EventDays   int                `json:"event_days"`
	EventCount  int64              `json:"event_count"`
	// TTL is how long the store lives, such as "10m".
	TTL string `json:"ttl"`
	// Token is the secret of its token; "": a random one.
	Token string `json:"token"`
	// Scopes are those of the token; none: all.
	Scopes []cohort.Scope `json:"scopes"`
	// Seed is a seed: an object, or a text with YAML.
	Seed json.RawMessage `json:"seed"`
}

// store is a store in responses.
type store struct {
	Hash        string             `json:"hash"`
	Plan        cohort.Plan        `json:"plan"`
	Quota       int                `json:"quota"`
	Concurrency int                `json:"concurrency"`
	Catalog     cohort.CatalogMode `json:"catalog"`
	Currency    string             `json:"currency"`
	Events      bool               `json:"events"`
	EventDays   int                `json:"event_days"`
	EventCount  int64              `json:"event_count"`
	DateCreated time.Time          `json:"date_created"`
	DateExpires *time.Time         `json:"date_expires"`
	URL         string             `json:"url"`
	URLV2       string             `json:"url_v2"`
	URLV3       string             `json:"url_v3"`
	Token       string             `json:"token,omitempty"` // only of a new store
	// ClientSecret signs what the webhooks of the token send; only of a new store.
	ClientSecret string `json:"client_secret,omitempty"`
}

// storeToWire returns a store with its URLs as the client of a request reaches them.
func storeToWire(r *http.Request, st cohort.Store) store {
	base := (&api.Request{Request: r, Store: st}).BaseURL()
	wire := store{
		Hash: st.Hash, Plan: st.Plan, Quota: st.Quota, Concurrency: st.Concurrency, Catalog: st.Catalog, Currency: st.Currency,
		Events: st.Events, EventDays: cmp.Or(st.EventDays, cohort.DefaultEventDays), EventCount: st.MostEvents(),
		DateCreated: st.DateCreated, URL: base, URLV2: base + "/v2", URLV3: base + "/v3",
	}
	if !st.DateExpires.IsZero() {
		wire.DateExpires = &st.DateExpires
	}
	return wire
}

func (a *API) listStores(w http.ResponseWriter, r *http.Request) error {
	stores, err := a.Service.ListStores(r.Context())
	if err != nil {
		return err
	}
	list := make([]store, len(stores))
	for i, st := range stores {
		list[i] = storeToWire(r, st)
	}
	return writeOK(w, http.StatusOK, map[string]any{"stores": list})
}

// storeKeys returns the keys of all stores.
func (a *API) storeKeys(r *http.Request) ([]string, error) {
	stores, err := a.Service.ListStores(r.Context())
	keys := make([]string, len(stores))
	for i, st := range stores {
		keys[i] = st.Key
	}
	return keys, err
}

// createStore creates a store with a token, in one transaction.
func (a *API) createStore(w http.ResponseWriter, r *http.Request) error {
	var in storeInput
	if err := readLongJSON(w, r, &in, maxBody+seed.MaxBytes); err != nil {
		return err
	}
	content, err := parseSeed(in.Seed)
	if err != nil {
		return err
	}
	st := cohort.Store{
		Hash: cmp.Or(in.Hash, randomHash()), Plan: in.Plan, Quota: in.Quota, Concurrency: in.Concurrency,
		Catalog: in.Catalog, Currency: in.Currency, Events: in.Events, EventDays: in.EventDays, EventCount: in.EventCount,
		Profile: cohort.StoreProfile{Name: in.Name},
	}
	if in.TTL != "" {
		life, err := time.ParseDuration(in.TTL)
		if err != nil || life <= 0 || life > maxLife {
			return cohort.Invalid("ttl", fmt.Sprintf("The value must be a time such as 90s, 10m or 2h, up to %dh.", int(maxLife.Hours())))
		}
		st.DateExpires = a.Now().Add(life).UTC().Truncate(time.Millisecond)
	}
	secret := cmp.Or(in.Token, cohort.NewTokenSecret())
	if len(secret) > maxSecret {
		return cohort.Invalid("token", fmt.Sprintf("The value must have at most %d bytes.", maxSecret))
	}
	scopes := in.Scopes
	if len(scopes) == 0 {
		scopes = cohort.Scopes()
	}
	st, err = a.Service.CreateStoreWithToken(r.Context(), st, cohort.Token{Name: "control API", Scopes: scopes}, secret)
	if err != nil {
		return err
	}
	a.forgetRequests(st.Hash) // those of an earlier store
	if content != nil {
		if st, err = a.firstSeed(w, r, st, content); err != nil {
			return err
		}
	}
	secrets, err := a.Service.ClientSecrets(r.Context(), st.Key, cohort.NewToken(secret).ID)
	if err != nil {
		return err
	}
	wire := storeToWire(r, st)
	wire.Token, wire.ClientSecret = secret, secrets[0]
	w.Header().Set("Location", Prefix+"/stores/"+st.Hash)
	return writeOK(w, http.StatusCreated, wire)
}

// maxSecret bounds the secret that a client chooses.
const maxSecret = 255

// randomHash returns a hash for a store whose client wants none.
func randomHash() string { return "t-" + strings.ToLower(rand.Text())[:12] }

func (a *API) getStore(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	return writeOK(w, http.StatusOK, storeToWire(r, st))
}

func (a *API) deleteStore(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	if err := a.Service.DeleteStore(r.Context(), st.Key); err != nil {
		return err
	}
	a.forgetState(st)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
