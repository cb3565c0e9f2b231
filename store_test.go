package cohort_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
)

func TestStoreHash(t *testing.T) {
	tests := []struct {
		hash  string
		valid bool
	}{
		{"a", true},
		{"abc-1_2", true},
		{"0", true},
		{"--", true},
		{strings.Repeat("a", 64), true},
		{strings.Repeat("a", 65), false},
		{"", false},
		{"ABC", false},
		{"a.b", false},
		{"a/b", false},
		{"..", false},
		{"a b", false},
		{"abc\n", false},
		{"abc\x00", false},
		{"é", false},
		{"{store_hash}", false},
	}
	for _, tt := range tests {
		t.Run(shorten(tt.hash), func(t *testing.T) {
			err := cohort.Store{Hash: tt.hash, Plan: cohort.PlanStandard}.Validate()
			if tt.valid {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantInvalid(t, err, "hash")
		})
	}
}

func TestStorePlanAndQuota(t *testing.T) {
	tests := []struct {
		name    string
		store   cohort.Store
		field   string // the invalid one; "": valid
		quota   int
		metered bool
	}{
		{"unlimited", cohort.Store{Plan: cohort.PlanUnlimited}, "", 0, false},
		{"unlimited with a quota", cohort.Store{Plan: cohort.PlanUnlimited, Quota: 1}, "quota", 0, false},
		{"standard", cohort.Store{Plan: cohort.PlanStandard}, "", 150, true},
		{"plus", cohort.Store{Plan: cohort.PlanPlus}, "", 150, true},
		{"pro", cohort.Store{Plan: cohort.PlanPro}, "", 450, true},
		{"pro with a quota of its own", cohort.Store{Plan: cohort.PlanPro, Quota: 7}, "", 7, true},
		{"enterprise", cohort.Store{Plan: cohort.PlanEnterprise, Quota: 20_000}, "", 20_000, true},
		{"enterprise without a quota", cohort.Store{Plan: cohort.PlanEnterprise}, "quota", 0, true},
		{"no plan", cohort.Store{}, "plan", 0, true},
		{"unknown plan", cohort.Store{Plan: "Pro"}, "plan", 0, true},
		{"negative quota", cohort.Store{Plan: cohort.PlanPro, Quota: -1}, "quota", 450, true},
		{"the highest quota", cohort.Store{Plan: cohort.PlanPro, Quota: cohort.MaxQuota}, "", cohort.MaxQuota, true},
		{"a higher quota", cohort.Store{Plan: cohort.PlanPro, Quota: cohort.MaxQuota + 1}, "quota", cohort.MaxQuota + 1, true},
		{"negative at once", cohort.Store{Plan: cohort.PlanPro, Concurrency: -1}, "concurrency", 450, true},
		{"the highest at once", cohort.Store{Plan: cohort.PlanPro, Concurrency: cohort.MaxConcurrency}, "", 450, true},
		{"a higher at once", cohort.Store{Plan: cohort.PlanPro, Concurrency: cohort.MaxConcurrency + 1}, "concurrency", 450, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.store.Hash = "abc"
			err := tt.store.Validate()
			if tt.field != "" {
				wantInvalid(t, err, tt.field)
			} else if err != nil {
				t.Error(err)
			}
			if quota, metered := tt.store.RequestQuota(); quota != tt.quota || metered != tt.metered {
				t.Errorf("quota %d, metered %v, want %d, %v", quota, metered, tt.quota, tt.metered)
			}
		})
	}
}

func TestStoreUpdateApply(t *testing.T) {
	before := cohort.Store{Hash: "abc", Plan: cohort.PlanPro, Quota: 7, Concurrency: 3}
	tests := []struct {
		name   string
		update cohort.StoreUpdate
		want   func(*cohort.Store)
	}{
		{"nothing", cohort.StoreUpdate{}, func(*cohort.Store) {}},
		{"plan, which keeps the quota", cohort.StoreUpdate{Plan: new(cohort.PlanPlus)}, func(s *cohort.Store) { s.Plan = cohort.PlanPlus }},
		{"unlimited drops the quota", cohort.StoreUpdate{Plan: new(cohort.PlanUnlimited)},
			func(s *cohort.Store) { s.Plan, s.Quota = cohort.PlanUnlimited, 0 }},
		{"unlimited with a quota is for Validate", cohort.StoreUpdate{Plan: new(cohort.PlanUnlimited), Quota: new(9)},
			func(s *cohort.Store) { s.Plan, s.Quota = cohort.PlanUnlimited, 9 }},
		{"quota", cohort.StoreUpdate{Quota: new(9)}, func(s *cohort.Store) { s.Quota = 9 }},
		{"the plan's own quota", cohort.StoreUpdate{Quota: new(0)}, func(s *cohort.Store) { s.Quota = 0 }},
		{"at once", cohort.StoreUpdate{Concurrency: new(0)}, func(s *cohort.Store) { s.Concurrency = 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := before
			tt.want(&want)
			if diff := cmp.Diff(want, tt.update.Apply(before)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
