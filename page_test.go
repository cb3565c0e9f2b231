package cohort_test

import (
	"math"
	"math/big"
	"testing"

	"cohort.example/cohort"

	"pgregory.net/rapid"
)

func TestPageOffset(t *testing.T) {
	tests := []struct {
		page cohort.Page
		want int64
	}{
		{cohort.Page{Number: 1, Size: 50}, 0},
		{cohort.Page{Number: 2, Size: 50}, 50},
		{cohort.Page{Number: 1, Size: math.MaxInt}, 0},
		{cohort.Page{Number: math.MaxInt, Size: 1}, math.MaxInt64 - 1},
		{cohort.Page{Number: math.MaxInt, Size: 2}, math.MaxInt64},
		{cohort.Page{Number: math.MaxInt, Size: math.MaxInt}, math.MaxInt64},
	}
	for _, tt := range tests {
		if got := tt.page.Offset(); got != tt.want {
			t.Errorf("%+v: got %d, want %d", tt.page, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := cohort.Page{Number: rapid.IntMin(1).Draw(t, "number"), Size: rapid.IntMin(1).Draw(t, "size")}
		want := new(big.Int).Mul(big.NewInt(int64(p.Number-1)), big.NewInt(int64(p.Size)))
		if !want.IsInt64() {
			want.SetInt64(math.MaxInt64)
		}
		if got := p.Offset(); got != want.Int64() {
			t.Fatalf("%+v: got %d, want %d", p, got, want)
		}
	})
}
