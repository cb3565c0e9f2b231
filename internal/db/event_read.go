package db

import (
	"encoding/json"
	"errors"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// eventNumbers is the class of the locks under which events get their numbers: "evnt".
const eventNumbers txn.LockClass = 0x65766e74

// HasUnnumberedEvents reports whether NumberEvents has something to do.
func (t *Tx) HasUnnumberedEvents(storeKey string) (bool, error) {
	return t.exists("SELECT 1 FROM event_inbox WHERE store_hash = $1 LIMIT 1", storeKey)
}

func (t *Tx) exists(query string, args ...any) (bool, error) {
	var one int
	err := t.Lookup(query, args...).Scan(&one)
	if errors.Is(err, txn.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// NumberEvents gives numbers to up to limit committed events of the inbox. It reports
// whether there may be more.
//
// One transaction at a time numbers the events of a store. Its numbers are higher than those
// of the one before it, and readers see them when it commits. So no reader ever gets an
// event with a lower number than one it has seen, however late a change is committed.
func (t *Tx) NumberEvents(storeKey string, limit int) (more bool, err error) {
	if err := t.LockStore(eventNumbers, storeKey); err != nil {
		return false, err
	}
	rows, err := t.Query("SELECT ticket FROM event_inbox WHERE store_hash = $1 ORDER BY ticket LIMIT CAST($2 AS BIGINT)", storeKey, limit)
	if err != nil {
		return false, err
	}
	tickets, err := txn.Collect(rows, scanID)
	if err != nil || len(tickets) == 0 {
		return false, err
	}
	first, err := t.ReserveIDs(storeKey, eventIDs, 0, int64(len(tickets)))
	if err != nil {
		return false, err
	}
	// Others may have been committed since the query, so the tickets are named.
	named := " FROM event_inbox WHERE store_hash = $1 AND ticket IN (SELECT wanted FROM " + t.SQL().IDTable + ")"
	list := idText(tickets)
	err = t.Later("INSERT INTO events (store_hash, number, "+eventColumns+
		") SELECT store_hash, CAST($3 AS BIGINT) + row_number() OVER (ORDER BY ticket), "+eventColumns+named, storeKey, list, first-1)
	if err != nil {
		return false, err
	}
	return len(tickets) == limit, t.Later("DELETE"+named, storeKey, list)
}

// eventWindow is how many numbers a page looks at, so that a filter that few events pass
// does not read all of them. maxEventPage bounds the changes of a page, in bytes.
const (
	eventWindow  = 10_000
	maxEventPage = 1 << 20
)

// Counters and events as NumberEvents would leave them, if it numbered the whole inbox.
const (
	countersWithInbox = `(SELECT store_hash, kind, last_id + CASE WHEN kind = '` + eventIDs + `'
			THEN (SELECT count(*) FROM event_inbox AS i WHERE i.store_hash = c.store_hash) ELSE 0 END AS last_id FROM counters AS c
		UNION ALL SELECT store_hash, '` + eventIDs + `', count(*) FROM event_inbox AS i
		WHERE NOT EXISTS (SELECT 1 FROM counters AS c WHERE c.store_hash = i.store_hash AND c.kind = '` + eventIDs + `')
		GROUP BY store_hash) AS counters`
	eventsWithInbox = "(SELECT store_hash, number, " + eventColumns + ` FROM events
		UNION ALL SELECT store_hash, coalesce((SELECT last_id FROM counters AS c WHERE c.store_hash = i.store_hash AND c.kind = '` + eventIDs + `'), 0)
		+ row_number() OVER (PARTITION BY store_hash ORDER BY ticket), ` + eventColumns + " FROM event_inbox AS i) AS events"
)

// ListEvents returns up to limit numbered events.
func (t *Tx) ListEvents(storeKey string, f cohort.EventFilter, limit int) (page cohort.EventPage, err error) {
	const bound = "coalesce((SELECT number FROM events WHERE store_hash = $1 ORDER BY number "
	err = t.QueryRow("SELECT "+bound+"LIMIT 1), 0), "+bound+"DESC LIMIT 1), 0)", storeKey).Scan(&page.First, &page.Last)
	if err != nil {
		return page, err
	}
	page.Missed = f.After > 0 && page.First > f.After+1
	page.Next = f.After
	if page.Last <= f.After {
		return page, nil
	}
	from := max(f.After, page.First-1)
	to := min(page.Last, from+eventWindow)
	full, err := t.readEvents(storeKey, f.Kinds, from, to, limit, &page)
	if err != nil {
		return page, err
	}
	page.Next = to
	if full {
		page.Next = page.Events[len(page.Events)-1].Number
	}
	page.More = page.Next < page.Last
	return page, nil
}

// LastEvent returns the highest number of an event of a store; 0: there is none.
func (t *Tx) LastEvent(storeKey string) (last int64, err error) {
	return last, t.Lookup("SELECT coalesce(max(number), 0) FROM events WHERE store_hash = $1", storeKey).Scan(&last)
}

// readEvents adds events to a page. It reports whether it stopped because the page is full.
func (t *Tx) readEvents(storeKey string, kinds []cohort.EventKind, from, to int64, limit int, page *cohort.EventPage) (full bool, err error) {
	w := whereStore(storeKey)
	w.and("number > ?", from)
	w.and("number <= ?", to)
	if len(kinds) > 0 {
		in(w, "kind", kindTexts(kinds))
	}
	rows, err := t.Query("SELECT number, "+eventColumns+" FROM events"+w.text.String()+" ORDER BY number LIMIT CAST("+w.arg(limit)+" AS BIGINT)", w.args...)
	if err != nil {
		return false, err
	}
	size := 0
	err = txn.Each(rows, scanEvent, func(e cohort.Event) bool {
		if size += len(e.Changes); size > maxEventPage && len(page.Events) > 0 {
			full = true
			return false
		}
		page.Events = append(page.Events, e)
		full = len(page.Events) == limit
		return !full
	})
	return full, err
}

func kindTexts(kinds []cohort.EventKind) []string {
	texts := make([]string, len(kinds))
	for i, k := range kinds {
		texts[i] = string(k)
	}
	return texts
}

func scanEvent(row txn.Scanner) (e cohort.Event, err error) {
	var date int64
	var ids, changes string
	err = row.Scan(&e.Number, &date, &e.Kind, &e.GroupID, &e.CustomerID, &e.ProductID, &e.PriceListID, &ids,
		&e.Actor, &e.ActorName, &e.Reason, &e.RequestID, &changes)
	if err == nil {
		err = decodeEventIDs(ids, &e.EventIDs)
	}
	e.Date, e.Changes = fromMillis(date), json.RawMessage(changes)
	return e, err
}
