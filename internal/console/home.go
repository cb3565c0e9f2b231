package console

import "net/http"

func homeRoutes() []route {
	return []route{{method: "GET", path: "", handle: (*call).home}}
}

// home is the first page: the overview of a server for tests, and otherwise the stores.
func (c *call) home() error {
	http.Redirect(c.w, c.r, Prefix+"stores", http.StatusFound)
	return nil
}
