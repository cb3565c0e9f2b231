package console

import (
	"fmt"
	"net/http"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/clock"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/journal"
)

func homeRoutes() []route {
	return []route{{method: "GET", path: "", handle: (*call).home}}
}

const (
	// recentTime is how far back the overview counts requests.
	recentTime = 5 * time.Minute
	// recentRequests is how many of them the overview lists.
	recentRequests = 10
	// maxOverview bounds the stores of the overview.
	maxOverview = 20
)

// homePage is what the overview of a server for tests shows.
type homePage struct {
	Stores  []storeCard
	HasMore bool // there are more stores
}

// storeCard is a store in the overview.
type storeCard struct {
	cohort.Store
	V2, V3   string // the base URLs of the dialects
	Token    string // "": it is not known
	Requests int    // in recentTime
	Refused  int    // of them
	Faults   []fault.State
	Clock    clock.State
	Rows     []requestRow
	Lines    []example // to paste into a client
}

// home is the first page: the overview of a server for tests, and otherwise the stores.
func (c *call) home() error {
	if c.Tests == nil {
		http.Redirect(c.w, c.r, Prefix+"stores", http.StatusFound)
		return nil
	}
	stores, err := c.Service.ListStores(c.ctx())
	if err != nil {
		return err
	}
	p := homePage{HasMore: len(stores) > maxOverview}
	for _, st := range stores[:min(len(stores), maxOverview)] {
		p.Stores = append(p.Stores, c.card(st))
	}
	return c.render(page{name: "home", title: "Overview", body: p, same: []example{
		{"Command line", "cohort env\ncohort requests -f --store HASH\ncohort store list"},
		{"curl", fmt.Sprintf("curl %s/_cohort/v1/stores", c.APIURL)},
	}})
}

// card gathers what the overview shows of a store.
func (c *call) card(st cohort.Store) storeCard {
	of := *c
	of.store = &st
	card := storeCard{Store: st, Token: of.secretOfStore()}
	base := c.APIURL + "/stores/" + st.Hash
	card.V2, card.V3 = base+"/v2/", base+"/v3/"
	card.Faults = c.Tests.Faults.List(st.Key)
	card.Clock = c.Service.Clocks().Get(st.Key)
	list := c.Tests.Journal.Find(c.ctx(), st.Hash, 0, &journal.Criteria{})
	since := c.Now().Add(-recentTime)
	for _, e := range list {
		if e.Time.Before(since) {
			continue
		}
		card.Requests++
		if e.Status == 0 || e.Status >= 400 {
			card.Refused++
		}
	}
	for i := len(list) - 1; i >= 0 && len(card.Rows) < recentRequests; i-- {
		card.Rows = append(card.Rows, of.newRow(list[i]))
	}
	card.Lines = clientLines(c.APIURL, st.Hash, card.Token)
	return card
}

// clientLines are what one pastes into clients, so that they call this server.
func clientLines(url, store, token string) []example {
	if token == "" {
		token = "TOKEN"
	}
	base := url + "/stores/" + store
	return []example{
		{"Shell", fmt.Sprintf("export BIGCOMMERCE_API_URL=%s\nexport BIGCOMMERCE_STORE_HASH=%s\nexport BIGCOMMERCE_ACCESS_TOKEN=%s", url, store, token)},
		{"curl", fmt.Sprintf("curl -i -H 'X-Auth-Token: %s' %s/v2/customer_groups", token, base)},
		{"Node.js", fmt.Sprintf("fetch('%s/v2/customer_groups', { headers: { 'X-Auth-Token': '%s' } })", base, token)},
		{"Python", fmt.Sprintf("requests.get('%s/v2/customer_groups', headers={'X-Auth-Token': '%s'})", base, token)},
		{"PHP", fmt.Sprintf("$ch = curl_init('%s/v2/customer_groups');\ncurl_setopt($ch, CURLOPT_HTTPHEADER, ['X-Auth-Token: %s']);", base, token)},
		{"Ruby", fmt.Sprintf("Net::HTTP.get(URI('%s/v2/customer_groups'), 'X-Auth-Token' => '%s')", base, token)},
		{"Go", fmt.Sprintf("req, err := http.NewRequest(\"GET\", \"%s/v2/customer_groups\", nil)\nreq.Header.Set(\"X-Auth-Token\", \"%s\")", base, token)},
	}
}
