package console

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"cohort.example/cohort/internal/limit"
)

func TestDistribution(t *testing.T) {
	f := newFixture(t)
	f.fillCatalog(t)
	for i := range 7 {
		f.api(t, "POST", "/v3/catalog/products", fmt.Sprintf(`{"name":"Socks %d","type":"physical","weight":1,"price":%d.95,"categories":[1]}`, i, i+3))
	}
	page := f.get(t, f.path("groups", "1", "prices"))
	golden(t, "distribution", page)
	if strings.Contains(page, "<img") {
		t.Error("a name is HTML")
	}
	page = f.get(t, f.path("groups", "2", "prices")+"?channel=1")
	if !strings.Contains(page, `<th scope="row">over 10 % to 15 % less</th><td class="number">0</td>`) || strings.Contains(page, "More expensive than") {
		t.Error(page)
	}
}

func TestDistributionProblems(t *testing.T) {
	f := newFixture(t)
	f.api(t, "POST", "/v2/customer_groups", `{"name":"VIP"}`)
	if page := f.get(t, f.path("groups", "1", "prices")); !strings.Contains(page, "The store has no products yet.") {
		t.Error(page)
	}
	f.send(t, "GET", f.path("groups", "9", "prices"), nil, http.StatusNotFound)
	page := f.send(t, "GET", f.path("groups", "1", "prices")+"?channel=0", nil, http.StatusUnprocessableEntity)
	if !strings.Contains(page, `channel-error">Give the id of a channel.`) {
		t.Error(page)
	}
	f.Expensive = limit.NewFairQueue(limit.FairQueueOptions{Name: limit.ExpensiveRequests, Concurrency: 1})
	release, err := f.Expensive.Acquire(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	f.send(t, "GET", f.path("groups", "1", "prices"), nil, http.StatusTooManyRequests)
}
