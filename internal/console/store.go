package console

import (
	"strings"

	"cohort.example/cohort"
)

func storeRoutes() []route {
	return []route{
		{method: "GET", path: "stores", handle: (*call).listStores},
	}
}

// storesPage is what the list of stores shows.
type storesPage struct {
	Stores []cohort.Store
	Total  int
	Like   string // the part of the hash or the name that the list is filtered by
	pager
}

// listStores shows the stores.
func (c *call) listStores() error {
	stores, err := c.Service.ListStores(c.ctx())
	if err != nil {
		return err
	}
	p := storesPage{Like: c.query("name")}
	for _, st := range stores {
		if strings.Contains(st.Hash+" "+strings.ToLower(st.Profile.Name), strings.ToLower(p.Like)) {
			p.Stores = append(p.Stores, st)
		}
	}
	p.Total = len(p.Stores)
	p.pager = c.pagesOf(int64(p.Total))
	start := min((c.number()-1)*pageSize, p.Total)
	p.Stores = p.Stores[start:min(start+pageSize, p.Total)]
	return c.render(page{name: "stores", title: "Stores", body: p, same: []example{
		{"Command line", "cohort store list"},
	}})
}
