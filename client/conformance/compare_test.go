package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"cohort.example/cohort/client"

	"github.com/shopspring/decimal"
)

// leftOut are fields of responses that the client has no field for, each with the reason.
var leftOut = map[string]string{
	"addresses.url":      "V2 customers have a link, which says no more than the id",
	"addresses.resource": "V2 customers have a link, which says no more than the id",
}

// compare returns how a result differs from the response from which the client made it.
func compare(res *http.Response, body []byte, value any, err error) []string {
	switch {
	case res.StatusCode == http.StatusMultiStatus:
		return comparePartial(body, err)
	case res.StatusCode >= 300:
		return compareError(res, body, err)
	case err != nil:
		return []string{"the method returns the error " + err.Error()}
	case len(body) == 0 || value == nil:
		return nil
	}
	want, problem := parse(body)
	if problem != "" {
		return []string{problem}
	}
	if object, ok := want.(map[string]any); ok && isEnvelope(object) {
		want = object["data"]
	}
	text, err := json.Marshal(value)
	if err != nil {
		return []string{err.Error()}
	}
	got, problem := parse(text)
	if problem != "" {
		return []string{problem}
	}
	return differences("", got, want)
}

// isEnvelope reports whether an object is a response of V3, whose data is what counts.
func isEnvelope(object map[string]any) bool {
	_, data := object["data"]
	_, meta := object["meta"]
	errors, partial := object["errors"].([]any) // of a batch that does what can be done
	return data && meta && (len(object) == 2 || len(object) == 3 && partial && len(errors) == 0)
}

func parse(text []byte) (value any, problem string) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, fmt.Sprintf("%.200s is no JSON: %v", text, err)
	}
	return value, ""
}

func comparePartial(body []byte, err error) []string {
	partial, ok := errors.AsType[*client.PartialError](err)
	if !ok || !bytes.Contains(body, []byte(partial.Message)) || partial.Message == "" {
		return []string{fmt.Sprintf("the method returns %v for status 207", err)}
	}
	return nil
}

// compareError compares the status, the title and the fields.
func compareError(res *http.Response, body []byte, err error) (problems []string) {
	e, ok := errors.AsType[*client.Error](err)
	if !ok || e.Status != res.StatusCode {
		return []string{fmt.Sprintf("the method returns %v for status %d", err, res.StatusCode)}
	}
	if e.RequestID != res.Header.Get("X-Request-Id") {
		problems = append(problems, "the request id is "+e.RequestID)
	}
	value, problem := parse(body)
	if problem != "" { // a text
		if e.Title != strings.TrimSpace(string(body)) {
			problems = append(problems, "the title is "+e.Title)
		}
		return problems
	}
	object, ok := value.(map[string]any)
	if list, isList := value.([]any); isList && len(list) == 1 {
		object, ok = list[0].(map[string]any)
	}
	if !ok {
		return append(problems, "the body is neither an object nor a list of one")
	}
	for _, name := range []string{"message", "title"} {
		if text, ok := object[name].(string); ok && text != e.Title {
			problems = append(problems, "the title is "+e.Title)
		}
	}
	if fields, ok := object["errors"].(map[string]any); ok {
		problems = append(problems, compareFields(e, fields)...)
	}
	if details, ok := object["details"].(map[string]any); ok && details["invalid_reason"] != e.Reason {
		problems = append(problems, "the reason is "+e.Reason)
	}
	if list, ok := object["batch_errors"].([]any); ok && len(list) > 0 && object["status"] == nil {
		if batch, ok := errors.AsType[*client.BatchError](err); !ok || len(batch.Items) != len(list) {
			problems = append(problems, fmt.Sprintf("the items with errors are not %d: %v", len(list), err))
		}
	}
	return problems
}

func compareFields(e *client.Error, want map[string]any) (problems []string) {
	if len(want) != len(e.Fields) {
		problems = append(problems, fmt.Sprintf("the error has %d fields", len(e.Fields)))
	}
	for path, text := range want {
		if got, ok := e.Fields[path]; !ok || text != got {
			problems = append(problems, fmt.Sprintf("the field %s is %q", path, got))
		}
	}
	return problems
}

// differences compares two JSON values. Every field of the response must be there; one that
// it does not have must be empty.
func differences(path string, got, want any) []string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %v, not an object", path, got)}
		}
		return objectDifferences(path, g, w)
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			if len(w) == 0 && got == nil {
				return nil
			}
			return []string{fmt.Sprintf("%s has not %d elements: %v", path, len(w), got)}
		}
		var all []string
		for i := range w {
			all = append(all, differences(path, g[i], w[i])...)
		}
		return all
	}
	if same(got, want) {
		return nil
	}
	return []string{fmt.Sprintf("%s is %v, not %v", path, got, want)}
}

func objectDifferences(path string, got, want map[string]any) (all []string) {
	for name, value := range want {
		field := strings.TrimPrefix(path+"."+name, ".")
		g, there := got[name]
		switch {
		case leftOutAll(field, value):
		case !there && !isEmpty(value):
			all = append(all, field+" is missing")
		case there:
			all = append(all, differences(field, g, value)...)
		}
	}
	for name, value := range got {
		if _, there := want[name]; !there && !isEmpty(value) {
			all = append(all, fmt.Sprintf("%s.%s is %v, and the response has no such field", path, name, value))
		}
	}
	return all
}

// leftOutAll reports whether all that a field has is left out.
func leftOutAll(field string, value any) bool {
	object, ok := value.(map[string]any)
	if !ok || len(object) == 0 {
		return leftOut[field] != ""
	}
	for name := range object {
		if leftOut[field+"."+name] == "" {
			return false
		}
	}
	return true
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case json.Number:
		return v == "0"
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, value := range v {
			if !isEmpty(value) {
				return false
			}
		}
		return true
	}
	return false
}

// same compares values that are no objects and lists. A number may be a text, a date may
// have another form, and null may be the empty value.
func same(got, want any) bool {
	if want == nil {
		return isEmpty(got)
	}
	if got == want {
		return true
	}
	g, w := fmt.Sprint(got), fmt.Sprint(want)
	if gd, err := decimal.NewFromString(g); err == nil {
		wd, err := decimal.NewFromString(w)
		return err == nil && gd.Equal(wd)
	}
	gt, err := client.ParseTime(g)
	if err != nil || gt.IsZero() {
		return false
	}
	wt, err := client.ParseTime(w)
	return err == nil && gt.Equal(wt.Time)
}

// sameJSON compares two bodies of requests. Unlike results, they must have the same fields.
func sameJSON(got, want []byte) bool {
	if len(got) == 0 || len(want) == 0 {
		return len(got) == len(want)
	}
	g, problem := parse(got)
	if problem != "" {
		return false
	}
	w, problem := parse(want)
	return problem == "" && sameBody(g, w)
}

func sameBody(got, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		return ok && maps.EqualFunc(g, w, sameBody)
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(g, w, sameBody)
	case nil:
		return got == nil
	}
	return got != nil && same(got, want)
}
