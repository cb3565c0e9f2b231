package client

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestMetafieldsInParts(t *testing.T) {
	h, got := answers(t,
		`422 {"data":[{"id":7,"key":"b"}],"errors":[{"status":422,"title":"Bulk operation has failed","errors":{"0.key":"taken","2":"Metafield does not exist"}}],"meta":{"total":3,"success":1,"failed":2}}`,
		`422 {"data":[8],"errors":[{"title":"Bulk operation has failed","errors":{"1":"Metafield does not exist"}}],"meta":{}}`)
	c, _ := newFake(t, h)
	var outcomes []string
	for r := range c.Metafields.CreateAll(t.Context(), make([]MetafieldCreate, 3)) {
		if item, ok := errors.AsType[ItemError](r.Err); ok && item.Index == r.Index && errors.Is(r.Err, ErrInvalid) {
			outcomes = append(outcomes, item.Error())
		} else {
			outcomes = append(outcomes, r.Value.Key)
		}
	}
	if want := []string{"item 0: key: taken", "b", "item 2: Metafield does not exist"}; !slices.Equal(outcomes, want) {
		t.Errorf("got %q, want %q", outcomes, want)
	}
	deleted, err := c.Metafields.DeleteMany(t.Context(), 8, 9)
	if batch, ok := errors.AsType[*BatchError](err); !ok || len(batch.Items) != 1 || batch.Items[0].Index != 1 || !slices.Equal(deleted, []int64{8}) {
		t.Errorf("got %v, %v", deleted, err)
	}
	if want := "DELETE /stores/abc/v3/customers/metafields?id%3Ain=8%2C9"; (*got)[1] != want {
		t.Errorf("sent %s, want %s", (*got)[1], want)
	}
}

func TestMetafieldsThatEnd(t *testing.T) {
	for _, answer := range []string{
		`422 {"data":{"id":7},"errors":[{"errors":{"0":"wrong"}}]}`,  // no list
		`422 {"data":["seven"],"errors":[{"errors":{"0":"wrong"}}]}`, // no metafields
		`422 {"data":[],"errors":[{"errors":{"0":"wrong"}}]}`,        // too few
		`422 {"data":[{},{}],"errors":[{"errors":{"0":"wrong"}}]}`,   // too many
		`200 {"data":[{},{},{},{},{},{},{},{},{}],"errors":[]}`,      // too few
		`200 {"errors":[]}`, `200 [`, `200 {"data":[{"id":"seven"}]}`, // no data
	} {
		h, got := answers(t, answer)
		c, _ := newFake(t, h)
		var failures, notTried int
		for r := range c.Metafields.UpdateAll(t.Context(), make([]MetafieldChange, 12)) {
			if r.Err != nil {
				failures++
			}
			if errors.Is(r.Err, ErrNotTried) {
				notTried++
			}
		}
		if failures != 12 || notTried != 2 || len(*got) != 1 {
			t.Errorf("%s: %d failed, %d of them were not tried, in %d requests", answer, failures, notTried, len(*got))
		}
	}
}

func TestConsentsAndSettings(t *testing.T) {
	h, got := answers(t, `200 {"allow":null,"deny":["targeting"],"updated_at":"2024-10-24T07:19:29Z","color":[1]}`,
		`200 {"data":{"privacy_settings":{"policy_url":null},"customer_group_settings":null},"meta":{}}`,
		`200 {"allow":"all","deny":[]}`, `200 {"data":{"customer_group_settings":{"guest_customer_group_id":"five"}}}`, `200 {"meta":{}}`)
	c, _ := newFake(t, h)
	if consent, err := c.Consents.Set(t.Context(), 3, nil, []string{ConsentTargeting}); err != nil || len(consent.Allow) != 0 || consent.Deny[0] != ConsentTargeting || consent.UpdatedAt.IsZero() {
		t.Errorf("got %+v, %v", consent, err)
	}
	u := ChannelCustomerSettings{AllowGlobalLogins: Set(false)}
	u.Groups.DefaultGroupID = Null[int64]()
	if s, err := c.CustomerSettings.UpdateOfChannel(t.Context(), 5, u); err != nil || !s.Privacy.PolicyURL.IsNull() || !s.Groups.GuestGroupID.IsZero() {
		t.Errorf("got %+v, %v", s, err)
	}
	for i, want := range []string{
		`PUT /stores/abc/v3/customers/3/consent {"allow":[],"deny":["targeting"]}`,
		`PUT /stores/abc/v3/customers/settings/channels/5 {"customer_group_settings":{"default_customer_group_id":null},"allow_global_logins":false}`,
	} {
		if (*got)[i] != want {
			t.Errorf("sent %s\nwant %s", (*got)[i], want)
		}
	}
	if _, err := c.Consents.Get(t.Context(), 3); !errors.Is(err, ErrResponse) {
		t.Errorf("a consent that is no list: %v", err)
	}
	for range 2 {
		if _, err := c.CustomerSettings.Get(t.Context()); !errors.Is(err, ErrResponse) {
			t.Errorf("settings: %v", err)
		}
	}
}

const aUUID = "1465bb16-eb7d-4fba-8312-0ea9d88cd6e9"

// TestIDsOfSegments: a deletion without ids would delete everything, and so would one with an
// id that changes the query or the path.
func TestIDsOfSegments(t *testing.T) {
	h, got := answers(t)
	c, _ := newFake(t, h)
	for _, id := range []string{"", "7", aUUID + ",", aUUID[:35] + "/", "../" + aUUID[3:], strings.Replace(aUUID, "-", "0", 1), aUUID[:35] + "g"} {
		for name, err := range map[string]error{
			"delete":   c.Segments.Delete(t.Context(), aUUID, id),
			"profiles": c.ShopperProfiles.Delete(t.Context(), id),
			"remove":   c.Segments.RemoveMembers(t.Context(), id, aUUID),
			"members":  c.Segments.RemoveMembers(t.Context(), aUUID, id),
			"add":      second(c.Segments.AddMembers(t.Context(), id, []string{aUUID})),
			"list":     second(c.Segments.List(t.Context(), SegmentFilter{IDs: []string{id}}, Page{})),
			"segments": second(c.ShopperProfiles.ListSegments(t.Context(), id, Page{})),
		} {
			if !errors.Is(err, ErrArgument) {
				t.Errorf("%s %q: %v", name, id, err)
			}
		}
		for _, err := range c.Segments.AllMembers(t.Context(), id) {
			if !errors.Is(err, ErrArgument) {
				t.Errorf("all members of %q: %v", id, err)
			}
		}
	}
	for _, err := range []error{c.Segments.Delete(t.Context()), c.ShopperProfiles.Delete(t.Context()), c.Segments.RemoveMembers(t.Context(), aUUID)} {
		if err != nil {
			t.Error(err)
		}
	}
	if len(*got) != 0 {
		t.Errorf("sent %v", *got)
	}
}

func TestSegmentsInParts(t *testing.T) {
	member := `{"id":"` + aUUID + `","customer_id":1,"created_at":"2022-08-24T14:15:22Z"}`
	h, got := answers(t,
		`409 {"data":[],"errors":[{"status":409,"title":"conflicts","errors":{"1":"exists"}}],"meta":{"total":50,"success":0,"failed":50}}`,
		`201 {"data":[`+strings.Repeat(member+",", 48)+member+`]}`, `201 {"data":[`+member+`]}`, `204 `, `204 `)
	c, _ := newFake(t, h)
	var failures []int
	for r := range c.Segments.AddAllMembers(t.Context(), aUUID, slices.Repeat([]string{aUUID}, 51)) {
		if r.Err != nil {
			failures = append(failures, r.Index)
		}
	}
	if !slices.Equal(failures, []int{1}) || len(*got) != 3 {
		t.Errorf("failed %v, in %d requests", failures, len(*got))
	}
	if err := c.Segments.Delete(t.Context(), slices.Repeat([]string{aUUID}, 51)...); err != nil || len(*got) != 5 || strings.Count((*got)[3], "%2C") != 49 {
		t.Errorf("sent %v, %v", (*got)[3:], err)
	}
}

func TestBrokenSegments(t *testing.T) {
	broken := []string{`200 {"data":[{"id":7}]}`, `200 {"data":{}}`, `200 {}`, `200 `, `200 {"data":[{"created_at":"yesterday"}]}`}
	h, _ := answers(t, append(slices.Clone(broken), broken...)...)
	c, _ := newFake(t, h)
	for _, answer := range broken {
		if _, err := c.Segments.List(t.Context(), SegmentFilter{}, Page{}); !errors.Is(err, ErrResponse) {
			t.Errorf("segments %s: %v", answer, err)
		}
	}
	for _, answer := range broken {
		if _, err := c.ShopperProfiles.List(t.Context(), Page{}); !errors.Is(err, ErrResponse) {
			t.Errorf("profiles %s: %v", answer, err)
		}
	}
}
