package txn

import (
	"slices"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
)

func TestChangesAsText(t *testing.T) {
	changes := []Change{
		{Kind: GroupInserted, StoreKey: "abc", Group: cohort.Group{ID: 12}},
		{Kind: GroupUpdated, StoreKey: "abc~2", Group: cohort.Group{ID: 1 << 60}},
		{Kind: GroupDeleted, StoreKey: "a", Group: cohort.Group{ID: 3}},
		{Kind: StoreUpdated, StoreKey: "a"}, {Kind: StoreDeleted, StoreKey: "a"}, {Kind: StoreReplaced, StoreKey: "a"},
		{Kind: TokenDeleted}, {Kind: AnythingChanged},
	}
	text := encodeChanges(append([]Change{{Kind: EventsRecorded, StoreKey: "a"}}, changes...))
	if diff := cmp.Diff(changes, decodeChanges(text)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if text := encodeChanges([]Change{{Kind: EventsRecorded, StoreKey: "a"}}); text != "" {
		t.Errorf("changes that other nodes need not know are %q", text)
	}
	if got := decodeChanges(encodeChanges(slices.Repeat(changes[:1], maxTxChanges))); len(got) != maxTxChanges {
		t.Errorf("%d changes are %d as text", maxTxChanges, len(got))
	}
	if got := encodeChanges(slices.Repeat(changes[:1], maxTxChanges+1)); got != "anything-changed" {
		t.Errorf("too many changes are %.50q", got)
	}
}

// Text of a later version, or broken text, means that anything may have changed.
func TestUnknownTextOfChanges(t *testing.T) {
	for _, text := range []string{
		"group-renamed abc 1", "group-updated abc", "group-updated abc x", "group-updated  1", "group-updated",
		"group-updated abc 1\n\ngroup-updated abc 2", "group-inserted abc 99999999999999999999", "group-deleted abc 1 2",
	} {
		if diff := cmp.Diff([]Change{{Kind: AnythingChanged}}, decodeChanges(text)); diff != "" {
			t.Errorf("changes of %q (-want +got):\n%s", text, diff)
		}
	}
}

func TestSnapshots(t *testing.T) {
	for text, want := range map[string]snapshot{
		"10:20:10,14,15": {next: 20, running: []int64{10, 14, 15}},
		"7:7:":           {next: 7},
	} {
		got, err := parseSnapshot(text)
		if err != nil || got.next != want.next || !slices.Equal(got.running, want.running) {
			t.Errorf("%q is %+v, error %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "1:2", "1:x:", "1:2:3,", "1:2:x", "1:2:3:4"} {
		if s, err := parseSnapshot(text); err == nil {
			t.Errorf("%q is %+v", text, s)
		}
	}
	s := snapshot{next: 20, running: []int64{10}}
	for limit, want := range map[int64]bool{0: true, 19: true, 20: false, 21: false} {
		if s.covers(limit) != want {
			t.Errorf("%+v covers %d: %v", s, limit, !want)
		}
	}
	if s := (snapshot{next: 20}); !s.covers(20) || s.covers(21) {
		t.Errorf("%+v covers 20: %v, 21: %v", s, s.covers(20), s.covers(21))
	}
}
