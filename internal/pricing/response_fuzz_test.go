package pricing

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzResponse: a body is accepted exactly if it is a JSON object with the key.
func FuzzResponse(f *testing.F) {
	const key = "ONQW24DMMUQGWZLZEBTG64RAMR"
	for _, seed := range []string{
		`{"idempotency_key":"` + key + `"}`, `{"idempotency_key":"` + key + `","idempotency_key":1}`,
		`{"Idempotency_Key":"` + key + `"}`, `{"idempotency_key":null}`, `{}`, `null`, `[]`, `"` + key + `"`, "", "<html>", "{",
		"\xef\xbb\xbf{}", `{"idempotency_key":"\u004fNQW24DMMUQGWZLZEBTG64RAMR"}`, strings.Repeat("[", 10_000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := checkResponse(body, key)
		var any map[string]any
		isObject := json.Unmarshal(body, &any) == nil
		valid := isObject && any["idempotency_key"] == key && len(body) <= maxResponse
		if (err == nil) != valid {
			t.Errorf("%q: error %v, valid: %v", body, err, valid)
		}
	})
}
