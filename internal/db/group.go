package db

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

const groupColumns = "id, name, category_access, discount_rules, is_default, is_group_for_guests, date_created, date_modified"

// accessRow and ruleRow are how the nested parts of a group are kept as JSON.
type accessRow struct {
	Type       cohort.AccessType `json:"type"`
	Categories []int64           `json:"categories,omitempty"`
}

type ruleRow struct {
	Type   cohort.RuleType `json:"type"`
	Target int64           `json:"target,omitempty"`
	Method cohort.Method   `json:"method,omitempty"`
	Amount decimal.Decimal `json:"amount,omitzero"`
}

// NextGroupID returns the id for a new group of the store.
func (t *Tx) NextGroupID(storeHash string) (int64, error) {
	return t.NextID(storeHash, "customer_group")
}

// InsertGroup adds a group under its id. It returns KindConflict if another
// group has one of its flags; see ClearDefaultGroup and ClearGuestGroup.
func (t *Tx) InsertGroup(storeHash string, g cohort.Group) error {
	access, rules, err := encodeGroup(g)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO customer_groups (store_hash, name_folded, `+groupColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		storeHash, fold(g.Name), g.ID, g.Name, access, rules, g.IsDefault, g.IsGroupForGuests,
		g.DateCreated.UnixMilli(), g.DateModified.UnixMilli())
	return err
}

// Group returns a group of the store, or KindNotFound.
func (t *Tx) Group(storeHash string, id int64) (cohort.Group, error) {
	g, err := scanGroup(t.queryRow("SELECT "+groupColumns+
		" FROM customer_groups WHERE store_hash = $1 AND id = $2", storeHash, id))
	if errors.Is(err, sql.ErrNoRows) {
		return g, cohort.NotFound(groupName(id))
	}
	return g, err
}

// ListGroups returns one page of the groups that pass the filter, by id.
func (t *Tx) ListGroups(storeHash string, f cohort.GroupFilter, p cohort.Page) ([]cohort.Group, error) {
	w := whereGroups(storeHash, f)
	limit, offset := w.arg(p.Size), w.arg(p.Offset())
	rows, err := t.query("SELECT "+groupColumns+" FROM customer_groups"+w.text.String()+
		" ORDER BY id LIMIT "+limit+" OFFSET "+offset, w.args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanGroup)
}

// CountGroups returns how many groups pass the filter.
func (t *Tx) CountGroups(storeHash string, f cohort.GroupFilter) (int64, error) {
	w := whereGroups(storeHash, f)
	var n int64
	err := t.queryRow("SELECT count(*) FROM customer_groups"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereGroups(storeHash string, f cohort.GroupFilter) *where {
	w := whereStore(storeHash)
	if f.Name != nil {
		w.and("name = ?", *f.Name)
	}
	if f.NameLike != "" {
		// A substring test that both engines spell the same and that knows no
		// wildcard characters.
		w.and("replace(name_folded, ?, '') <> name_folded", fold(f.NameLike))
	}
	if f.IsDefault != nil {
		w.and("is_default = ?", *f.IsDefault)
	}
	if f.IsGroupForGuests != nil {
		w.and("is_group_for_guests = ?", *f.IsGroupForGuests)
	}
	w.span("date_created", f.DateCreated)
	w.span("date_modified", f.DateModified)
	return w
}

// UpdateGroup writes a group over the one with its id, or returns KindNotFound.
// Its creation date stays. KindConflict is as for InsertGroup.
func (t *Tx) UpdateGroup(storeHash string, g cohort.Group) error {
	access, rules, err := encodeGroup(g)
	if err != nil {
		return err
	}
	n, err := t.exec(`UPDATE customer_groups SET name = $3, name_folded = $4, category_access = $5,
		discount_rules = $6, is_default = $7, is_group_for_guests = $8, date_modified = $9
		WHERE store_hash = $1 AND id = $2`,
		storeHash, g.ID, g.Name, fold(g.Name), access, rules, g.IsDefault, g.IsGroupForGuests,
		g.DateModified.UnixMilli())
	return mustChange(n, err, groupName(g.ID))
}

// touch sets the modification date to $2 unless that would set it back.
const touch = "date_modified = CASE WHEN date_modified > $2 THEN date_modified ELSE $2 END"

// ClearDefaultGroup takes the default flag from the group that has it, which
// counts as a modification of that group.
func (t *Tx) ClearDefaultGroup(storeHash string, modified time.Time) error {
	_, err := t.exec(`UPDATE customer_groups SET is_default = FALSE, `+touch+`
		WHERE store_hash = $1 AND is_default`, storeHash, modified.UnixMilli())
	return err
}

// ClearGuestGroup takes the guest flag from the group that has it, which
// counts as a modification of that group.
func (t *Tx) ClearGuestGroup(storeHash string, modified time.Time) error {
	_, err := t.exec(`UPDATE customer_groups SET is_group_for_guests = FALSE, `+touch+`
		WHERE store_hash = $1 AND is_group_for_guests`, storeHash, modified.UnixMilli())
	return err
}

// DeleteGroup deletes a group, or returns KindNotFound.
func (t *Tx) DeleteGroup(storeHash string, id int64) error {
	n, err := t.exec("DELETE FROM customer_groups WHERE store_hash = $1 AND id = $2", storeHash, id)
	return mustChange(n, err, groupName(id))
}

func groupName(id int64) string { return fmt.Sprintf("customer group %d", id) }

func encodeGroup(g cohort.Group) (access, rules string, err error) {
	a, err := json.Marshal(accessRow(g.CategoryAccess))
	if err != nil {
		return "", "", err
	}
	list := make([]ruleRow, len(g.DiscountRules))
	for i, r := range g.DiscountRules {
		list[i] = ruleRow{Type: r.Type, Target: r.TargetID, Method: r.Method, Amount: r.Amount}
	}
	b, err := json.Marshal(list)
	return string(a), string(b), err
}

func scanGroup(row scanner) (cohort.Group, error) {
	var g cohort.Group
	var access, rules string
	var created, modified int64
	if err := row.Scan(&g.ID, &g.Name, &access, &rules, &g.IsDefault, &g.IsGroupForGuests, &created, &modified); err != nil {
		return g, err
	}
	g.DateCreated, g.DateModified = fromMillis(created), fromMillis(modified)
	return g, decodeGroup(&g, access, rules)
}

func decodeGroup(g *cohort.Group, access, rules string) error {
	var a accessRow
	if err := json.Unmarshal([]byte(access), &a); err != nil {
		return fmt.Errorf("category_access of group %d: %w", g.ID, err)
	}
	g.CategoryAccess = cohort.CategoryAccess(a)
	var list []ruleRow
	if err := json.Unmarshal([]byte(rules), &list); err != nil {
		return fmt.Errorf("discount_rules of group %d: %w", g.ID, err)
	}
	for _, r := range list {
		g.DiscountRules = append(g.DiscountRules, cohort.DiscountRule{Type: r.Type, TargetID: r.Target, Method: r.Method, Amount: r.Amount})
	}
	return nil
}
