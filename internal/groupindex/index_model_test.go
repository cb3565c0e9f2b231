package groupindex

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// model is the reference implementation of an index: a sorted slice. Its exported
// methods are the actions of the state machine.
type model struct {
	index   *Index
	entries []Entry
	seen    []seen // the last snapshots
}

// seen is a snapshot and a copy of its entries.
type seen struct {
	snapshot *snapshot
	entries  []Entry
}

func TestIndexAgainstModel(t *testing.T) {
	// Indexes of no, one and several chunks, with the last full or not.
	sizes := rapid.SampledFrom([]int{0, 1, 2, chunkSize - 1, chunkSize, chunkSize + 1, 2*chunkSize - 1, 2 * chunkSize, 2*chunkSize + 3})
	rapid.Check(t, func(t *rapid.T) {
		entries := entriesOf(sizes.Draw(t, "size"))
		m := &model{index: New(slices.Clone(entries)), entries: entries}
		m.keep()
		t.Repeat(rapid.StateMachineActions(m))
	})
}

// keep records the current snapshot.
func (m *model) keep() {
	m.seen = append(m.seen[max(0, len(m.seen)-2):], seen{m.index.now.Load(), slices.Clone(m.entries)})
}

func (m *model) find(id int64) (at int, found bool) {
	return slices.BinarySearchFunc(m.entries, id, func(e Entry, id int64) int { return cmp.Compare(e.ID, id) })
}

// put and delete change the model, and return the edit that does the same to the index.
func (m *model) put(e Entry) Edit {
	at, found := m.find(e.ID)
	if found {
		m.entries[at] = e
	} else {
		m.entries = slices.Insert(m.entries, at, e)
	}
	return Put(e)
}

func (m *model) delete(id int64) Edit {
	if at, found := m.find(id); found {
		m.entries = slices.Delete(m.entries, at, at+1)
	}
	return Delete(id)
}

func (m *model) apply(edits []Edit) {
	m.index.Apply(edits)
	m.keep()
}

// last returns the highest id, or 0.
func (m *model) last() int64 {
	if n := len(m.entries); n > 0 {
		return m.entries[n-1].ID
	}
	return 0
}

// drawID draws an existing id, one at a chunk boundary, or any.
func (m *model) drawID(t *rapid.T) int64 {
	if n := len(m.entries); n > 0 && rapid.Bool().Draw(t, "existing") {
		at := rapid.OneOf(rapid.IntRange(0, n-1), rapid.SampledFrom([]int{0, n - 1, chunkSize - 1, chunkSize, chunkSize + 1})).Draw(t, "at")
		return m.entries[min(at, n-1)].ID
	}
	return rapid.Int64Range(-5, 4*chunkSize).Draw(t, "id")
}

func drawEntry(t *rapid.T, id int64) Entry {
	name := rapid.SampledFrom([]string{"", "VIP", "vip", "Ärzte", "x"}).Draw(t, "name")
	moment := rapid.Int64Range(-3, 30)
	return Entry{
		ID: id, Name: name, Folded: strings.ToLower(name), Created: moment.Draw(t, "created"), Modified: moment.Draw(t, "modified"),
		Default: rapid.Bool().Draw(t, "default"), Guests: rapid.Bool().Draw(t, "guests"),
	}
}

// Edit applies several edits as one commit.
func (m *model) Edit(t *rapid.T) {
	var edits []Edit
	for range rapid.IntRange(0, 6).Draw(t, "changes") {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0: // most new groups
			edits = append(edits, m.put(drawEntry(t, m.last()+1)))
		case 1:
			edits = append(edits, m.put(drawEntry(t, m.drawID(t))))
		default:
			edits = append(edits, m.delete(m.drawID(t)))
		}
	}
	m.apply(edits)
}

// Empty deletes a range of ids, so that a small chunk becomes empty.
func (m *model) Empty(t *rapid.T) {
	var edits []Edit
	for from, i := m.drawID(t), int64(0); i < 20; i++ {
		edits = append(edits, m.delete(from+i))
	}
	m.apply(edits)
}

// Fill appends entries, so that a chunk becomes full.
func (m *model) Fill(*rapid.T) {
	var edits []Edit
	for range 20 {
		edits = append(edits, m.put(entry(m.last()+1)))
	}
	m.apply(edits)
}

// Query compares a count and a page.
func (m *model) Query(t *rapid.T) {
	f := drawFilter(t)
	after := rapid.Int64Range(-6, max(m.last(), 0)+1).Draw(t, "after")
	var want, wanted []Entry
	for _, e := range m.entries {
		if passes(f, e) {
			wanted = append(wanted, e)
			if e.ID > after {
				want = append(want, e)
			}
		}
	}
	filter := NewFilter(f, strings.ToLower)
	if n := m.index.Count(filter); n != len(wanted) {
		t.Fatalf("counted %d, want %d", n, len(wanted))
	}
	skip := rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64Range(0, 4*chunkSize), rapid.Just[int64](math.MaxInt64)).Draw(t, "skip")
	limit := rapid.OneOf(rapid.IntRange(0, 5), rapid.IntRange(0, 3*chunkSize), rapid.Just(math.MaxInt)).Draw(t, "limit")
	want = want[min(skip, int64(len(want))):]
	want = want[:min(limit, len(want))]
	if got := m.index.Page(filter, after, skip, limit); !slices.Equal(got, idsOf(want)) {
		t.Fatalf("page of %d, skipping %d after id %d: got %v, want %v", limit, skip, after, got, idsOf(want))
	}
}

// Check compares the current snapshot with the model, and the recorded snapshots with
// their copies.
func (m *model) Check(t *rapid.T) {
	if n := m.index.Size(); n != len(m.entries) {
		t.Fatalf("the size is %d, want %d", n, len(m.entries))
	}
	if got := m.index.now.Load().all(); !slices.Equal(got, m.entries) {
		t.Fatalf("(-want +got):\n%s", gocmp.Diff(m.entries, got, cmpopts.EquateEmpty()))
	}
	for _, s := range m.seen[:len(m.seen)-1] {
		if !slices.Equal(s.snapshot.all(), s.entries) || s.snapshot.size != len(s.entries) {
			t.Fatal("an older snapshot has changed")
		}
	}
	for _, chunk := range m.index.now.Load().chunks {
		if len(chunk) == 0 {
			t.Fatal("a chunk is empty")
		}
	}
}

func drawFilter(t *rapid.T) (f cohort.GroupFilter) {
	if rapid.IntRange(0, 2).Draw(t, "filter") == 0 {
		return f
	}
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "open") {
			return time.Time{}
		}
		return time.UnixMilli(rapid.Int64Range(-3, 30).Draw(t, "ms"))
	})
	timeRange := rapid.Custom(func(t *rapid.T) cohort.TimeRange {
		return cohort.TimeRange{From: moment.Draw(t, "from"), Until: moment.Draw(t, "until")}
	})
	return cohort.GroupFilter{
		Name:     rapid.Ptr(rapid.SampledFrom([]string{"", "VIP", "vip", "Name 7", "none"}), true).Draw(t, "name"),
		NameLike: rapid.SampledFrom([]string{"", "", "i", "ÄR", "NAME 1", "none"}).Draw(t, "like"), IsDefault: rapid.Ptr(rapid.Bool(), true).Draw(t, "is default"),
		IsGroupForGuests: rapid.Ptr(rapid.Bool(), true).Draw(t, "is for guests"), DateCreated: timeRange.Draw(t, "created in"), DateModified: timeRange.Draw(t, "modified in"),
	}
}

// passes is the reference implementation of Filter.passes.
func passes(f cohort.GroupFilter, e Entry) bool {
	within := func(s cohort.TimeRange, ms int64) bool {
		at := time.UnixMilli(ms)
		return (s.From.IsZero() || !at.Before(s.From)) && (s.Until.IsZero() || at.Before(s.Until))
	}
	switch {
	case f.Name != nil && *f.Name != e.Name:
	case !strings.Contains(e.Folded, strings.ToLower(f.NameLike)):
	case f.IsDefault != nil && *f.IsDefault != e.Default:
	case f.IsGroupForGuests != nil && *f.IsGroupForGuests != e.Guests:
	default:
		return within(f.DateCreated, e.Created) && within(f.DateModified, e.Modified)
	}
	return false
}
