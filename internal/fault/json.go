package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ruleWire is a rule in JSON.
type ruleWire struct {
	Operation   string          `json:"operation,omitempty"`
	Method      string          `json:"method,omitempty"`
	Path        string          `json:"path,omitempty"`
	Match       *matchWire      `json:"match,omitempty"`
	Skip        int             `json:"skip,omitempty"`
	Times       int             `json:"times,omitempty"`
	Every       int             `json:"every,omitempty"`
	Probability *float64        `json:"probability,omitempty"`
	Seed        *uint64         `json:"seed,omitempty"`
	Delay       string          `json:"delay,omitempty"` // such as 250ms
	Jitter      string          `json:"delay_jitter,omitempty"`
	Before      string          `json:"before,omitempty"`
	Action      json.RawMessage `json:"action,omitempty"`
}

type matchWire struct {
	Query  map[string]string `json:"query,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Body   json.RawMessage   `json:"body,omitempty"`
}

// actionWire is an action in JSON that is an object. An action with no member but its name
// is a string.
type actionWire struct {
	Status     int               `json:"status,omitempty"`
	Title      string            `json:"title,omitempty"`
	Errors     map[string]string `json:"errors,omitempty"`
	RetryAfter int               `json:"retry_after,omitempty"`
	Slow       string            `json:"slow,omitempty"`
	CommitThen json.RawMessage   `json:"commit_then,omitempty"`
}

// MarshalJSON returns the rule as Decode reads it.
func (r Rule) MarshalJSON() ([]byte, error) {
	w := ruleWire{
		Operation: r.Operation, Method: r.Method, Path: r.Path, Skip: r.Skip, Times: r.Times, Every: r.Every,
		Probability: r.Probability, Seed: r.Seed, Delay: timeText(r.Delay), Jitter: timeText(r.Jitter),
	}
	if len(r.Match.Query) > 0 || len(r.Match.Header) > 0 || r.Match.Body != nil {
		w.Match = &matchWire{r.Match.Query, r.Match.Header, r.Match.Body}
	}
	if r.BeforeAuth {
		w.Before = "auth"
	}
	if r.Action.Kind != KindDelay {
		text, err := r.Action.wire()
		if err != nil {
			return nil, err
		}
		w.Action = text
	}
	return json.Marshal(w)
}

// wire returns the action as decodeAction reads it.
func (a Action) wire() (json.RawMessage, error) {
	switch {
	case a.Commit:
		a.Commit = false
		then, err := a.wire()
		if err != nil {
			return nil, err
		}
		return json.Marshal(actionWire{CommitThen: then})
	case a.Kind == KindStatus:
		return json.Marshal(actionWire{Status: a.Status, Title: a.Title, Errors: a.Errors, RetryAfter: a.RetryAfter})
	case a.Kind == KindSlow:
		return json.Marshal(actionWire{Slow: timeText(a.Duration)})
	}
	return json.Marshal(string(a.Kind))
}

// timeText returns a time as the wire has it, "" for none.
func timeText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// Decode reads a list of rules and checks them. The field of a *RuleError begins with the
// number of the rule, such as "0.action.status".
func (o Operations) Decode(list []json.RawMessage) ([]Rule, error) {
	if len(list) > MaxRules {
		return nil, &RuleError{"", fmt.Sprintf("A store has at most %d rules.", MaxRules)}
	}
	rules := make([]Rule, len(list))
	for i, text := range list {
		r, err := o.DecodeOne(text)
		if wrong, ok := errors.AsType[*RuleError](err); ok {
			return nil, &RuleError{joinPath(strconv.Itoa(i), wrong.Field), wrong.Reason}
		}
		rules[i] = r
	}
	return rules, nil
}

// DecodeOne reads a rule and checks it. Its errors are of type *RuleError.
func (o Operations) DecodeOne(text []byte) (Rule, error) {
	r, err := decodeRule(text)
	if err == nil {
		err = o.Check(r)
	}
	return r, err
}

func decodeRule(text []byte) (r Rule, err error) {
	var w ruleWire
	if err := strict(text, &w, ""); err != nil {
		return r, err
	}
	r = Rule{
		Operation: w.Operation, Method: w.Method, Path: w.Path, Skip: w.Skip, Times: w.Times, Every: w.Every,
		Probability: w.Probability, Seed: w.Seed,
	}
	if r.Operation == "*" {
		r.Operation = ""
	}
	if w.Match != nil {
		r.Match = Match(*w.Match)
	}
	if isNull(r.Match.Body) {
		r.Match.Body = nil
	}
	switch w.Before {
	case "", "handler":
	case "auth":
		r.BeforeAuth = true
	default:
		return r, &RuleError{"before", "The value must be auth or handler."}
	}
	if r.Delay, err = parseTime(w.Delay, "delay"); err != nil {
		return r, err
	}
	if r.Jitter, err = parseTime(w.Jitter, "delay_jitter"); err != nil {
		return r, err
	}
	if !isNull(w.Action) {
		r.Action, err = decodeAction(w.Action, "action")
	}
	return r, err
}

// isNull reports whether a value is missing or null.
func isNull(text json.RawMessage) bool { return len(text) == 0 || string(text) == "null" }

func decodeAction(text json.RawMessage, field string) (a Action, err error) {
	if text[0] == '"' {
		var kind Kind
		if err := json.Unmarshal(text, &kind); err != nil || !slices.Contains(simple(), kind) {
			return a, &RuleError{field, "The value must be an object, or one of: timeout, reset, empty, truncate."}
		}
		return Action{Kind: kind}, nil
	}
	var w actionWire
	if err := strict(text, &w, field); err != nil {
		return a, err
	}
	chosen := 0
	for _, has := range []bool{w.Status != 0, w.Slow != "", !isNull(w.CommitThen)} {
		if has {
			chosen++
		}
	}
	if chosen != 1 || w.Status == 0 && (w.Title != "" || len(w.Errors) > 0 || w.RetryAfter != 0) {
		return a, &RuleError{field, "The object must have exactly one of: status (with title, errors and retry_after), slow, commit_then."}
	}
	switch {
	case w.Status != 0:
		return Action{Kind: KindStatus, Status: w.Status, Title: w.Title, Errors: w.Errors, RetryAfter: w.RetryAfter}, nil
	case w.Slow != "":
		a.Kind = KindSlow
		a.Duration, err = parseTime(w.Slow, field+".slow")
		return a, err
	case field != "action":
		return a, &RuleError{field, "commit_then must not be within commit_then."}
	}
	a, err = decodeAction(w.CommitThen, field+".commit_then")
	a.Commit = true
	return a, err
}

// simple are the actions that are a string.
func simple() []Kind { return []Kind{KindTimeout, KindReset, KindEmpty, KindTruncate} }

// parseTime reads a time such as 250ms; "" is none.
func parseTime(text, field string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, &RuleError{field, `The value must be a time such as "250ms" or "5s".`}
	}
	return d, nil
}

// strict decodes JSON into a pointer to a struct, and refuses unknown fields. Its errors
// are of type *RuleError; their fields begin with that of the struct.
func strict(text []byte, into any, field string) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return &RuleError{field, "The value must be one JSON object."}
		}
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &RuleError{joinPath(field, wrong.Field), "The value must be " + typeName(wrong.Type) + "."}
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		unknown, _ := strconv.Unquote(name)
		return &RuleError{joinPath(field, unknown), "There is no such field."}
	}
	return &RuleError{field, "The value is not valid JSON."}
}

func joinPath(path, field string) string { return strings.Trim(path+"."+field, ".") }

// typeName names a type of JSON.
func typeName(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // rules have no other types
	case reflect.String:
		return "a string"
	case reflect.Int:
		return "an integer"
	case reflect.Uint64:
		return "an integer from 0"
	case reflect.Float64:
		return "a number"
	}
	return "an object"
}
