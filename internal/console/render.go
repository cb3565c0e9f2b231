package console

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/numeral"
	"cohort.example/cohort/internal/reference"
)

//go:embed page
var pageFiles embed.FS

// pages are the templates by name.
type pages map[string]*template.Template

// newPages parses the templates. Each page has the layout and the parts of its own.
func newPages(now func() time.Time) pages {
	base := template.New("").Funcs(functions(now)).Option("missingkey=error")
	base = template.Must(base.ParseFS(pageFiles, "page/layout.html", "page/part.html"))
	files, err := fs.Glob(pageFiles, "page/*.html")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	p := pages{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "part" {
			continue
		}
		p[name] = template.Must(template.Must(base.Clone()).ParseFS(pageFiles, file))
	}
	return p
}

func functions(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"ago":    func(t time.Time) string { return ago(now().Sub(t)) },
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
		"utc":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"clock":  func(t time.Time) string { return t.UTC().Format("15:04:05.000") },
		"number": func(n any) string { return numeral.Number(whole(n)) },
		"plural": func(n any, one, many string) string { return numeral.Plural(whole(n), one, many) },
		"bytes":  numeral.Bytes,
		"static": staticPath,
		"join":   strings.Join,
		"pretty": reference.Pretty,
		"fieldText": func(v cohort.FormValue) string {
			if v.List != nil {
				return strings.Join(v.List, ", ")
			}
			return v.Text
		},
		"operation":  operationPath,
		"statusTone": statusTone,

		"int": func(n int64) int { return int(n) },
		"add": func(a, b int) int { return a + b },

		"methods":       func() []string { return []string{"GET", "POST", "PUT", "DELETE", "HEAD"} },
		"statusClasses": func() []string { return []string{"2xx", "3xx", "4xx", "5xx"} },
		"isStatus":      func(text string) bool { return text != "" && !strings.HasSuffix(text, "xx") },

		"ruleTypes":   ruleTypes,
		"ruleMethods": ruleMethods,
	}
}

// whole returns an integer of any type, such as a length or a count, as an int64.
func whole(n any) int64 { return reflect.Indirect(reflect.ValueOf(n)).Int() }

// ago says in words how long something is past, or ahead.
func ago(d time.Duration) string {
	if d < 0 {
		return "in " + roughly(-d)
	}
	if d < time.Second {
		return "just now"
	}
	return roughly(d) + " ago"
}

func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return numeral.Plural(int64(d.Seconds()), "second", "seconds")
	case d < time.Hour:
		return numeral.Plural(int64(d.Minutes()), "minute", "minutes")
	case d < 48*time.Hour:
		return numeral.Plural(int64(d.Hours()), "hour", "hours")
	}
	return numeral.Plural(int64(d.Hours()/24), "day", "days")
}

// view is what the layout shows around a page.
type view struct {
	*call
	Title   string
	Section string // the name of the page in the navigation
	Said    string // what the last action did
	Same    []example
	Body    any
	Path    string // of the request
}

// example is how to do what a page does without the console.
type example struct{ Name, Text string }

// page is what a handler gives to render.
type page struct {
	name    string // of the template
	status  int    // 0: 200
	title   string
	section string // of the navigation; "": the name
	same    []example
	body    any
}

// render sends a page.
func (c *call) render(p page) error {
	v := view{call: c, Title: p.title, Section: p.section, Same: p.same, Body: p.body, Path: c.r.URL.Path, Said: c.said()}
	if v.Section == "" {
		v.Section = p.name
	}
	t := c.pages[p.name]
	if t == nil {
		return fmt.Errorf("console: there is no page %q", p.name)
	}
	var text bytes.Buffer
	if err := t.ExecuteTemplate(&text, "layout", v); err != nil {
		return err
	}
	c.send(p.status, &text)
	return nil
}

// show sends a page that has nothing but a text.
func (c *call) show(name string, status int, title, text string) {
	if err := c.render(page{name: name, status: status, title: title, body: text}); err != nil {
		c.Log.Error("the console failed", "path", c.r.URL.Path, "error", err)
		http.Error(c.w, title, status)
	}
}

func (c *call) send(status int, text *bytes.Buffer) {
	if status == 0 {
		status = http.StatusOK
	}
	c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.w.Header().Set("Content-Length", strconv.Itoa(text.Len()))
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = text.WriteTo(c.w) // it fails when the client has left
	}
}

// confirmation is the page that asks before something is lost.
type confirmation struct {
	Title   string
	Text    []string // what happens, a paragraph each
	Action  string   // the address that the form posts to
	Fields  url.Values
	Button  string
	Back    string // the address of the page before
	Section string
}

// confirm asks. The form posts the same fields again, with those of the confirmation.
func (c *call) confirm(q confirmation) error {
	return c.render(page{name: "confirm", title: q.Title, section: q.Section, body: q})
}

// Store returns the store of the page; nil: it has none.
func (v view) Store() *cohort.Store { return v.store }

// StorePath returns the address of a page of the store.
func (v view) StorePath(parts ...string) string { return v.path(parts...) }

// Entered reports whether the pages of the navigation are open to the request.
func (v view) Entered() bool { return !v.Login || v.operator != nil }

// Testing reports whether the server is one for tests of integrations.
func (v view) Testing() bool { return v.Tests != nil }

// PublicToken returns the token of the store if it is public, and otherwise a placeholder.
func (v view) PublicToken() string {
	if v.Testing() && v.store != nil {
		return cmp.Or(v.secretOfStore(), "$TOKEN")
	}
	return "$TOKEN"
}

// Query returns a parameter of the address.
func (v view) Query(name string) string { return v.query(name) }
