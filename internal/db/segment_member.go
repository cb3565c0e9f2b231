package db

import (
	"errors"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// membersWith selects the members of segments as profiles, so that queries can name all
// columns without a qualifier.
const membersWith = `(SELECT m.store_hash, m.segment, m.epoch, m.profile AS number, p.uuid, p.customer_id, p.date_created, p.date_modified
	FROM segment_members AS m JOIN shopper_profiles AS p ON p.store_hash = m.store_hash AND p.number = m.profile) AS members`

// segmentsWith is membersWith for the segments of profiles.
const segmentsWith = `(SELECT m.store_hash, m.profile, s.number, s.uuid, s.name, s.description, s.date_created, s.date_modified
	FROM segment_members AS m
	JOIN segments AS s ON s.store_hash = m.store_hash AND s.number = m.segment AND s.epoch = m.epoch) AS memberships`

// SegmentEpoch is a segment with the epoch of its members; see 0015_segments.sql.
type SegmentEpoch struct{ Number, Epoch int64 }

// SegmentEpoch returns the number and the epoch of a segment, or KindNotFound.
func (t *Tx) SegmentEpoch(storeKey, id string) (e SegmentEpoch, err error) {
	err = t.Lookup("SELECT number, epoch FROM segments WHERE store_hash = $1 AND uuid = $2", storeKey, id).Scan(&e.Number, &e.Epoch)
	if errors.Is(err, txn.ErrNoRows) {
		return e, cohort.NotFound("segment " + id)
	}
	return e, err
}

// AddMembers makes profiles members of a segment. The caller holds the lock of
// LockSegments and the profiles. The commit returns KindConflict if one of them is a
// member already.
func (t *Tx) AddMembers(storeKey string, to SegmentEpoch, profiles []cohort.ShopperProfile) error {
	rows := make([][]any, len(profiles))
	for i, p := range profiles {
		rows[i] = []any{storeKey, to.Number, to.Epoch, p.Number}
	}
	query, args := insertStatement("segment_members", "store_hash, segment, epoch, profile", rows)
	return t.Later(query, args...)
}

// MembersAmong returns those of the profiles that are members of a segment, as a set of
// numbers.
func (t *Tx) MembersAmong(storeKey string, of SegmentEpoch, profiles []cohort.ShopperProfile) (map[int64]bool, error) {
	numbers := make([]int64, len(profiles))
	for i, p := range profiles {
		numbers[i] = p.Number
	}
	w := whereMembers(storeKey, of)
	in(w, "profile", numbers)
	rows, err := t.Query("SELECT profile FROM segment_members"+w.text.String(), w.args...)
	if err != nil {
		return nil, err
	}
	members := map[int64]bool{}
	return members, txn.Each(rows, scanID, func(number int64) bool { members[number] = true; return true })
}

// RemoveMembers removes those of the profiles that are members of a segment.
func (t *Tx) RemoveMembers(storeKey string, of SegmentEpoch, profileIDs []string) error {
	p := &where{}
	p.args = []any{storeKey, of.Number, of.Epoch}
	p.text.WriteString(" WHERE store_hash = $1")
	in(p, "uuid", profileIDs)
	return t.Later(`DELETE FROM segment_members WHERE store_hash = $1 AND segment = $2 AND epoch = $3
		AND profile IN (SELECT number FROM shopper_profiles`+p.text.String()+")", p.args...)
}

// ReadMembers calls fn with the profiles of a page of the members of a segment, by
// number, until fn returns false.
func (t *Tx) ReadMembers(storeKey string, of SegmentEpoch, p cohort.Page, fn func(cohort.ShopperProfile) (more bool)) error {
	return listing[cohort.ShopperProfile]{
		columns: profileColumns, table: membersWith, where: func() *where { return whereMembers(storeKey, of) },
		keys: byNumber, scan: scanProfile,
	}.each(t, p, p.Size, fn)
}

// CountMembers returns the number of members of a segment.
func (t *Tx) CountMembers(storeKey string, of SegmentEpoch) (n int64, err error) {
	w := whereMembers(storeKey, of)
	err = t.QueryRow("SELECT count(*) FROM segment_members"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereMembers(storeKey string, of SegmentEpoch) *where {
	w := whereStore(storeKey)
	w.and("segment = ?", of.Number)
	w.and("epoch = ?", of.Epoch)
	return w
}

// ReadSegmentsOfProfile calls fn with a page of the segments that a profile is a member
// of, by number, until fn returns false.
func (t *Tx) ReadSegmentsOfProfile(storeKey string, profile int64, p cohort.Page, fn func(cohort.Segment) (more bool)) error {
	return listing[cohort.Segment]{
		columns: segmentColumns, table: segmentsWith, where: func() *where { return whereMember(storeKey, profile) },
		keys: byNumber, scan: scanSegment,
	}.each(t, p, p.Size, fn)
}

// CountSegmentsOfProfile returns the number of segments that a profile is a member of.
func (t *Tx) CountSegmentsOfProfile(storeKey string, profile int64) (n int64, err error) {
	w := whereMember(storeKey, profile)
	err = t.QueryRow("SELECT count(*) FROM "+segmentsWith+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereMember(storeKey string, profile int64) *where {
	w := whereStore(storeKey)
	w.and("profile = ?", profile)
	return w
}

// SweepSegments deletes up to limit rows of memberships and shopper profiles that exist
// no more. It reports whether there may be more to do. Several nodes may call it
// concurrently.
//
// The memberships come first: the row of a profile takes its memberships along, and then
// it has none.
func (t *Tx) SweepSegments(limit int64) (more bool, err error) {
	if more, err = t.sweepMembers(limit); more || err != nil {
		return more, err
	}
	return t.sweepProfiles(limit)
}

func (t *Tx) sweepMembers(limit int64) (more bool, err error) {
	store, numbers, found, err := t.takeForSweep("departed_members", "TRUE", "segment", "epoch")
	if err != nil || !found {
		return false, err
	}
	e := SegmentEpoch{Number: numbers[0], Epoch: numbers[1]}
	// The condition "profile <= last of the batch" is an index range scan for every
	// planner; see unassignBatch.
	n, err := t.Exec(`DELETE FROM segment_members WHERE store_hash = $1 AND segment = $2 AND epoch = $3 AND profile <= (
		SELECT max(profile) FROM (SELECT profile FROM segment_members WHERE store_hash = $1 AND segment = $2 AND epoch = $3
			ORDER BY profile LIMIT CAST($4 AS BIGINT)) AS batch)`, store, e.Number, e.Epoch, limit)
	if err != nil || n > 0 {
		return true, err
	}
	return true, t.Later("DELETE FROM departed_members WHERE store_hash = $1 AND segment = $2 AND epoch = $3", store, e.Number, e.Epoch)
}

func (t *Tx) sweepProfiles(limit int64) (more bool, err error) {
	store, numbers, found, err := t.takeForSweep("profile_generations", "swept < generation", "generation")
	if err != nil || !found {
		return false, err
	}
	generation := numbers[0]
	oldest, err := t.findID(`SELECT generation + 1 FROM shopper_profiles WHERE store_hash = $1 AND generation < $2
		ORDER BY generation LIMIT 1`, store, generation)
	if err != nil {
		return false, err
	}
	if oldest == 0 {
		return true, t.Later("UPDATE profile_generations SET swept = $2 WHERE store_hash = $1 AND swept < $2", store, generation)
	}
	return true, t.Later(`DELETE FROM shopper_profiles WHERE store_hash = $1 AND generation = $2 AND number <= (
		SELECT max(number) FROM (SELECT number FROM shopper_profiles WHERE store_hash = $1 AND generation = $2
			ORDER BY number LIMIT CAST($3 AS BIGINT)) AS batch)`, store, oldest-1, limit)
}
