package db

import (
	"errors"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const segmentColumns = "number, uuid, name, description, date_created, date_modified"

// byNumber is the order of segments and shopper profiles.
var byNumber = []sortKey{{column: "number"}}

// LockSegments takes the exclusive lock on the segments of the store until the transaction
// ends. A transaction calls it first if it creates segments, profiles or memberships,
// updates segments, or deletes all of one kind. So no two of these run at once, and what
// one has checked holds until it ends.
func (t *Tx) LockSegments(storeKey string) error { return t.LockStore(segments, storeKey) }

// CreateSegments adds segments with the next numbers of the store and returns them with
// the numbers. The commit returns KindConflict if another segment has one of the names.
func (t *Tx) CreateSegments(storeKey string, list []cohort.Segment) ([]cohort.Segment, error) {
	first, err := t.ReserveIDs(storeKey, "segment", 0, int64(len(list)))
	if err != nil {
		return nil, err
	}
	created := make([]cohort.Segment, len(list))
	rows := make([][]any, len(list))
	for i, s := range list {
		s.Number = first + int64(i)
		created[i] = s
		rows[i] = []any{storeKey, s.Number, s.ID, s.Name, s.Description, 0, s.DateCreated.UnixMilli(), s.DateModified.UnixMilli()}
	}
	query, args := insertStatement("segments", "store_hash, number, uuid, name, description, epoch, date_created, date_modified", rows)
	return created, t.Later(query, args...)
}

// Segment returns a segment of the store, or KindNotFound.
func (t *Tx) Segment(storeKey, id string) (cohort.Segment, error) {
	s, err := scanSegment(t.Lookup("SELECT "+segmentColumns+" FROM segments WHERE store_hash = $1 AND uuid = $2", storeKey, id))
	if errors.Is(err, txn.ErrNoRows) {
		return s, cohort.NotFound("segment " + id)
	}
	return s, err
}

// SegmentsByID returns those of the segments that exist, by id.
func (t *Tx) SegmentsByID(storeKey string, ids []string) (map[string]cohort.Segment, error) {
	w := whereStore(storeKey)
	in(w, "uuid", ids)
	rows, err := t.Query("SELECT "+segmentColumns+" FROM segments"+w.text.String(), w.args...)
	if err != nil {
		return nil, err
	}
	found := map[string]cohort.Segment{}
	return found, txn.Each(rows, scanSegment, func(s cohort.Segment) bool { found[s.ID] = s; return true })
}

// SegmentIDsByName returns the ids of the segments with exactly these names, by name.
func (t *Tx) SegmentIDsByName(storeKey string, names []string) (map[string]string, error) {
	w := whereStore(storeKey)
	in(w, "name", names)
	rows, err := t.Query("SELECT "+segmentColumns+" FROM segments"+w.text.String(), w.args...)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	return found, txn.Each(rows, scanSegment, func(s cohort.Segment) bool { found[s.Name] = s.ID; return true })
}

// ReadSegments calls fn with the segments of a page, by number, until fn returns false.
// ids are the ids of the list; nil means all.
func (t *Tx) ReadSegments(storeKey string, ids []string, p cohort.Page, fn func(cohort.Segment) (more bool)) error {
	return listing[cohort.Segment]{
		columns: segmentColumns, table: "segments", where: func() *where { return whereUUIDs(storeKey, ids) },
		keys: byNumber, scan: scanSegment,
	}.each(t, p, p.Size, fn)
}

// CountSegments returns how many segments ReadSegments would list on all pages.
func (t *Tx) CountSegments(storeKey string, ids []string) (n int64, err error) {
	w := whereUUIDs(storeKey, ids)
	err = t.QueryRow("SELECT count(*) FROM segments"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereUUIDs(storeKey string, ids []string) *where {
	w := whereStore(storeKey)
	in(w, "uuid", ids)
	return w
}

// UpdateSegments overwrites existing segments, except their creation dates. It may
// exchange their names. The commit returns KindConflict if another segment has one of
// the names.
func (t *Tx) UpdateSegments(storeKey string, list []cohort.Segment) error {
	ids := make([]string, len(list))
	rows := make([][]any, len(list))
	for i, s := range list {
		ids[i] = s.ID
		rows[i] = []any{storeKey, s.Number, s.ID, s.Name, s.Description, 0, s.DateCreated.UnixMilli(), s.DateModified.UnixMilli()}
	}
	if len(list) > 1 {
		// The engines check the unique index row by row. No name begins with a space.
		w := whereUUIDs(storeKey, ids)
		if err := t.Later("UPDATE segments SET name = ' ' || uuid"+w.text.String(), w.args...); err != nil {
			return err
		}
	}
	query, args := insertStatement("segments", "store_hash, number, uuid, name, description, epoch, date_created, date_modified", rows)
	return t.Later(query+` ON CONFLICT (store_hash, number) DO UPDATE SET name = excluded.name,
		description = excluded.description, date_modified = excluded.date_modified`, args...)
}

// DeleteSegments deletes those of the segments that exist; nil means all. Their
// memberships end with the commit; SweepMembers deletes the rows.
func (t *Tx) DeleteSegments(storeKey string, ids []string) error {
	if err := t.departMembers(storeKey, ids); err != nil {
		return err
	}
	w := whereUUIDs(storeKey, ids)
	return t.Later("DELETE FROM segments"+w.text.String(), w.args...)
}

// EmptySegments removes all members from segments; nil means all. Like DeleteSegments it
// leaves the rows of the memberships to SweepMembers.
func (t *Tx) EmptySegments(storeKey string, ids []string) error {
	if err := t.departMembers(storeKey, ids); err != nil {
		return err
	}
	w := whereUUIDs(storeKey, ids)
	return t.Later("UPDATE segments SET epoch = epoch + 1"+w.text.String(), w.args...)
}

func (t *Tx) departMembers(storeKey string, ids []string) error {
	w := whereUUIDs(storeKey, ids)
	return t.Later("INSERT INTO departed_members (store_hash, segment, epoch) SELECT store_hash, number, epoch FROM segments"+
		w.text.String(), w.args...)
}

// SegmentsOfCustomers returns the ids of the segments of each customer, in the order of
// the segments' numbers. It leaves out customers that are in none.
func (t *Tx) SegmentsOfCustomers(storeKey string, customerIDs []int64) (map[int64][]string, error) {
	w := whereStore(storeKey)
	in(w, "customer_id", customerIDs)
	rows, err := t.Query(`SELECT customer_id, uuid FROM (SELECT p.store_hash, p.customer_id, s.uuid, s.number
			FROM shopper_profiles AS p
			JOIN segment_members AS m ON m.store_hash = p.store_hash AND m.profile = p.number
			JOIN segments AS s ON s.store_hash = m.store_hash AND s.number = m.segment AND s.epoch = m.epoch
		) AS memberships`+w.text.String()+" ORDER BY customer_id, number", w.args...)
	if err != nil {
		return nil, err
	}
	type membership struct {
		customer int64
		segment  string
	}
	of := map[int64][]string{}
	return of, txn.Each(rows, func(row txn.Scanner) (m membership, err error) { return m, row.Scan(&m.customer, &m.segment) },
		func(m membership) bool { of[m.customer] = append(of[m.customer], m.segment); return true })
}

func scanSegment(row txn.Scanner) (cohort.Segment, error) {
	var s cohort.Segment
	var created, modified int64
	err := row.Scan(&s.Number, &s.ID, &s.Name, &s.Description, &created, &modified)
	s.DateCreated, s.DateModified = fromMillis(created), fromMillis(modified)
	return s, err
}

// insertStatement returns a statement that inserts rows, and its arguments. Each row has a
// value for each column; the first column is the store, and the same in all rows.
func insertStatement(table, columns string, rows [][]any) (query string, args []any) {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + columns + ") VALUES ")
	args = append(args, rows[0][0])
	for i, row := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("($1")
		for _, value := range row[1:] {
			args = append(args, value)
			b.WriteString(", $" + strconv.Itoa(len(args)))
		}
		b.WriteByte(')')
	}
	return b.String(), args
}
