package control

import (
	"net/http"
	"time"

	"cohort.example/cohort"
)

// snapshot is a snapshot in responses.
type snapshot struct {
	Name        string    `json:"name"`
	DateCreated time.Time `json:"date_created"`
	Rows        int64     `json:"rows"`
}

func snapshotToWire(s cohort.Snapshot) snapshot { return snapshot{s.Name, s.DateCreated, s.Rows} }

func (a *API) listSnapshots(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	snapshots, err := a.Service.Snapshots(r.Context(), st.Key)
	if err != nil {
		return err
	}
	list := make([]snapshot, len(snapshots))
	for i, s := range snapshots {
		list[i] = snapshotToWire(s)
	}
	return writeOK(w, http.StatusOK, map[string]any{"snapshots": list})
}

func (a *API) saveSnapshot(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	s, added, err := a.Service.SaveSnapshot(r.Context(), st.Key, r.PathValue("name"))
	if err != nil {
		return err
	}
	status := http.StatusOK
	if added {
		status = http.StatusCreated
	}
	return writeOK(w, status, snapshotToWire(s))
}

func (a *API) deleteSnapshot(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	if err := a.Service.DeleteSnapshot(r.Context(), st.Key, r.PathValue("name")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) restoreSnapshot(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	s, err := a.Service.RestoreSnapshot(r.Context(), st.Key, r.PathValue("name"))
	if err != nil {
		return err
	}
	return writeOK(w, http.StatusOK, snapshotToWire(s))
}

// resetInput is the body of a reset.
type resetInput struct {
	To string `json:"to"` // "empty", or "" for the seed
}

func (a *API) resetStore(w http.ResponseWriter, r *http.Request) error {
	st, err := a.Service.Store(r.Context(), r.PathValue("hash"))
	if err != nil {
		return err
	}
	var in resetInput
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	if in.To != "" && in.To != "empty" {
		return cohort.Invalid("to", `The value must be "empty", or be left out.`)
	}
	if st, err = a.Service.ResetStore(r.Context(), st.Key, in.To == "empty"); err != nil {
		return err
	}
	a.forgetState(st)
	return writeOK(w, http.StatusOK, storeToWire(r, st))
}

// forgetState removes what the server has in memory of a store that is reset or deleted.
func (a *API) forgetState(st cohort.Store) {
	if a.Limits != nil {
		a.Limits.SetConcurrency(st.Key, nil)
		a.Limits.Refill(st.Key)
	}
	a.Faults.Clear(st.Key)
	a.Service.Clocks().Clear(st.Key)
	a.forgetRequests(st.Hash)
}
