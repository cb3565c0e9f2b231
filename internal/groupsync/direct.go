package groupsync

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/api"
)

// Direct returns a client whose requests call the operations of the dialects, without a server
// and without its checks of token, scope and limits. Its calls run with the context that they
// are made with, so they are part of the transaction of that context, if it has one. They must
// be one at a time then.
func Direct(dialects []*api.Dialect, st cohort.Store) (*client.Client, error) {
	t := &transport{dialects, st}
	return client.New(st.Hash, "direct", client.WithBaseURL("http://cohort.invalid"), client.WithHTTPClient(&http.Client{Transport: t}),
		client.WithRetry(client.RetryPolicy{Attempts: 1}))
}

// transport responds to requests by calling operations.
type transport struct {
	dialects []*api.Dialect
	store    cohort.Store
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	path := strings.TrimPrefix(r.URL.Path, "/stores/"+t.store.Hash)
	for _, d := range t.dialects {
		rest, ok := strings.CutPrefix(path, d.Prefix)
		if !ok {
			continue
		}
		for _, route := range d.Routes {
			ids, ok := match(route.Path, rest)
			if ok && route.Method == r.Method {
				return t.call(r, d, route, ids, body)
			}
		}
	}
	return nil, fmt.Errorf("there is no operation %s %s", r.Method, path)
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	return body, errors.Join(err, r.Body.Close())
}

func (t *transport) call(r *http.Request, d *api.Dialect, route api.Route, ids api.IDs, body []byte) (*http.Response, error) {
	w := &recorder{status: http.StatusOK, header: http.Header{}}
	err := route.Handle(w, &api.Request{Request: r, Store: t.store, IDs: ids, Body: body, Work: r.Context()})
	if err != nil {
		if cohort.KindOf(err) == cohort.KindInternal || errors.Is(err, context.Canceled) {
			return nil, err
		}
		d.WriteError(w, err)
	}
	return &http.Response{
		StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// match compares a path with that of a route. An id matches digits only.
func match(route, path string) (ids api.IDs, ok bool) {
	names, parts := strings.Split(route, "/"), strings.Split(path, "/")
	if len(names) != len(parts) {
		return ids, false
	}
	n := 0
	for i, name := range names {
		inner, variable := strings.CutPrefix(name, "{")
		switch {
		case !variable && name != parts[i]:
			return ids, false
		case variable:
			inner = strings.TrimSuffix(inner, "}")
			if strings.HasSuffix(inner, "id") && strings.Trim(parts[i], "0123456789") != "" || parts[i] == "" {
				return ids, false
			}
			ids[n].Name, ids[n].Text = inner, parts[i]
			n++
		}
	}
	return ids, true
}

// recorder keeps the response of a handler.
type recorder struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }
