package apiv2

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// The wire structs describe the responses with groups in a form that is easy to
// compare with the vendor's reference. The tests compare their encoding/json output
// with that of the encoder for groups.

// groupWire is a customer group in responses.
type groupWire struct {
	ID               int64      `json:"id"`
	Name             string     `json:"name"`
	CategoryAccess   accessWire `json:"category_access"`
	DiscountRules    []ruleWire `json:"discount_rules"`
	DateCreated      string     `json:"date_created"`
	DateModified     string     `json:"date_modified"`
	IsGroupForGuests bool       `json:"is_group_for_guests"`
	IsDefault        bool       `json:"is_default"`
}

type accessWire struct {
	Type       cohort.AccessType `json:"type"`
	Categories []int64           `json:"categories,omitempty"`
}

type ruleWire struct {
	Type        cohort.RuleType `json:"type"`
	CategoryID  int64           `json:"category_id,omitempty"`
	ProductID   int64           `json:"product_id,omitempty"`
	PriceListID int64           `json:"price_list_id,omitempty"`
	Method      cohort.Method   `json:"method,omitempty"`
	Amount      string          `json:"amount,omitempty"`
}

// groupDate formats a date of a group in UTC: "2023-07-17 06:30:41".
func groupDate(t time.Time) string { return t.UTC().Format(time.DateTime) }

func groupToWire(g cohort.Group) groupWire {
	rules := make([]ruleWire, len(g.DiscountRules))
	for i, r := range g.DiscountRules {
		rules[i] = ruleToWire(r)
	}
	return groupWire{
		ID:               g.ID,
		Name:             g.Name,
		CategoryAccess:   accessWire(g.CategoryAccess),
		DiscountRules:    rules,
		DateCreated:      groupDate(g.DateCreated),
		DateModified:     groupDate(g.DateModified),
		IsGroupForGuests: g.IsGroupForGuests,
		IsDefault:        g.IsDefault,
	}
}

func ruleToWire(r cohort.DiscountRule) ruleWire {
	w := ruleWire{Type: r.Type, Method: r.Method}
	switch r.Type {
	case cohort.RuleCategory:
		w.CategoryID = r.TargetID
	case cohort.RuleProduct:
		w.ProductID = r.TargetID
	case cohort.RulePriceList:
		w.PriceListID = r.TargetID
		return w
	}
	w.Amount = r.Amount.StringFixed(cohort.AmountScale)
	return w
}

// encoded returns the encoding/json output for v.
func encoded(t testing.TB, v any) string {
	t.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

// The encoder for groups has the same output as encoding/json, also for groups that
// are not valid.
func TestAppendGroup(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		groups := rapid.SliceOfN(rapid.Custom(drawGroup), 1, 3).Draw(r, "groups")
		var wires []groupWire
		for _, g := range groups {
			wires = append(wires, groupToWire(g))
			if diff := cmp.Diff(encoded(t, groupToWire(g)), string(appendGroup(nil, g))); diff != "" {
				r.Errorf("a group (-encoding/json +appendGroup):\n%s", diff)
			}
		}
		w := httptest.NewRecorder()
		request := &api.Request{Request: httptest.NewRequest(http.MethodGet, "/", http.NoBody)}
		page, err := api.ReadPage(request, groupList(cohort.Page{Number: 1, Size: 3}, rowsOf(groups)))
		if err != nil {
			r.Fatal(err)
		}
		if err := page.Write(w); err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(encoded(t, wires), w.Body.String()); diff != "" {
			r.Errorf("a list (-encoding/json +appendGroup):\n%s", diff)
		}
	})
}

// rowsOf returns a reader of rows in memory.
func rowsOf[T any](rows []T) reader[T] {
	return func(_ context.Context, p cohort.Page, to *api.Piece[T]) error {
		to.Begin()
		for _, row := range rows[:min(p.Size, len(rows))] {
			to.Add(row)
		}
		return nil
	}
}

func drawGroup(t *rapid.T) cohort.Group {
	return cohort.Group{
		ID:             rapid.Int64().Draw(t, "id"),
		Name:           drawText(t, "name"),
		CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessType(drawText(t, "access")), Categories: rapid.SliceOf(rapid.Int64()).Draw(t, "categories")},
		DiscountRules:  rapid.SliceOf(rapid.Custom(drawRule)).Draw(t, "rules"),
		DateCreated:    drawTime(t), DateModified: drawTime(t),
		IsDefault: rapid.Bool().Draw(t, "default"), IsGroupForGuests: rapid.Bool().Draw(t, "guests"),
	}
}

func drawRule(t *rapid.T) cohort.DiscountRule {
	return cohort.DiscountRule{
		Type: rapid.OneOf(
			rapid.SampledFrom([]cohort.RuleType{cohort.RuleAll, cohort.RuleCategory, cohort.RuleProduct, cohort.RulePriceList}),
			rapid.Map(rapid.String(), func(s string) cohort.RuleType { return cohort.RuleType(s) }),
		).Draw(t, "type"),
		TargetID: rapid.OneOf(rapid.Just(int64(0)), rapid.Int64()).Draw(t, "target"),
		Method:   rapid.SampledFrom([]cohort.Method{"", cohort.MethodPercent, cohort.MethodFixed, cohort.MethodPrice, "<\">"}).Draw(t, "method"),
		Amount:   drawAmount(t),
	}
}

// drawText draws texts, and bytes that are not UTF-8.
func drawText(t *rapid.T, label string) string {
	return rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.StringOf(rapid.SampledFrom([]rune("a\"\\/<>&\x00\b\t\n\f\r\x1f\x7fé\u2027\u2028\u2029\u202a\ufffd😀"))),
	).Draw(t, label)
}

// drawAmount draws amounts. Most of them fit into an int64 with four decimals.
func drawAmount(t *rapid.T) decimal.Decimal {
	coefficient := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-100_000, 100_000)).Draw(t, "coefficient")
	exponent := rapid.OneOf(rapid.Int32Range(-6, 2), rapid.Int32Range(-70, 70)).Draw(t, "exponent")
	if rapid.Bool().Draw(t, "long") {
		n := new(big.Int).Mul(big.NewInt(coefficient), big.NewInt(math.MaxInt64))
		return decimal.NewFromBigInt(n, exponent)
	}
	return decimal.New(coefficient, exponent)
}

func drawTime(t *rapid.T) time.Time {
	seconds := rapid.OneOf(rapid.Int64Range(0, 4_000_000_000), rapid.Int64Range(-1e12, 1e12)).Draw(t, "seconds")
	zone := time.FixedZone("", rapid.IntRange(-14*3600, 14*3600).Draw(t, "zone"))
	return time.Unix(seconds, rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).In(zone)
}

// The amounts are around the largest ones that appendAmount formats as an int64.
func TestAppendAmount(t *testing.T) {
	for _, text := range []string{
		"0", "-0", "0.0000", "0e10", "0e64", "0e-64", "5", "5.0", "5.00000", "12.5", "0.0001", "0.00005", "-0.00005", "-0.5", "-12.3456",
		"99999999999999", "100000000000000", "999999999999999", "9999999999999999", "9999999999999999.9999",
		"922337203685477.5807", "922337203685477.5808", "-922337203685477.5808", "9223372036854775807", "-9223372036854775808",
		"1e14", "1e15", "123e13", "123e16", "1e64", "1e-64", "999999.99995",
	} {
		d := decimal.RequireFromString(text)
		if want, got := d.StringFixed(4), string(appendAmount(nil, d)); got != want {
			t.Errorf("%s is encoded as %s, want %s", text, got, want)
		}
	}
}

// The dates are around the first and the last year with four digits.
func TestAppendGroupDate(t *testing.T) {
	for _, at := range []time.Time{
		{},
		time.Unix(0, 0),
		time.Date(2024, 2, 29, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(2026, 1, 1, 0, 30, 0, 0, time.FixedZone("", 3600)), // the previous year in UTC
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(-1, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(999, 10, 10, 10, 10, 10, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if want, got := `"`+groupDate(at)+`"`, string(appendGroupDate(nil, at)); got != want {
			t.Errorf("%v is encoded as %s, want %s", at, got, want)
		}
	}
}

// sampleGroup returns a group of typical size.
func sampleGroup(id int64) cohort.Group {
	created := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	return cohort.Group{
		ID:             id,
		Name:           fmt.Sprintf("Group %d", id),
		CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{18, 19}},
		DiscountRules: []cohort.DiscountRule{
			{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.New(5, 0)},
			{Type: cohort.RuleCategory, TargetID: 18, Method: cohort.MethodPrice, Amount: decimal.New(25, -1)},
		},
		DateCreated: created, DateModified: created,
	}
}
