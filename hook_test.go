package cohort_test

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
)

func TestIsHookScope(t *testing.T) {
	for scope, want := range map[string]bool{
		"store/customer/created":                    true,
		"store/customer/*":                          true,
		"store/customer/address/*":                  true,
		"store/customerGroup/member/added":          true,
		"store/order/*":                             true,
		"store/priceList/record/*":                  true,
		"store/channel/*":                           true,
		"store/channel/1/settings/*":                true,
		"store/channel/0/settings/*":                true,
		"store/brand/updated":                       true,
		"store/channel/17/settings/profile/updated": true,
		"":                                 false,
		"*":                                false,
		"store/*":                          false,
		"store/customer":                   false,
		"store/customer*":                  false,
		"store/customer/crea*":             false,
		"store/customer/created/*":         false,
		"store/customers/*":                false,
		"store/channel/1":                  false,
		"store/channel/1/settings":         false,
		"store/channel/01/settings/*":      false,
		"store/channel/{channel_id}/*":     false,
		"Store/customer/created":           false,
		"store/zebra/*":                    false,
		"store/channel/1/settings/x/y/z/*": false,
	} {
		if got := cohort.IsHookScope(scope); got != want {
			t.Errorf("IsHookScope(%q) = %t", scope, got)
		}
	}
}

// Every name is a scope, also with each of its beginnings and a wildcard, and a hook with it
// wants it.
func TestHookScopes(t *testing.T) {
	scopes := cohort.HookScopes()
	if !slices.IsSorted(scopes) || len(slices.Compact(slices.Clone(scopes))) != len(scopes) {
		t.Error("the names are not sorted, or not unique")
	}
	for _, name := range scopes {
		scope := strings.ReplaceAll(name, "{channel_id}", "7")
		parts := strings.Split(scope, "/")
		patterns := []string{scope}
		for n := 2; n < len(parts); n++ {
			patterns = append(patterns, strings.Join(parts[:n], "/")+"/*")
		}
		for _, p := range patterns {
			if !cohort.IsHookScope(p) {
				t.Errorf("%s is no scope", p)
			}
			if h := (cohort.Hook{Scope: p}); !h.Wants(scope) || h.Wants("store/other/created") || h.Wants(scope+"x") && p == scope {
				t.Errorf("a hook of %s wants the wrong scopes", p)
			}
		}
	}
}

func validHook() cohort.Hook {
	return cohort.Hook{Scope: "store/customer/*", Destination: "https://app.example/hooks?a=b", Headers: map[string]string{"X-Key": "a b"}}
}

func TestHookValidate(t *testing.T) {
	if err := validHook().Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*cohort.Hook){
		"scope: unknown":        func(h *cohort.Hook) { h.Scope = "store/none" },
		"destination: empty":    func(h *cohort.Hook) { h.Destination = "" },
		"destination: relative": func(h *cohort.Hook) { h.Destination = "/hooks" },
		"destination: scheme":   func(h *cohort.Hook) { h.Destination = "ftp://app.example/" },
		"destination: no host":  func(h *cohort.Hook) { h.Destination = "https://:443/" },
		"destination: space":    func(h *cohort.Hook) { h.Destination = "https://app.example/a b" },
		"destination: letters":  func(h *cohort.Hook) { h.Destination = "https://äpp.example/" },
		"destination: control":  func(h *cohort.Hook) { h.Destination = "https://app.example/\r\nX: y" },
		"destination: fragment": func(h *cohort.Hook) { h.Destination = "https://app.example/#a" },
		"destination: long": func(h *cohort.Hook) {
			h.Destination = "https://app.example/" + strings.Repeat("a", cohort.MaxHookDestination)
		},
		"headers: no name":          func(h *cohort.Hook) { h.Headers = map[string]string{"": "x"} },
		"headers: name":             func(h *cohort.Hook) { h.Headers = map[string]string{"X Key": "x"} },
		"headers: name with break":  func(h *cohort.Hook) { h.Headers = map[string]string{"X-Key\r\nY": "x"} },
		"headers: value with break": func(h *cohort.Hook) { h.Headers = map[string]string{"X-Key": "x\r\nY: z"} },
		"headers: value with space": func(h *cohort.Hook) { h.Headers = map[string]string{"X-Key": " x"} },
		"headers: host":             func(h *cohort.Hook) { h.Headers = map[string]string{"hOST": "x"} },
		"headers: length":           func(h *cohort.Hook) { h.Headers = map[string]string{"Content-Length": "1"} },
		"headers: encoding":         func(h *cohort.Hook) { h.Headers = map[string]string{"Transfer-Encoding": "chunked"} },
		"headers: connection":       func(h *cohort.Hook) { h.Headers = map[string]string{"Connection": "close"} },
		"headers: signature":        func(h *cohort.Hook) { h.Headers = map[string]string{"Webhook-Signature": "v1,x"} },
		"headers: twice":            func(h *cohort.Hook) { h.Headers = map[string]string{"X-Key": "a", "x-key": "b"} },
		"headers: size":             func(h *cohort.Hook) { h.Headers["X-Key"] = strings.Repeat("a", cohort.MaxHookHeaderBytes) },
		"headers: number": func(h *cohort.Hook) {
			for i := range cohort.MaxHookHeaders {
				h.Headers["X-"+strings.Repeat("a", i+1)] = "x"
			}
		},
	} {
		h := validHook()
		h.Headers = maps.Clone(h.Headers)
		spoil(&h)
		field, _, _ := strings.Cut(want, ":")
		err := h.Validate()
		if e, ok := errors.AsType[*cohort.Error](err); !ok || e.Kind != cohort.KindInvalid || e.Field != field {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// What the owner of a hook does with it ends its deactivation.
func TestHookUpdate(t *testing.T) {
	off, on, slashed := false, true, "store/priceList/updated/"
	h := cohort.Hook{Deactivated: true, Scope: "store/sku/*"}
	if h.Status() != cohort.HookDeactivated || (cohort.HookUpdate{Scope: &slashed}).Apply(h).Status() != cohort.HookDeactivated {
		t.Error("the hook is not deactivated")
	}
	if got := (cohort.HookUpdate{Active: &off}).Apply(h); got.Status() != cohort.HookInactive {
		t.Errorf("made inactive: %s", got.Status())
	}
	if got := (cohort.HookUpdate{Active: &on}).Apply(h); got.Status() != cohort.HookActive {
		t.Errorf("made active: %s", got.Status())
	}
	if got := (cohort.HookUpdate{Scope: &slashed}).Apply(h); got.Scope != "store/priceList/updated" {
		t.Errorf("scope %s", got.Scope)
	}
}

func TestCheckHookEmails(t *testing.T) {
	if err := cohort.CheckHookEmails([]string{"a@b.example", "c@d.example"}); err != nil {
		t.Error(err)
	}
	many := slices.Repeat([]string{"a@b.example"}, cohort.MaxHookEmails+1)
	for _, wrong := range [][]string{{"a"}, {""}, {"A <a@b.example>"}, many} {
		if err := cohort.CheckHookEmails(wrong); cohort.KindOf(err) != cohort.KindInvalid {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

func TestNewClientSecret(t *testing.T) {
	form := regexp.MustCompile(`^[a-z0-9]{52}$`)
	seen := map[string]bool{}
	for range 100 {
		s := cohort.NewClientSecret()
		if !form.MatchString(s) || seen[s] {
			t.Fatalf("%q has the wrong form or is a repeat", s)
		}
		seen[s] = true
	}
}

// Hooks can be told of each message that there is.
func TestScopesOfMessages(t *testing.T) {
	ids := cohort.EventIDs{
		GroupID: 1, CustomerID: 2, AddressID: 3, AttributeID: 4, ChannelID: 5, PriceListID: 6, AssignmentID: 7, CategoryID: 8, BrandID: 9,
		ProductID: 10, VariantID: 11, Currency: "usd",
	}
	changes := `{"active":[false,true],"channel_ids":[null,[1]],"default_customer_group_id":[1,2],"policy_url":["","a"]}`
	for _, batch := range []bool{false, true} {
		for _, kind := range cohort.EventKinds() {
			ids.Batch = batch
			for _, m := range cohort.HookMessages([]cohort.Event{{Number: 1, Kind: kind, EventIDs: ids, Changes: []byte(changes)}}) {
				if !cohort.IsHookScope(m.Scope) {
					t.Errorf("%s is told as %s, which is no scope", kind, m.Scope)
				}
			}
		}
	}
}
