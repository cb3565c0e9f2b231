package apiv3

import (
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// appendAmount has the same output as decimal.String.
func TestAppendAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := decimal.New(rapid.Int64().Draw(t, "coefficient"), rapid.Int32Range(-25, 5).Draw(t, "exponent"))
		if rapid.Bool().Draw(t, "short") {
			d = decimal.New(rapid.Int64Range(0, 200_000).Draw(t, "short coefficient"), rapid.Int32Range(-6, 2).Draw(t, "short exponent"))
		}
		if got := string(appendAmount([]byte("x"), d)); got != "x"+d.String() {
			t.Fatalf("%s is encoded as %s", d, got)
		}
	})
}
