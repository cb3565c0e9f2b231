package txn

import (
	"slices"
	"testing"
)

// The key of the store replaces the first argument, and the others move up. A query of
// another store, and a key that would need quoting, stay as they are.
func TestLiteral(t *testing.T) {
	const query = "SELECT $2 FROM t WHERE store_hash = $1 AND id = $10 AND $1 <> $3"
	s := &postgresSession{once: true, store: "a-1", place: storePlace{literal: true}}
	for range 2 { // the second time it is in the cache
		text, args := s.literal(query, []any{"a-1", 2, 3})
		if want := "SELECT $1 FROM t WHERE store_hash = 'a-1' AND id = $9 AND 'a-1' <> $2"; text != want || !slices.Equal(args, []any{2, 3}) {
			t.Errorf("%s %v", text, args)
		}
	}
	for name, s := range map[string]*postgresSession{
		"another store":    {once: true, store: "b", place: storePlace{literal: true}},
		"many stores":      {once: true, store: "a-1"},
		"in a transaction": {store: "a-1", place: storePlace{literal: true}},
	} {
		if text, args := s.literal(query, []any{"a-1", 2, 3}); text != query || len(args) != 3 {
			t.Errorf("%s: %s %v", name, text, args)
		}
	}
	quoted := &postgresSession{once: true, store: "a'", place: storePlace{literal: true}}
	if text, _ := quoted.literal(query, []any{"a'"}); text != query {
		t.Error(text)
	}
}

// The rows with which insertions begin come together, in their order, and before what may
// depend on them. A check of the server comes once.
func TestJoinInsertions(t *testing.T) {
	rows := NewRowInsert("t", "store_hash TEXT", "id BIGINT", "flag BOOLEAN")
	insertionOf := func(id int64) *insertion {
		return &insertion{statements: []statement{
			{query: runOfTable.check, run: "7"},
			{query: rows.single, row: rows, args: []any{"a", id, id == 2}},
			{query: "rest", args: []any{id}},
		}}
	}
	got := joinInsertions([]*insertion{insertionOf(1), insertionOf(2)})
	if len(got) != 4 || got[0].run != "7" || got[1].query != rows.many || got[2].query != "rest" || got[3].args[0] != int64(2) {
		t.Fatalf("%+v", got)
	}
	ids, flags := got[1].args[1].([]int64), got[1].args[2].([]bool)
	if !slices.Equal(ids, []int64{1, 2}) || !slices.Equal(flags, []bool{false, true}) {
		t.Errorf("%v %v", ids, flags)
	}
	if alone := joinInsertions([]*insertion{insertionOf(1)}); len(alone) != 3 || alone[1].query != rows.single {
		t.Errorf("%+v", alone)
	}
}

// A worker of Citus reports a violation without the name of the index.
func TestIndexOfAShard(t *testing.T) {
	for name, want := range map[string]bool{
		"customers_by_email": true, "customers_by_email_102089": true, "customers_by_email_": false, "customers_by_email_x": false, "customers": false,
	} {
		if isIndex(name, "customers_by_email") != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
