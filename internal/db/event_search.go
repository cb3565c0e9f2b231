package db

import (
	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// subjectWindow is eventWindow for the events of a subject, which an index finds.
const subjectWindow = 100_000

// SearchEvents returns up to limit numbered events, the newest first. It looks at a window of
// numbers, so the result may have fewer events, or none, although there are more.
func (t *Tx) SearchEvents(storeKey string, s cohort.EventSearch, limit int) (found cohort.FoundEvents, err error) {
	const bound = "coalesce((SELECT number FROM events WHERE store_hash = $1 ORDER BY number "
	var first, last int64
	if err := t.QueryRow("SELECT "+bound+"LIMIT 1), 0), "+bound+"DESC LIMIT 1), 0)", storeKey).Scan(&first, &last); err != nil {
		return found, err
	}
	before := last + 1
	if s.Before > 0 {
		before = min(before, s.Before)
	}
	w := whereSubject(storeKey, cohort.EventSubject{GroupID: s.GroupID, CustomerID: s.CustomerID})
	if s.ProductID != 0 {
		w.and("product_id = ?", s.ProductID)
		w.text.WriteString(" AND product_id <> 0") // for the partial index
	}
	from := before - eventWindow
	if s.GroupID != 0 || s.CustomerID != 0 || s.ProductID != 0 {
		from = before - subjectWindow
	}
	w.and("number < ?", before)
	w.and("number >= ?", from)
	if len(s.Kinds) > 0 {
		in(w, "kind", kindTexts(s.Kinds))
	}
	if s.Actor != "" {
		w.and("(actor = ? OR actor_name = ?)", s.Actor)
	}
	rows, err := t.Query("SELECT number, "+eventColumns+" FROM events"+w.text.String()+" ORDER BY number DESC LIMIT CAST("+w.arg(limit+1)+" AS BIGINT)", w.args...)
	if err != nil {
		return found, err
	}
	if from > first {
		found.Next = from
	}
	size := 0
	err = txn.Each(rows, scanEvent, func(e cohort.Event) bool {
		size += len(e.Changes)
		if n := len(found.Events); n == limit || size > maxEventPage && n > 0 {
			found.Next = found.Events[n-1].Number
			return false
		}
		found.Events = append(found.Events, e)
		return true
	})
	return found, err
}
