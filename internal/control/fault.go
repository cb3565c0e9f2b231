package control

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/fault"
)

// faultWire is a fault rule in responses.
type faultWire struct {
	ID   int64      `json:"id"`
	Rule fault.Rule `json:"rule"`
	Hits int        `json:"hits"`
	Left *int       `json:"left"` // null: no end
}

func faultToWire(s fault.State) faultWire { return faultWire{s.ID, s.Rule, s.Hits, s.Left()} }

func writeFaults(w http.ResponseWriter, states []fault.State) error {
	list := make([]faultWire, len(states))
	for i, s := range states {
		list[i] = faultToWire(s)
	}
	return writeOK(w, http.StatusOK, map[string]any{"faults": list})
}

// faultsInput is the body of a PUT. It has one of the two fields.
type faultsInput struct {
	Faults  []json.RawMessage `json:"faults"`
	Profile string            `json:"profile"`
}

func (a *API) listFaults(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	return writeFaults(w, a.Faults.List(st.Key))
}

func (a *API) replaceFaults(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	var in faultsInput
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	rules, err := a.rules(in)
	if err != nil {
		return err
	}
	var states []fault.State
	err = a.makeRoom(r, func() (err error) {
		states, err = a.Faults.Put(st.Key, rules)
		return err
	})
	if err != nil {
		return err
	}
	return writeFaults(w, states)
}

// rules returns the rules of the body of a PUT.
func (a *API) rules(in faultsInput) ([]fault.Rule, error) {
	switch {
	case (in.Faults == nil) == (in.Profile == ""):
		return nil, cohort.Invalid("faults", "The body must have either faults or profile.")
	case in.Profile == "":
		rules, err := FaultOperations(a.Dialects).Decode(in.Faults)
		return rules, faultProblem(err, "faults")
	}
	rules, ok := fault.Profile(in.Profile)
	if !ok {
		return nil, cohort.Invalid("profile", "The value must be one of: "+strings.Join(fault.Profiles(), ", ")+".")
	}
	return rules, nil
}

func (a *API) addFault(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	var text json.RawMessage
	if err := readJSON(w, r, &text); err != nil {
		return err
	}
	if text == nil {
		text = json.RawMessage("{}")
	}
	rule, err := FaultOperations(a.Dialects).DecodeOne(text)
	if err != nil {
		return faultProblem(err, "")
	}
	var state fault.State
	err = a.makeRoom(r, func() (err error) {
		state, err = a.Faults.Add(st.Key, rule)
		return err
	})
	if err != nil {
		return err
	}
	return writeOK(w, http.StatusCreated, faultToWire(state))
}

func (a *API) clearFaults(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	a.Faults.Clear(st.Key)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// makeRoom writes rules. If there are too many of all stores, it first removes those of
// stores that are gone: a store that expires does not take its rules with it.
func (a *API) makeRoom(r *http.Request, write func() error) error {
	err := write()
	if errors.Is(err, fault.ErrFull) {
		keys, failed := a.storeKeys(r)
		if failed != nil {
			return failed
		}
		a.Faults.Retain(keys)
		err = write()
	}
	switch {
	case errors.Is(err, fault.ErrTooMany):
		return &problem{status: http.StatusUnprocessableEntity, detail: "The store has as many rules as a store can have."}
	case errors.Is(err, fault.ErrFull):
		return &problem{status: http.StatusUnprocessableEntity, detail: "All stores together have as many rules as the server keeps."}
	}
	return err
}

// FaultOperations are the operations of dialects that rules can name.
func FaultOperations(dialects []*api.Dialect) fault.Operations {
	operations := fault.Operations{}
	for _, d := range dialects {
		for _, r := range d.Routes {
			operations[r.Operation] = fault.Operation{Method: r.Method, Path: d.Prefix + r.Path, ReadOnly: r.ReadOnly}
		}
	}
	return operations
}

// faultProblem returns the problem of a rule, whose fields are below one of the body.
func faultProblem(err error, below string) error {
	wrong, ok := errors.AsType[*fault.RuleError](err)
	if !ok {
		return err
	}
	field := strings.Trim(below+"."+wrong.Field, ".")
	return &problem{status: http.StatusUnprocessableEntity, field: field, detail: wrong.Reason}
}
