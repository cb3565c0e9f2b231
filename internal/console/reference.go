package console

import (
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cohort.example/cohort/internal/reference"
	"cohort.example/cohort/internal/snippet"
)

func referenceRoutes() []route {
	return []route{
		{method: "GET", path: "reference", handle: (*call).listReference},
		{method: "GET", path: "reference/{operation}", handle: (*call).showOperation},
		{method: "POST", path: "reference/{operation}", handle: (*call).tryOperation},
	}
}

// referencePage is what the list of operations shows.
type referencePage struct {
	Families []family
	Form     form
	Tags     []option
	Total    int // that are shown
	All      bool
}

// family is a tag with its operations.
type family struct {
	reference.Tag
	Operations []*reference.Operation
}

// listReference shows the operations of the document that the address asks for.
func (c *call) listReference() error {
	d := reference.API()
	words, tag := strings.Fields(strings.ToLower(c.query("q"))), c.query("family")
	p := referencePage{Form: form{Values: c.r.URL.Query()}, Tags: []option{{"", "all"}}, All: len(words) == 0 && tag == ""}
	for _, t := range d.Tags {
		p.Tags = append(p.Tags, option{t.Name, t.Name})
		f := family{Tag: t}
		for _, o := range d.Operations {
			if o.Tag() == t.Name && (tag == "" || tag == t.Name) && matches(o, words) {
				f.Operations = append(f.Operations, o)
			}
		}
		if len(f.Operations) > 0 {
			p.Families = append(p.Families, f)
			p.Total += len(f.Operations)
		}
	}
	return c.render(page{name: "reference", title: "API reference", body: p, same: []example{
		{"curl", "curl " + snippet.Word(c.APIURL+"/openapi.yaml")},
	}})
}

// matches reports whether an operation has all words.
func matches(o *reference.Operation, words []string) bool {
	text := strings.ToLower(strings.Join([]string{o.ID, o.Method, o.Path, o.Summary, o.Tag()}, " "))
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// operationPage is what the page of one operation shows.
type operationPage struct {
	*reference.Operation
	Lines   reference.Lines
	About   template.HTML // the description
	Token   string        // the header with the token, in words
	Try     *tryForm
	Untried string // why the page does not send the operation
}

// operationPath returns the address of the page of an operation.
func operationPath(id string) string { return Prefix + "reference/" + id }

// operationOfPath returns the operation that the path names.
func (c *call) operationOfPath() (*reference.Operation, error) {
	o := reference.API().Operation(c.r.PathValue("operation"))
	if o == nil {
		return nil, &statusError{http.StatusNotFound, "The API has no operation with this name."}
	}
	return o, nil
}

// showOperation shows one operation whole.
func (c *call) showOperation() error {
	o, err := c.operationOfPath()
	if err != nil {
		return err
	}
	return c.renderOperation(0, o, form{Values: c.firstValues(o)}, nil)
}

// renderOperation shows an operation with what was typed and, if it was sent, the response.
func (c *call) renderOperation(status int, o *reference.Operation, f form, sent *tryAnswer) error {
	p := operationPage{Operation: o, Lines: reference.API().Describe(o), About: renderContract([]byte(o.Description)).HTML, Token: tokenOf(o)}
	if p.Untried = c.untried(o); p.Untried == "" {
		var err error
		if p.Try, err = c.newTryForm(o, f, sent); err != nil {
			return err
		}
	}
	return c.render(page{name: "operation", section: "reference", status: status, title: o.Summary, body: p, same: []example{
		{"curl", c.operationCurl(o, f.Values)},
		{"The whole document", "curl " + snippet.Word(c.APIURL+"/openapi.yaml")},
	}})
}

// statusTone returns the class of a status in the document.
func statusTone(status string) string {
	var code int
	if _, err := fmt.Sscan(status, &code); err != nil {
		return "note"
	}
	return tone(code)
}

// tokenOf says which token an operation takes.
func tokenOf(o *reference.Operation) string {
	switch {
	case o.OfStore():
		return "X-Auth-Token: a token of the store"
	case len(o.Security) > 0 && o.Security[0]["control"] != nil:
		return "Authorization: Bearer and the control token"
	}
	return "none"
}

// operationCurl returns the command for an operation with the values of the form.
func (c *call) operationCurl(o *reference.Operation, values url.Values) string {
	store, token := values.Get("store"), "$TOKEN"
	if store == "" && c.Tests != nil {
		store = c.Tests.Store
	}
	if c.Tests != nil && store == c.Tests.Store && store != "" {
		token = c.Tests.Secret
	}
	if store == "" {
		store = "STORE"
	}
	path, header, _ := target(o, store, values)
	r := snippet.Request{Method: o.Method, URL: c.APIURL + path, Stream: o.Streams()}
	switch {
	case o.OfStore():
		r.Header = append(r.Header, snippet.Header{Name: "X-Auth-Token", Value: token})
	case strings.HasPrefix(tokenOf(o), "Authorization"):
		r.Header = append(r.Header, snippet.Header{Name: "Authorization", Value: "Bearer $COHORT_CONTROL_TOKEN"})
	}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		r.Header = append(r.Header, snippet.Header{Name: name, Value: header.Get(name)})
	}
	if b := o.Body(); b != nil && values.Get("body") != "" {
		r.Header = append(r.Header, snippet.Header{Name: "Content-Type", Value: b.Key})
		r.Body = values.Get("body")
	}
	return strings.TrimSuffix(snippet.Curl(r), "\n")
}
