package pricing

import (
	"encoding/json"
	"strings"
	"testing"
)

// Whatever answers, an answer counts only if a plain reading of it finds an object
// with the key.
func FuzzAnswer(f *testing.F) {
	const key = "ONQW24DMMUQGWZLZEBTG64RAMR"
	for _, seed := range []string{
		`{"idempotency_key":"` + key + `"}`, `{"idempotency_key":"` + key + `","idempotency_key":1}`,
		`{"Idempotency_Key":"` + key + `"}`, `{"idempotency_key":null}`, `{}`, `null`, `[]`, `"` + key + `"`, "", "<html>", "{",
		"\xef\xbb\xbf{}", `{"idempotency_key":"\u004fNQW24DMMUQGWZLZEBTG64RAMR"}`, strings.Repeat("[", 10_000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := checkAnswer(body, key)
		var any map[string]any
		isObject := json.Unmarshal(body, &any) == nil
		taken := isObject && any["idempotency_key"] == key && len(body) <= maxAnswer
		if (err == nil) != taken {
			t.Errorf("%q: error %v, it has the key: %v", body, err, taken)
		}
	})
}
