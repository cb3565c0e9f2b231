package console

func storeRoutes() []route {
	return []route{
		{method: "GET", path: "stores", handle: (*call).listStores},
	}
}

// listStores shows all stores.
func (c *call) listStores() error {
	stores, err := c.Service.ListStores(c.ctx())
	if err != nil {
		return err
	}
	return c.render(page{name: "stores", title: "Stores", body: stores, same: []example{
		{"Command line", "cohort store list"},
	}})
}
