package console

import (
	"net/http"

	"cohort.example/cohort/internal/docsite"
)

// link is a page in the navigation.
type link struct{ Section, Text, Path string }

// linkGroup is a heading of the navigation with its pages.
type linkGroup struct {
	Heading string
	Links   []link
}

// Global returns the pages that belong to no store.
func (v view) Global() []link {
	var first []link
	if v.Testing() {
		first = []link{{"home", "Overview", Prefix}}
	}
	first = append(first, v.served([]link{
		{"stores", "Stores", Prefix + "stores"},
		{"coverage", "Coverage", Prefix + "coverage"},
		{"contract", "Contract", contractPath("wire", "")},
		{"reference", "API reference", Prefix + "reference"},
		{"health", "Health", Prefix + "health"},
		{"operators", "Operators", Prefix + "operators"},
	})...)
	return append(first, link{"docs", "Docs", docsite.Prefix})
}

// StoreNav returns the pages of the store.
func (v view) StoreNav() []linkGroup {
	groups := []linkGroup{
		{"Test", []link{
			{"requests", "Requests", v.path("requests")},
			{"faults", "Faults", v.path("faults")},
			{"state", "State", v.path("state")},
			{"limits", "Limits", v.path("limits")},
		}},
		{"Run", []link{
			{"groups", "Groups", v.path("groups")},
			{"members", "Customers", v.path("members")},
			{"pricelists", "Price lists", v.path("pricelists")},
			{"prices", "Prices", v.path("prices")},
			{"access", "Access", v.path("access")},
		}},
		{"Watch", []link{
			{"audit", "History", v.path("audit")},
			{"hooks", "Webhooks", v.path("hooks")},
			{"jobs", "Jobs", v.path("jobs")},
			{"tokens", "Tokens", v.path("tokens")},
		}},
	}
	list := groups[:0]
	for _, g := range groups {
		if g.Links = v.served(g.Links); len(g.Links) > 0 {
			list = append(list, g)
		}
	}
	return list
}

// served returns the links whose pages this console has.
func (v view) served(links []link) (list []link) {
	for _, l := range links {
		r, err := http.NewRequestWithContext(v.ctx(), http.MethodGet, l.Path, nil)
		if err != nil {
			continue
		}
		if _, pattern := v.mux.Handler(r); pattern != "" {
			list = append(list, l)
		}
	}
	return list
}
