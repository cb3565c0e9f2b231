package cohort_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"
)

// The UUID of a category never changes: clients keep it.
func TestCategoryUUIDIsStable(t *testing.T) {
	const want = "d37ad4eb-592a-8879-8c32-625d465c84ef"
	if got := cohort.CategoryUUID("abc", 7); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCategoryUUIDs(t *testing.T) {
	seen := map[string]bool{}
	for _, store := range []string{"abc", "abd", "abc~2", ""} {
		for _, id := range []int64{1, 2, 255, 256, 1 << 31, cohort.MaxCatalogID, 1<<62 - 1} {
			uuid := cohort.CategoryUUID(store, id)
			if !cohort.IsUUID(uuid) || uuid != strings.ToLower(uuid) || uuid[14] != '8' || !strings.ContainsRune("89ab", rune(uuid[19])) {
				t.Errorf("%q is no UUID of version 8", uuid)
			}
			if seen[uuid] {
				t.Errorf("%s is not unique", uuid)
			}
			seen[uuid] = true
			if got := cohort.CategoryIDOfUUID(store, uuid); got != id {
				t.Errorf("%s of %q: got %d, want %d", uuid, store, got, id)
			}
			if got := cohort.CategoryIDOfUUID("another", uuid); got != 0 {
				t.Errorf("%s is %d in another store", uuid, got)
			}
		}
	}
	for _, uuid := range []string{"", "x", "1465bb16-eb7d-4fba-8312-0ea9d88cd6e9"} {
		if got := cohort.CategoryIDOfUUID("abc", uuid); got != 0 {
			t.Errorf("%q: got %d, want 0", uuid, got)
		}
	}
}
