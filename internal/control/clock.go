package control

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/clock"
)

// clockWire is the clock of a store in responses.
type clockWire struct {
	Now    time.Time `json:"now"`
	Frozen bool      `json:"frozen"`
	Offset string    `json:"offset"` // from the system clock; "0s" if it is frozen
}

func (a *API) writeClock(w http.ResponseWriter, storeKey string) error {
	s := a.Service.Clocks().Get(storeKey)
	return writeOK(w, http.StatusOK, clockWire{s.Now.Truncate(time.Millisecond), s.Frozen, s.Offset.String()})
}

func (a *API) getClock(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	return a.writeClock(w, st.Key)
}

// clockInput is the body of setClock. It has one of the two fields.
type clockInput struct {
	FrozenAt *string `json:"frozen_at"` // a date, or "now"
	Offset   *string `json:"offset"`    // such as "72h" or "-90m"
}

func (a *API) setClock(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	var in clockInput
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	field, change, err := a.clockChange(st.Key, in)
	if err != nil {
		return err
	}
	if err := a.changeClock(r, field, change); err != nil {
		return err
	}
	return a.writeClock(w, st.Key)
}

// clockChange returns what the body of setClock asks for, and the field that says so.
func (a *API) clockChange(storeKey string, in clockInput) (field string, change func() error, err error) {
	switch {
	case (in.FrozenAt == nil) == (in.Offset == nil):
		return "", nil, cohort.Invalid("frozen_at", "The body must have either frozen_at or offset.")
	case in.Offset != nil:
		by, err := time.ParseDuration(*in.Offset)
		if err != nil {
			err = cohort.Invalid("offset", "The value must be a time such as 72h or -90m.")
		}
		return "offset", func() error { return a.Service.Clocks().Offset(storeKey, by) }, err
	case *in.FrozenAt == "now":
		return "frozen_at", func() error { return a.Service.Clocks().Stop(storeKey) }, nil
	}
	at, err := time.Parse(time.RFC3339, *in.FrozenAt)
	if err != nil {
		err = cohort.Invalid("frozen_at", "The value must be now, or a date such as 2026-01-31T12:00:00Z.")
	}
	return "frozen_at", func() error { return a.Service.Clocks().Freeze(storeKey, at) }, err
}

// advanceInput is the body of advanceClock.
type advanceInput struct {
	By string `json:"by"` // such as "48h"
}

func (a *API) advanceClock(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	var in advanceInput
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	by, err := time.ParseDuration(in.By)
	if err != nil || by <= 0 {
		return cohort.Invalid("by", "The value must be a time forward, such as 90s, 10m or 48h.")
	}
	if err := a.changeClock(r, "by", func() error { return a.Service.Clocks().Advance(st.Key, by) }); err != nil {
		return err
	}
	return a.writeClock(w, st.Key)
}

func (a *API) resetClock(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	a.Service.Clocks().Clear(st.Key)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// changeClock changes a clock as a field of the body says. If too many stores have one, it
// first removes those of stores that are gone: another process may have deleted them.
func (a *API) changeClock(r *http.Request, field string, change func() error) error {
	err := change()
	if errors.Is(err, clock.ErrFull) {
		keys, failed := a.storeKeys(r)
		if failed != nil {
			return failed
		}
		a.Service.Clocks().Retain(keys)
		err = change()
	}
	switch {
	case errors.Is(err, clock.ErrRange):
		return cohort.Invalid(field, fmt.Sprintf("The time of a store is from %s to %s.", clock.Min.Format(time.DateOnly), clock.Max.Format(time.DateOnly)))
	case errors.Is(err, clock.ErrOffset):
		return cohort.Invalid(field, "A running clock is at most 292 years from the clock of the system. Freeze it first.")
	case errors.Is(err, clock.ErrFull):
		return &problem{status: http.StatusUnprocessableEntity, detail: fmt.Sprintf("%d stores have a clock of their own, as many as the server keeps.", clock.MaxStores)}
	}
	return err
}
