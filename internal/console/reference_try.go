package console

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/reference"
)

const (
	// maxTried bounds what a page keeps of the response to an operation that it tries, in bytes.
	maxTried = 64 << 10
	// maxTryStores bounds the stores that the form offers. The address can name others.
	maxTryStores = 100
)

// tryForm is the form that sends an operation.
type tryForm struct {
	Form   form
	Stores []option
	Inputs []input
	Body   *input // nil: a request has none
	Token  bool   // the form asks for the token
	Public string // the store whose token is known; "": none
	Waits  bool   // the parameter wait was left out
	Sent   *tryAnswer
}

// TokenHint says what the field of the token takes.
func (t *tryForm) TokenHint() string {
	if t.Public != "" {
		return "Not needed for the store " + t.Public + ". The server does not keep it."
	}
	return "A token of the store. The server does not keep it."
}

// tryAnswer is the response to an operation that was sent.
type tryAnswer struct {
	Status     int
	Tone, Name string
	Header     []headerValue
	Body       string
	Size       int64
	Cut        bool
	Journal    string // the address of the request in the journal; "": there is none
}

// headerValue is a header of a response.
type headerValue struct{ Name, Value string }

// untried says why the page does not send an operation; "": it does.
func (c *call) untried(o *reference.Operation) string {
	switch {
	case c.API == nil:
		return "This console sends no requests to the API."
	case !o.OfStore():
		return "The form is there only for operations of a store. Use the curl command below."
	case o.Streams():
		return "The response is a stream that does not end, so this page does not send the request. Use the curl command below."
	}
	return ""
}

// firstValues returns what the form has before something is typed.
func (c *call) firstValues(o *reference.Operation) url.Values {
	values := url.Values{"store": {c.query("store")}}
	if values.Get("store") == "" && c.Tests != nil {
		values.Set("store", c.Tests.Store)
	}
	d := reference.API()
	for _, p := range o.Parameters {
		switch {
		case p.In == "path" && p.Example != nil:
			values.Set(inputName(p), p.Example.Value)
		case p.Required && p.Schema != nil:
			values.Set(inputName(p), strings.Trim(d.Parts.ExampleOf(p.Schema, 0, nil), `"`))
		}
	}
	if b := o.Body(); b != nil {
		if list := d.ExamplesOf(b.Value); len(list) > 0 {
			values.Set("body", list[0].Text)
		}
	}
	return values
}

// inputName returns the name of the input of a parameter.
func inputName(p *reference.Parameter) string { return p.In + "." + p.Name }

// typed reports whether the form has an input for a parameter. The store is a select, and
// nothing waits for events.
func typed(p *reference.Parameter) bool {
	return p.Name != "store_hash" && inputName(p) != "query.wait" && slices.Contains([]string{"path", "query", "header"}, p.In)
}

// newTryForm returns the form of an operation.
func (c *call) newTryForm(o *reference.Operation, f form, sent *tryAnswer) (*tryForm, error) {
	stores, err := c.Service.ListStores(c.ctx())
	if err != nil {
		return nil, err
	}
	t := &tryForm{Form: f, Sent: sent, Token: true}
	chosen := f.Values.Get("store")
	for _, st := range stores {
		if len(t.Stores) < maxTryStores || st.Hash == chosen {
			t.Stores = append(t.Stores, option{st.Hash, strings.TrimSuffix(st.Hash+" · "+st.Profile.Name, " · ")})
		}
	}
	if c.Tests != nil && c.Tests.Secret != "" {
		t.Public = c.Tests.Store
		t.Token = len(stores) != 1 || stores[0].Hash != t.Public
	}
	for _, p := range o.Parameters {
		t.Waits = t.Waits || inputName(p) == "query.wait"
		if !typed(p) {
			continue
		}
		in := f.Field(inputName(p), p.Name+" ("+p.In+")")
		if p.Required {
			in = in.Needed()
		}
		t.Inputs = append(t.Inputs, in)
	}
	if b := o.Body(); b != nil {
		lines := 4 + strings.Count(f.Values.Get("body"), "\n")
		in := f.Field("body", "Body, "+b.Key).Lines(min(lines, 24))
		t.Body = &in
	}
	return t, nil
}

// target returns the address and the headers of an operation with the values of a form. The
// error names a parameter that has no value or one that no request can have.
func target(o *reference.Operation, store string, values url.Values) (path string, header http.Header, err error) {
	path, header = strings.ReplaceAll(o.Path, "{store_hash}", url.PathEscape(store)), http.Header{}
	query := url.Values{}
	for _, p := range o.Parameters {
		value := values.Get(inputName(p))
		switch {
		case !typed(p):
			continue
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
			err = cohort.Invalid(inputName(p), "A value has no control characters.")
		case p.In == "path" && (value == "" || strings.Trim(value, ".") == ""):
			err = cohort.Invalid(inputName(p), "Give the "+p.Name+". It is a part of the path.")
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(value))
		case p.In == "query" && value != "":
			query.Set(p.Name, value)
		case value != "":
			header.Set(p.Name, value)
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path, header, err
}

// tryOperation sends an operation to the server itself and shows the response. A body and
// headers go as they were typed, so the API gives the refusals that a client would get.
func (c *call) tryOperation() error {
	o, err := c.operationOfPath()
	if err != nil {
		return err
	}
	if why := c.untried(o); why != "" {
		return &statusError{http.StatusNotFound, why}
	}
	token := strings.TrimSpace(c.form.Get("token"))
	c.form.Del("token") // no page shows it again
	sent, err := c.try(o, token)
	if err == nil {
		return c.renderOperation(0, o, form{Values: c.form}, sent)
	}
	p, status, err := refused(err)
	if err != nil {
		return err
	}
	return c.renderOperation(status, o, form{Values: c.form, Problem: p}, nil)
}

// try sends an operation with the values of the form.
func (c *call) try(o *reference.Operation, token string) (*tryAnswer, error) {
	store := c.form.Get("store")
	if _, err := c.Service.Store(c.ctx(), store); cohort.KindOf(err) == cohort.KindNotFound {
		return nil, cohort.Invalid("store", "There is no store with this hash.")
	} else if err != nil {
		return nil, err
	}
	if token == "" && c.Tests != nil && store == c.Tests.Store {
		token = c.Tests.Secret
	}
	if token == "" {
		return nil, cohort.Invalid("token", "Give a token of the store. The server keeps no tokens.")
	}
	target, header, err := target(o, store, c.form)
	if err != nil {
		return nil, err
	}
	header.Set("X-Auth-Token", token)
	header.Set("Accept", "application/json")
	body := ""
	if b := o.Body(); b != nil {
		header.Set("Content-Type", b.Key)
		body = c.form.Get("body")
	}
	a, err := c.requestKept(maxTried, o.Method, target, header, []byte(body))
	if err != nil {
		return nil, err
	}
	return c.newTryAnswer(store, a), nil
}

func (c *call) newTryAnswer(store string, a *answer) *tryAnswer {
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	t := &tryAnswer{
		Status: status, Name: http.StatusText(status), Tone: tone(status), Size: a.size, Cut: a.size > int64(a.body.Len()),
		Body: strings.ToValidUTF8(a.body.String(), "\uFFFD"), Journal: c.journalled(store, 0, a),
	}
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		for _, value := range a.header[name] {
			t.Header = append(t.Header, headerValue{name, value})
		}
	}
	return t
}
