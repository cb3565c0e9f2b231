package cohort

import "strings"

// FirstTreeID is the id of the category tree that every store has. It belongs to channel 1
// and cannot be deleted.
const FirstTreeID = 1

// Bounds of category trees. Source: the vendor's reference, except for MaxCategoryTrees and
// MaxCategoriesWritten, for which it gives none.
const (
	MaxCategoryTrees        = 1000 // in a store
	MaxCategoryTreesWritten = 50   // in one call
	MaxCategoryTreeName     = 255  // code points
	MaxCategoriesWritten    = 50   // in one call of the trees API
)

// CategoryTree is a set of categories that a channel shows. A category is in one tree, and
// its parent is in the same one.
type CategoryTree struct {
	ID        int64
	Name      string
	ChannelID int64 // 0: none, because its channel was deleted; a channel has at most one tree
}

// Channels returns the channels of the tree: one or none.
func (t CategoryTree) Channels() []int64 {
	if t.ChannelID == 0 {
		return []int64{}
	}
	return []int64{t.ChannelID}
}

// Validate checks a tree. It returns a KindInvalid error that names the invalid field.
func (t CategoryTree) Validate() error { return checkText("name", t.Name, 1, MaxCategoryTreeName) }

// CategoryTreeUpdate creates a tree or changes one; nil fields are unchanged.
type CategoryTreeUpdate struct {
	ID       int64 // 0: a new tree
	Name     *string
	Channels *[]int64
}

// Apply returns t with the update applied, with the name trimmed. Channels must have at
// most one element.
func (u CategoryTreeUpdate) Apply(t CategoryTree) CategoryTree {
	set(&t.Name, u.Name)
	t.Name = strings.TrimSpace(t.Name)
	if u.Channels != nil {
		t.ChannelID = 0
		for _, id := range *u.Channels {
			t.ChannelID = id
		}
	}
	return t
}

// CategoryTreeFilter selects trees; the zero value selects all of them.
type CategoryTreeFilter struct {
	IDs, ChannelIDs []int64 // nil: all
}
