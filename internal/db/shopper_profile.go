package db

import (
	"errors"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const profileColumns = "number, uuid, customer_id, date_created, date_modified"

// currentGeneration is the generation of the profiles that exist. $1 is the store's key.
const currentGeneration = "(SELECT coalesce(max(generation), 0) FROM profile_generations WHERE store_hash = $1)"

// whereProfiles selects the profiles that exist.
func whereProfiles(storeKey string) *where {
	w := whereStore(storeKey)
	w.text.WriteString(" AND generation = " + currentGeneration)
	return w
}

// CreateShopperProfiles adds profiles with the next numbers of the store and returns them
// with the numbers. The caller holds the lock of LockSegments and the customers. The
// commit returns KindConflict if a customer has a profile already.
func (t *Tx) CreateShopperProfiles(storeKey string, list []cohort.ShopperProfile) ([]cohort.ShopperProfile, error) {
	var generation int64
	err := t.Lookup("SELECT coalesce(max(generation), 0) FROM profile_generations WHERE store_hash = $1", storeKey).Scan(&generation)
	if err != nil {
		return nil, err
	}
	first, err := t.ReserveIDs(storeKey, "shopper_profile", 0, int64(len(list)))
	if err != nil {
		return nil, err
	}
	created := make([]cohort.ShopperProfile, len(list))
	rows := make([][]any, len(list))
	for i, p := range list {
		p.Number = first + int64(i)
		created[i] = p
		rows[i] = []any{storeKey, p.Number, p.ID, p.CustomerID, generation, p.DateCreated.UnixMilli(), p.DateModified.UnixMilli()}
	}
	query, args := insertStatement("shopper_profiles", "store_hash, number, uuid, customer_id, generation, date_created, date_modified", rows)
	return created, t.Later(query, args...)
}

// HoldCustomers returns those of the ids that are ids of customers, and locks these
// customers against deletion until the transaction ends.
func (t *Tx) HoldCustomers(storeKey string, ids []int64) ([]int64, error) {
	w := whereStore(storeKey)
	in(w, "id", ids)
	rows, err := t.Query("SELECT id FROM customers"+w.text.String()+" ORDER BY id"+t.SQL().ForKeyShare, w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanID)
}

// ShopperProfile returns a profile of the store, or KindNotFound.
func (t *Tx) ShopperProfile(storeKey, id string) (cohort.ShopperProfile, error) {
	w := whereProfiles(storeKey)
	w.and("uuid = ?", id)
	p, err := scanProfile(t.Lookup("SELECT "+profileColumns+" FROM shopper_profiles"+w.text.String(), w.args...))
	if errors.Is(err, txn.ErrNoRows) {
		return p, cohort.NotFound("shopper profile " + id)
	}
	return p, err
}

// HoldShopperProfiles returns those of the profiles that exist, by id, and locks them
// against deletion until the transaction ends. The caller holds the lock of
// LockSegments.
func (t *Tx) HoldShopperProfiles(storeKey string, ids []string) (map[string]cohort.ShopperProfile, error) {
	w := whereProfiles(storeKey)
	in(w, "uuid", ids)
	rows, err := t.Query("SELECT "+profileColumns+" FROM shopper_profiles"+w.text.String()+" ORDER BY number"+t.SQL().ForKeyShare, w.args...)
	if err != nil {
		return nil, err
	}
	found := map[string]cohort.ShopperProfile{}
	return found, txn.Each(rows, scanProfile, func(p cohort.ShopperProfile) bool { found[p.ID] = p; return true })
}

// ReadShopperProfiles calls fn with the profiles of a page, by number, until fn returns
// false.
func (t *Tx) ReadShopperProfiles(storeKey string, p cohort.Page, fn func(cohort.ShopperProfile) (more bool)) error {
	return listing[cohort.ShopperProfile]{
		columns: profileColumns, table: "shopper_profiles", where: func() *where { return whereProfiles(storeKey) },
		keys: byNumber, scan: scanProfile,
	}.each(t, p, p.Size, fn)
}

// CountShopperProfiles returns the number of profiles of a store.
func (t *Tx) CountShopperProfiles(storeKey string) (n int64, err error) {
	w := whereProfiles(storeKey)
	err = t.QueryRow("SELECT count(*) FROM shopper_profiles"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

// DeleteShopperProfiles deletes those of the profiles that exist, with their memberships.
func (t *Tx) DeleteShopperProfiles(storeKey string, ids []string) error {
	w := whereUUIDs(storeKey, ids)
	return t.Later("DELETE FROM shopper_profiles"+w.text.String(), w.args...)
}

// DeleteAllShopperProfiles deletes all profiles of a store with their memberships. It
// writes a number of rows that is bounded by the segments of the store, and leaves the
// rows of profiles and memberships to SweepMembers and SweepProfiles. The caller holds
// the lock of LockSegments.
func (t *Tx) DeleteAllShopperProfiles(storeKey string) error {
	if err := t.EmptySegments(storeKey, nil); err != nil {
		return err
	}
	return t.Later(`INSERT INTO profile_generations (store_hash, generation, swept) VALUES ($1, 1, 0)
		ON CONFLICT (store_hash) DO UPDATE SET generation = profile_generations.generation + 1`, storeKey)
}

// ShopperProfilesOfCustomers returns the id of each customer's profile. It leaves out
// customers without one.
func (t *Tx) ShopperProfilesOfCustomers(storeKey string, customerIDs []int64) (map[int64]string, error) {
	w := whereProfiles(storeKey)
	in(w, "customer_id", customerIDs)
	rows, err := t.Query("SELECT "+profileColumns+" FROM shopper_profiles"+w.text.String(), w.args...)
	if err != nil {
		return nil, err
	}
	of := map[int64]string{}
	return of, txn.Each(rows, scanProfile, func(p cohort.ShopperProfile) bool { of[p.CustomerID] = p.ID; return true })
}

func scanProfile(row txn.Scanner) (cohort.ShopperProfile, error) {
	var p cohort.ShopperProfile
	var created, modified int64
	err := row.Scan(&p.Number, &p.ID, &p.CustomerID, &created, &modified)
	p.DateCreated, p.DateModified = fromMillis(created), fromMillis(modified)
	return p, err
}
