package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"cohort.example/cohort/internal/wirescript"
)

// deletions are the paths that delete what a POST to a path creates, each before its id. What
// other POSTs create belongs to such a resource and is deleted with it.
var deletions = map[string]string{
	"/v2/customer_groups":      "/v2/customer_groups/",
	"/v2/customers":            "/v2/customers/",
	"/v3/catalog/brands":       "/v3/catalog/brands/",
	"/v3/catalog/categories":   "/v3/catalog/categories/",
	"/v3/catalog/products":     "/v3/catalog/products/",
	"/v3/customers":            "/v3/customers?id:in=",
	"/v3/customers/attributes": "/v3/customers/attributes?id:in=",
	"/v3/hooks":                "/v3/hooks/",
	"/v3/pricelists":           "/v3/pricelists/",
	"/v3/segments":             "/v3/segments?id:in=",
	"/v3/shopper-profiles":     "/v3/shopper-profiles?id:in=",
}

// anID matches an id in JSON: a number from 1 or a UUID. A list without an id would be deleted
// as a whole.
var anID = regexp.MustCompile(`^(?:[1-9][0-9]{0,18}|"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")$`)

// toDelete returns the paths whose DELETE deletes what an exchange has created.
func toDelete(x wirescript.Exchange, store string) (paths []string) {
	path, ok := deletions[strings.TrimPrefix(x.Sent.URL.Path, store)]
	if !ok || x.Sent.Method != http.MethodPost || x.Status < 200 || x.Status > 299 {
		return nil
	}
	for _, id := range ids(json.RawMessage(x.Response)) {
		if anID.Match(id) {
			paths = append(paths, path+strings.Trim(string(id), `"`))
		}
	}
	return paths
}

// ids returns the ids of a resource, of an envelope with one, and of one with several.
func ids(body json.RawMessage) (found []json.RawMessage) {
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil {
		for _, item := range list {
			found = append(found, ids(item)...)
		}
		return found
	}
	var object struct{ ID, Data json.RawMessage }
	if json.Unmarshal(body, &object) != nil {
		return nil
	}
	if len(object.ID) > 0 {
		return []json.RawMessage{object.ID}
	}
	if len(object.Data) == 0 {
		return nil
	}
	return ids(object.Data)
}

// deleteTime bounds the deletions at the end of a script, which a client that stops the run
// must wait for.
const deleteTime = time.Minute

// deleteCreated deletes what the script has created, the newest first. What is gone already is
// no error.
func (r *run) deleteCreated(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteTime)
	defer cancel()
	for _, path := range slices.Backward(r.created) {
		if problem := r.delete(ctx, path); problem != "" {
			r.report.Left = append(r.report.Left, "DELETE "+path+": "+problem)
		}
	}
}

func (r *run) delete(ctx context.Context, path string) (problem string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, r.URL+r.storePath()+path, nil)
	if err != nil {
		return err.Error()
	}
	req.Header.Set("X-Auth-Token", r.Token)
	r.report.Requests++
	res, err := r.Client.Do(req)
	if err != nil {
		return err.Error()
	}
	_ = res.Body.Close() // only the status counts
	if res.StatusCode/100 == 2 || res.StatusCode == http.StatusNotFound {
		return ""
	}
	return fmt.Sprintf("status %d", res.StatusCode)
}

// errNoID is a request that is not sent, because it would delete a whole collection.
var errNoID = errors.New("the store has given an empty id, and a DELETE without an id may delete everything")

// guarded returns a client that refuses such requests.
func guarded(c *http.Client) *http.Client {
	guarded := *c
	guarded.Transport = guard{c.Transport}
	return &guarded
}

type guard struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if url := req.URL.String(); req.Method == http.MethodDelete && (strings.HasSuffix(url, "=") || strings.HasSuffix(url, "/")) {
		return nil, errNoID
	}
	if g.next == nil {
		return http.DefaultTransport.RoundTrip(req)
	}
	return g.next.RoundTrip(req)
}
