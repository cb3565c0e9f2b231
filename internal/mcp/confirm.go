package mcp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

// confirmDigits is how many hexadecimal digits of a hash a confirmation has.
const confirmDigits = 8

// confirmation returns the value that confirms a change: the number of members, and a hash of
// what a dry run has seen. So it differs when that has changed, and a client that has not made
// the dry run does not know it.
//
// It guards against haste, not against malice: the token alone decides what a client may do.
// The transaction of the change checks the number again.
func confirmation(members service.AffectedMembers, seen ...any) string {
	var ids []int64
	for _, m := range members.Sample {
		ids = append(ids, m.ID, m.GroupID)
	}
	return fmt.Sprintf("%d-%s", members.Count, hashOf(append(seen, ids)...))
}

func hashOf(seen ...any) string {
	text, err := json.Marshal(seen)
	if err != nil {
		panic(err) // it has numbers, texts and resources only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:confirmDigits]
}

// checkConfirm compares a confirmation with the right one. It returns the right one for a
// client that has sent none, and "" if the change is confirmed.
func checkConfirm(sent, right string) (ask string, err error) {
	switch sent {
	case right:
		return "", nil
	case "":
		return right, nil
	}
	return "", &cohort.Error{Kind: cohort.KindConflict, Field: "confirm", Reason: fmt.Sprintf(
		"%q does not confirm this: something has changed, or the arguments differ. Nothing was changed. Call without confirm to see what would happen now", clip(sent, maxShown))}
}
