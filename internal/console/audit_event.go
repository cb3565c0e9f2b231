package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"cohort.example/cohort"
)

// maxShownValue bounds a value of a field on the page, in bytes. The export has all of it.
const maxShownValue = 1000

// auditEvent is an event as the history shows it.
type auditEvent struct {
	Number    int64
	Kind      cohort.EventKind
	Date      time.Time
	Text      string // what happened
	Who       string
	Reason    string
	RequestID string
	Fields    []fieldChange
}

// fieldChange is a field of an event, before and after. "": there was no value, unless Lost.
type fieldChange struct {
	Name, Before, After string
	Lost                bool // the values are secret, or too long to be kept
}

// describe puts events into words.
func (c *call) describe(events []cohort.Event) ([]auditEvent, error) {
	w, err := c.newEventWords(events)
	if err != nil {
		return nil, err
	}
	tokens, err := c.Service.ListTokens(c.ctx(), c.store.Key)
	if err != nil {
		return nil, err
	}
	list := make([]auditEvent, len(events))
	for i, e := range events {
		fields, err := fieldsOf(e)
		if err != nil {
			return nil, err
		}
		list[i] = auditEvent{
			Number: e.Number, Kind: e.Kind, Date: e.Date, Text: w.tell(e, fields), Who: actorText(e, tokens),
			Reason: e.Reason, RequestID: e.RequestID, Fields: fields,
		}
	}
	if err := c.tellRules(list); err != nil {
		return nil, err
	}
	for _, e := range list {
		for n := range e.Fields {
			f := &e.Fields[n]
			f.Before, f.After = shortened(f.Before, maxShownValue), shortened(f.After, maxShownValue)
		}
	}
	return list, nil
}

// actorText says who made a change. The name in an event is that of the operator of the
// console, and otherwise for whom the holder of a token says that she made the change.
func actorText(e cohort.Event, tokens []cohort.Token) string {
	who := tokenText(e.Actor, tokens)
	switch {
	case e.ActorName == "":
		return who
	case e.Actor == cohort.ActorConsole:
		return who + ": " + e.ActorName
	}
	return who + ", for " + e.ActorName
}

// tokenText names the token that made a change, or what made it without one.
func tokenText(actor string, tokens []cohort.Token) string {
	switch actor {
	case cohort.ActorCommandLine, cohort.ActorControl, cohort.ActorConsole:
		return actor
	}
	i := slices.IndexFunc(tokens, func(t cohort.Token) bool { return t.ID == actor })
	switch {
	case i < 0:
		return "token " + actor + ", which is revoked"
	case tokens[i].Name == "":
		return "token " + actor
	}
	return "token " + tokens[i].Name
}

// fieldsOf returns the fields of an event by name.
func fieldsOf(e cohort.Event) ([]fieldChange, error) {
	var changes map[string][]json.RawMessage
	if err := json.Unmarshal(e.Changes, &changes); err != nil {
		return nil, fmt.Errorf("the changes of event %d: %w", e.Number, err)
	}
	fields := []fieldChange{}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		f := fieldChange{Name: name, Lost: len(changes[name]) != 2}
		if !f.Lost {
			f.Before, f.After = plainValue(changes[name][0]), plainValue(changes[name][1])
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// emptyText is a text without characters, which differs from no value.
const emptyText = `""`

// plainValue returns a text as it is, "" for null, and any other value as JSON.
func plainValue(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		if text == "" && !bytes.Equal(value, []byte("null")) {
			return emptyText
		}
		return text
	}
	return string(value)
}

// shortened returns the beginning of a text, which is not cut within a character.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}
