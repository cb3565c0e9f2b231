package db

import (
	"encoding/json"
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const hookColumns = "id, token_id, scope, destination, is_active, is_deactivated, headers, date_created, date_modified"

// LockHooks takes the exclusive lock on the webhooks of a store until the transaction ends. A
// transaction calls it before it creates, changes or deletes one, so that what it has checked
// holds, and stores.hooks is right.
func (t *Tx) LockHooks(storeKey string) error { return t.LockStore(hooks, storeKey) }

// InsertHook adds a hook with the next id of the store and returns it with the id.
func (t *Tx) InsertHook(storeKey string, h cohort.Hook) (cohort.Hook, error) {
	var err error
	if h.ID, err = t.NextID(storeKey, "hook"); err != nil {
		return h, err
	}
	return h, t.Later("INSERT INTO hooks (store_hash, "+hookColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
		storeKey, h.ID, h.ClientID, h.Scope, h.Destination, h.Active, h.Deactivated, encodeHeaders(h.Headers),
		h.DateCreated.UnixMilli(), h.DateModified.UnixMilli())
}

// UpdateHook overwrites a hook, except its owner and its creation date.
func (t *Tx) UpdateHook(storeKey string, h cohort.Hook) error {
	return t.Later(`UPDATE hooks SET scope = $3, destination = $4, is_active = $5, is_deactivated = $6, headers = $7, date_modified = $8
		WHERE store_hash = $1 AND id = $2`,
		storeKey, h.ID, h.Scope, h.Destination, h.Active, h.Deactivated, encodeHeaders(h.Headers), h.DateModified.UnixMilli())
}

// DeleteHook deletes a hook and its position. DeleteDeliveries deletes its deliveries.
func (t *Tx) DeleteHook(storeKey string, id int64) error {
	if err := t.Later("DELETE FROM hooks WHERE store_hash = $1 AND id = $2", storeKey, id); err != nil {
		return err
	}
	return t.Later("DELETE FROM hook_positions WHERE store_hash = $1 AND hook_id = $2", storeKey, id)
}

// Hook returns a hook of a token, or KindNotFound. An empty client means any token.
func (t *Tx) Hook(storeKey, client string, id int64) (cohort.Hook, error) {
	w := whereHooks(storeKey, cohort.HookFilter{ClientID: client})
	w.and("id = ?", id)
	h, err := scanHook(t.Lookup("SELECT "+hookColumns+" FROM hooks"+w.text.String(), w.args...))
	if errors.Is(err, txn.ErrNoRows) {
		return h, cohort.NotFound(fmt.Sprintf("hook %d", id))
	}
	return h, err
}

// ReadHooks calls fn with the hooks of a page, by id, until fn returns false.
func (t *Tx) ReadHooks(storeKey string, f cohort.HookFilter, p cohort.Page, fn func(cohort.Hook) (more bool)) error {
	return listing[cohort.Hook]{
		columns: hookColumns, table: "hooks", where: func() *where { return whereHooks(storeKey, f) },
		keys: byID, scan: scanHook,
	}.each(t, p, p.Size, fn)
}

// CountHooks returns how many hooks pass the filter.
func (t *Tx) CountHooks(storeKey string, f cohort.HookFilter) (n int64, err error) {
	w := whereHooks(storeKey, f)
	err = t.QueryRow("SELECT count(*) FROM hooks"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

// ListHooks returns up to limit hooks that pass the filter, by id.
func (t *Tx) ListHooks(storeKey string, f cohort.HookFilter, limit int) ([]cohort.Hook, error) {
	w := whereHooks(storeKey, f)
	rows, err := t.Query("SELECT "+hookColumns+" FROM hooks"+w.text.String()+" ORDER BY id LIMIT CAST("+w.arg(limit)+" AS BIGINT)", w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanHook)
}

func whereHooks(storeKey string, f cohort.HookFilter) *where {
	w := whereStore(storeKey)
	if f.ClientID != "" {
		w.and("token_id = ?", f.ClientID)
	}
	w.flag("is_active", f.Active)
	if f.Scope != nil {
		w.and("scope = ?", *f.Scope)
	}
	if f.Destination != nil {
		w.and("destination = ?", *f.Destination)
	}
	return w
}

func scanHook(row txn.Scanner) (h cohort.Hook, err error) {
	var created, modified int64
	var headers string
	err = row.Scan(&h.ID, &h.ClientID, &h.Scope, &h.Destination, &h.Active, &h.Deactivated, &headers, &created, &modified)
	if err == nil {
		if h.Headers, err = decodeHeaders(headers); err != nil {
			err = fmt.Errorf("the headers of hook %d: %w", h.ID, err)
		}
	}
	h.DateCreated, h.DateModified = fromMillis(created), fromMillis(modified)
	return h, err
}

// encodeHeaders returns the stored form of the headers of a hook, "" for nil.
func encodeHeaders(headers map[string]string) string {
	if headers == nil {
		return ""
	}
	return mustMarshal(headers)
}

// decodeHeaders is the opposite of encodeHeaders.
func decodeHeaders(text string) (headers map[string]string, err error) {
	if text == "" {
		return nil, nil
	}
	return headers, json.Unmarshal([]byte(text), &headers)
}

// HookEmails returns the addresses to which mail about the hooks of a token goes.
func (t *Tx) HookEmails(storeKey, client string) (emails []string, err error) {
	var text string
	err = t.Lookup("SELECT emails FROM hook_contacts WHERE store_hash = $1 AND token_id = $2", storeKey, client).Scan(&text)
	if errors.Is(err, txn.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &emails)
	}
	return emails, err
}

// SetHookEmails replaces the addresses of HookEmails.
func (t *Tx) SetHookEmails(storeKey, client string, emails []string) error {
	return t.Later(`INSERT INTO hook_contacts (store_hash, token_id, emails) VALUES ($1, $2, $3)
		ON CONFLICT (store_hash, token_id) DO UPDATE SET emails = excluded.emails`, storeKey, client, mustMarshal(emails))
}
