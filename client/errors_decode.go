package client

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxErrorBytes is how much of an error response is read, in bytes.
	maxErrorBytes = 1 << 20
	// maxTitleBytes is how much is kept of an error response that is not JSON, in bytes.
	maxTitleBytes = 512
)

// errorV2 is an element of the array with which V2 responds to errors.
type errorV2 struct {
	Message string `json:"message"`
	Details struct {
		Reason string `json:"invalid_reason"`
	} `json:"details"`
}

// errorV3 is an error of V3. Errors is an object of sentences, or a list of such errors.
type errorV3 struct {
	Title    string           `json:"title"`
	Detail   string           `json:"detail"`
	Message  string           `json:"message"`
	Errors   json.RawMessage  `json:"errors"`
	Rejected []rejectedRecord `json:"batch_errors"`
	Data     json.RawMessage  `json:"data"`
}

// rejectedRecord is a price record that the server has refused. Data says which.
type rejectedRecord struct {
	Data        recordName                 `json:"data"`
	FieldErrors map[string]json.RawMessage `json:"field_errors"`
}

var fieldOfV2 = regexp.MustCompile(`field '([^']+)'`)

// decodeError returns the error of a response. It accepts every body: JSON of V2 and of V3,
// text, and anything else.
func decodeError(status int, header http.Header, body []byte) *Error {
	e := &Error{Status: status, RequestID: header.Get("X-Request-Id"), backOff: readBackOff(header)}
	e.RetryAfter = e.backOff.wait()
	body = bytes.TrimSpace(body)
	switch {
	case bytes.HasPrefix(body, []byte("[")) && e.decodeV2(body):
	case bytes.HasPrefix(body, []byte("{")) && e.decodeV3(body):
	default:
		text := strings.ToValidUTF8(string(body[:min(len(body), maxTitleBytes)]), "")
		e.Title = strings.Join(strings.Fields(text), " ")
	}
	if e.Title == "" {
		e.Title = http.StatusText(status)
	}
	return e
}

func (e *Error) decodeV2(body []byte) bool {
	var list []errorV2
	if json.Unmarshal(body, &list) != nil || len(list) == 0 {
		return false
	}
	e.Title, e.Reason = list[0].Message, list[0].Details.Reason
	if m := fieldOfV2.FindStringSubmatch(e.Title); m != nil {
		e.Fields = map[string]string{m[1]: orElse(e.Reason, e.Title)}
	}
	return true
}

func (e *Error) decodeV3(body []byte) bool {
	var v errorV3
	if json.Unmarshal(body, &v) != nil {
		return false
	}
	e.Title = orElse(v.Title, orElse(v.Detail, v.Message))
	e.Fields = map[string]string{}
	e.rejected, e.done = v.Rejected, v.Data
	var list []errorV3
	if json.Unmarshal(v.Errors, &list) == nil {
		for _, one := range list {
			e.Title = orElse(e.Title, one.Title)
			e.addFields(one.Errors)
		}
		return true
	}
	e.addFields(v.Errors)
	return true
}

// addFields adds the sentences of an object. A value that is no text is kept as JSON.
func (e *Error) addFields(object json.RawMessage) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(object, &fields) == nil {
		maps.Copy(e.Fields, sentences(fields))
	}
}

func sentences(of map[string]json.RawMessage) map[string]string {
	texts := map[string]string{}
	for path, value := range of {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		texts[path] = text
	}
	return texts
}

// batchError returns an error about items of a batch as a [*BatchError], and others as they
// are. An item is named by the index at the beginning of a path: "0.email".
func batchError(err error, size int) error {
	e, ok := err.(*Error) //nolint:errorlint // call returns it unwrapped
	if !ok {
		return err
	}
	items := map[int]map[string]string{}
	for path, text := range e.Fields {
		number, field, _ := strings.Cut(path, ".")
		i, err := strconv.Atoi(number)
		if err != nil || i < 0 || i >= size {
			continue
		}
		if items[i] == nil {
			items[i] = map[string]string{}
		}
		items[i][field] = text
	}
	return newBatchError(e, items)
}

// newBatchError returns the error itself if no item is known.
func newBatchError(e *Error, items map[int]map[string]string) error {
	if len(items) == 0 {
		return e
	}
	batch := &BatchError{cause: e}
	for _, i := range slices.Sorted(maps.Keys(items)) {
		batch.Items = append(batch.Items, ItemError{Index: i, Fields: items[i]})
	}
	return batch
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
