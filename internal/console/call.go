package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

// maxForm bounds what a form sends, in bytes.
const maxForm = 1 << 20

// call is one request to the console.
type call struct {
	*Console
	w     http.ResponseWriter
	r     *http.Request
	store *cohort.Store // that of the path; nil: the path has none
	form  url.Values    // what a POST sent
	// operator is the operator who is logged in; nil: none is, or the console has no login.
	operator *cohort.Operator
}

func (c *call) ctx() context.Context { return c.r.Context() }

// do checks the login, reads what the request sends, and calls the handler of a route.
func (c *call) do(r route) error {
	goesOn, err := c.enter(r)
	if err != nil || !goesOn {
		return err
	}
	if err := c.open(); err != nil {
		return err
	}
	return r.handle(c)
}

// open reads the store of the path and the form.
func (c *call) open() error {
	if hash := c.r.PathValue("hash"); hash != "" {
		st, err := c.Service.Store(c.ctx(), hash)
		if err != nil {
			return err
		}
		c.store = &st
	}
	if c.r.Method != http.MethodPost || strings.HasPrefix(c.r.Header.Get("Content-Type"), "multipart/") {
		return nil
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, maxForm)
	if err := c.r.ParseForm(); err != nil {
		return formError(err)
	}
	c.form = c.r.PostForm
	return nil
}

// formError returns the error for a form that cannot be read.
func formError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &statusError{http.StatusRequestEntityTooLarge, "The form is too large."}
	}
	return &statusError{http.StatusBadRequest, "The form cannot be read."}
}

// query returns a parameter of the address, without space around it.
func (c *call) query(name string) string { return strings.TrimSpace(c.r.URL.Query().Get(name)) }

// id returns the id in the path. No resource has another text there.
func (c *call) id() (int64, error) {
	id, err := strconv.ParseInt(c.r.PathValue("id"), 10, 64)
	if err != nil || id < 0 {
		return 0, &statusError{http.StatusNotFound, "The console has no page with this address."}
	}
	return id, nil
}

// path returns the address of a page of the store.
func (c *call) path(parts ...string) string { return storePath(c.store.Hash, parts...) }

// storePath returns the address of a page of a store.
func storePath(hash string, parts ...string) string {
	path := Prefix + "stores/" + url.PathEscape(hash)
	for _, p := range parts {
		path += "/" + url.PathEscape(p)
	}
	return path
}

// because returns the context of a change, with the reason that the form gives.
func (c *call) because() context.Context {
	reason := strings.TrimSpace(c.form.Get("reason"))
	if reason == "" {
		return c.ctx()
	}
	name := ""
	if c.operator != nil {
		name = c.operator.Name
	}
	return service.WithExplanation(c.ctx(), name, reason)
}

// sayAndGo leads to a page, which says once what was done.
func (c *call) sayAndGo(path, said string) error {
	http.SetCookie(c.w, &http.Cookie{
		Name: saidCookie, Value: url.QueryEscape(said), Path: Prefix, MaxAge: int(saidLife.Seconds()), HttpOnly: true,
		Secure: c.r.TLS != nil, SameSite: http.SameSiteStrictMode,
	})
	http.Redirect(c.w, c.r, path, http.StatusSeeOther)
	return nil
}

// saidCookie has what the next page says.
const saidCookie = "cohort-said"

// saidLife is how long it waits for the next page.
const saidLife = time.Minute

// said returns what the last action has left to say, once.
func (c *call) said() string {
	cookie, err := c.r.Cookie(saidCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(c.w, &http.Cookie{Name: saidCookie, Path: Prefix, MaxAge: -1, HttpOnly: true, Secure: c.r.TLS != nil, SameSite: http.SameSiteStrictMode})
	text, err := url.QueryUnescape(cookie.Value)
	if err != nil {
		return ""
	}
	return text
}
