package client

import (
	"testing"
	"time"
)

func TestQueries(t *testing.T) {
	at := time.Date(2024, 2, 3, 5, 6, 7, 8, time.FixedZone("", 3600))
	for want, filter := range map[string]any{
		"": GroupFilter{},
		"is_default=false&name=&name%3Alike=a%26b":                                                    GroupFilter{Name: Set(""), NameLike: "a&b", IsDefault: Set(false)},
		"date_created%3Amin=2024-02-03T04%3A06%3A07Z&date_modified%3Amax=2024-02-03T04%3A06%3A07Z":    GroupFilter{Created: TimeRange{From: at}, Modified: TimeRange{Until: at}},
		"customer_group_id=0&min_date_created=2024-02-03T04%3A06%3A07Z&min_id=7&store_credit=12.5":    CustomerFilter{GroupID: Set(int64(0)), MinID: 7, StoreCredit: Set(MustAmount("12.50")), CreatedFrom: at},
		"customer_group_id%3Ain=0%2C2&id%3Ain=1&include=addresses%2Cstorecredit&sort=last_name%3Aasc": CustomerV3Filter{GroupIDs: []int64{0, 2}, IDs: []int64{1}, Emails: []string{}, Include: []string{"addresses", "storecredit"}, Sort: "last_name:asc"},
		"customer_group_id=3": AssignmentDeletion{GroupID: 3},
		"direction=desc&id%3Amax=9&id%3Amin=0&parent_id=0&parent_id%3Amin=2&sort=name": CategoryFilter{IDRange: IntRange{Set[int64](0), Set[int64](9)}, ParentID: Set[int64](0), ParentIDRange: IntRange{Min: Set[int64](2)}, Sort: "name", Direction: "desc"},
		"is_featured=1&is_visible=false&out_of_stock=0&price=2&price%3Amax=9.5":        ProductFilter{IsVisible: Set(false), IsFeatured: Set(true), OutOfStock: Set(false), Price: Set(MustAmount("2")), PriceRange: AmountRange{Max: Set(MustAmount("9.50"))}},
	} {
		q, err := params(filter)
		if err != nil || q.Encode() != want {
			t.Errorf("%+v is %s (%v), want %s", filter, q.Encode(), err, want)
		}
	}
	if _, err := params(CustomerV3Filter{Emails: []string{""}}); err == nil {
		t.Error("an empty value of a list is sent")
	}
	defer func() {
		if recover() == nil {
			t.Error("a field of a type without a form is accepted")
		}
	}()
	_, _ = params(struct {
		X float64 `query:"x"`
	}{1})
}
