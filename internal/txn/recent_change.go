package txn

import (
	"fmt"
	"strconv"
	"strings"
)

// The table recent_changes has the changes of recent transactions as text, for other
// nodes. Each line is a word for the kind of a change, a store key and a group id. The
// last two are missing if the kind has none.
var changeWords = map[ChangeKind]string{
	GroupInserted:   "group-inserted",
	GroupUpdated:    "group-updated",
	GroupDeleted:    "group-deleted",
	StoreUpdated:    "store-updated",
	StoreDeleted:    "store-deleted",
	StoreReplaced:   "store-replaced",
	TokenDeleted:    "token-deleted",
	AnythingChanged: "anything-changed",
}

var changeKinds = func() map[string]ChangeKind {
	kinds := map[string]ChangeKind{}
	for kind, word := range changeWords {
		kinds[word] = kind
	}
	return kinds
}()

// maxTxChanges is how many changes of one transaction other nodes learn. They learn of
// a larger transaction that anything may have changed.
const maxTxChanges = 250

// encodeChanges returns the text of changes, "" if other nodes need not know them.
func encodeChanges(changes []Change) string {
	var text strings.Builder
	n := 0
	for _, c := range changes {
		word, told := changeWords[c.Kind]
		if !told {
			continue
		}
		if n++; n > maxTxChanges {
			return changeWords[AnythingChanged]
		}
		if n > 1 {
			text.WriteByte('\n')
		}
		text.WriteString(word)
		if c.StoreKey != "" {
			text.WriteString(" " + c.StoreKey)
		}
		if c.Group.ID != 0 {
			text.WriteString(" " + strconv.FormatInt(c.Group.ID, 10))
		}
	}
	return text.String()
}

// decodeChanges returns the changes of a text. Groups have only their ids. A later
// version may have written what this one does not know; then anything may have changed.
func decodeChanges(text string) []Change {
	var changes []Change
	for line := range strings.Lines(text) {
		c, err := decodeChange(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return []Change{{Kind: AnythingChanged}}
		}
		changes = append(changes, c)
	}
	return changes
}

func decodeChange(line string) (c Change, err error) {
	word, rest, _ := strings.Cut(line, " ")
	kind, known := changeKinds[word]
	if !known {
		return c, fmt.Errorf("unknown change %q", word)
	}
	c.Kind = kind
	var id string
	c.StoreKey, id, _ = strings.Cut(rest, " ")
	switch kind {
	case GroupInserted, GroupUpdated, GroupDeleted:
		c.Group.ID, err = strconv.ParseInt(id, 10, 64)
		if err == nil && c.StoreKey == "" {
			err = fmt.Errorf("%s without a store", word)
		}
	}
	return c, err
}
