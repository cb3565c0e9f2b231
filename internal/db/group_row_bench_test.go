package db

import (
	"encoding/json"
	"testing"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// BenchmarkGroupRow encodes and decodes the two JSON columns of a group with
// four categories and three rules, and compares with encoding/json.
func BenchmarkGroupRow(b *testing.B) {
	g := cohort.Group{
		CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{18, 19, 20, 21}},
		DiscountRules: []cohort.DiscountRule{
			{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.RequireFromString("5")},
			{Type: cohort.RuleCategory, TargetID: 18, Method: cohort.MethodPrice, Amount: decimal.RequireFromString("2.50")},
			{Type: cohort.RuleProduct, TargetID: 1077, Method: cohort.MethodFixed, Amount: decimal.RequireFromString("9.99")},
		},
	}
	rows := []ruleRow{}
	for _, r := range g.DiscountRules {
		rows = append(rows, ruleRow{Type: r.Type, Target: r.TargetID, Method: r.Method, Amount: r.Amount})
	}
	access, rules := encodeGroup(g)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			encodeGroup(g)
		}
	})
	b.Run("encode-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(accessRow(g.CategoryAccess)); err != nil {
				b.Fatal(err)
			}
			if _, err := json.Marshal(rows); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var got cohort.Group
			if err := decodeGroup(&got, access, rules); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodeAsJSON(access, rules); err != nil {
				b.Fatal(err)
			}
		}
	})
}
