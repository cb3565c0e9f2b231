package db

import (
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestOptionValuesRoundTrip(t *testing.T) {
	option := rapid.Custom(func(t *rapid.T) cohort.OptionValue {
		return cohort.OptionValue{OptionID: rapid.Int64().Draw(t, "option"), ValueID: rapid.Int64().Draw(t, "value")}
	})
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(option, 0, 5).Draw(t, "options")
		got, err := decodeOptionValues(encodeOptionValues(want))
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("error %v (-want +got):\n%s", err, diff)
		}
	})
}
