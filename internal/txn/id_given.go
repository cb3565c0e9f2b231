package txn

import (
	"errors"
	"slices"
)

// errGivenIDs means that a batch needs consecutive ids and was given others.
var errGivenIDs = errors.New("the given ids are not consecutive, as the batch needs them")

// GiveIDs makes the transaction allocate the ids of next, by kind and in their order,
// before others while fn runs. No id is checked: the caller has to know that they are
// free, and has to have marked them as used, see [Tx.ReplaceIDs]. It may add ids to next
// meanwhile.
func (t *Tx) GiveIDs(storeKey string, next map[string][]int64, fn func() error) error {
	given := &givenIDs{t.ids, storeKey, next}
	t.ids = given
	defer func() { t.ids = given.idSource }()
	return fn()
}

// givenIDs are ids that come before those of another source.
type givenIDs struct {
	idSource
	store string
	ids   map[string][]int64
}

func (g *givenIDs) next(t *Tx, key idKey) (int64, error) {
	ids := g.ids[key.kind]
	if key.store != g.store || len(ids) == 0 {
		return g.idSource.next(t, key)
	}
	g.ids[key.kind] = ids[1:]
	return ids[0], nil
}

// reserve implements idSource.
func (g *givenIDs) reserve(t *Tx, key idKey, above, n int64) (first int64, err error) {
	ids := g.ids[key.kind]
	if key.store != g.store || len(ids) == 0 || n == 0 {
		return g.idSource.reserve(t, key, above, n)
	}
	if int64(len(ids)) < n || ids[n-1] != ids[0]+n-1 || !slices.IsSorted(ids[:n]) {
		return 0, errGivenIDs
	}
	g.ids[key.kind] = ids[n:]
	return ids[0], nil
}
