package seed_test

import (
	"errors"
	"testing"

	"cohort.example/cohort/internal/seed"
)

// A value has its line and column, in both formats.
func TestColumns(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"customer_groups:\n- {name: A}\n- {name: B, rules: 7}\n",
		"{\"customer_groups\": [\n {\"name\":\"A\"},\n {\"n\":\"B\" , \"r\": 7}]}",
	} {
		root, err := seed.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		item := root.Fields[0].Value.Items[1]
		value := item.Fields[1].Value
		want := map[byte][3]int{'c': {3, 3, 20}, '{': {3, 2, 18}}[text[0]]
		if got := [3]int{value.Line, item.Column, value.Column}; got != want {
			t.Errorf("line, column of the item and of the value are %v, want %v in\n%s", got, want, text)
		}
	}
	_, err := seed.ParseWithin([]byte("a: [1, 2, 3]"), seed.Bounds{Bytes: 100, Nodes: 3})
	if _, ok := errors.AsType[*seed.Error](err); !ok {
		t.Errorf("five values are read where three are allowed: %v", err)
	}
	if _, err := seed.ParseWithin([]byte("a: [1, 2, 3]"), seed.Bounds{Bytes: 5, Nodes: 100}); err == nil {
		t.Error("12 bytes are read where 5 are allowed")
	}
}
