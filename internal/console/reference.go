package console

import (
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
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
	apiTag
	Operations []*apiOperation
}

// listReference shows the operations of the document that the address asks for.
func (c *call) listReference() error {
	d := reference()
	words, tag := strings.Fields(strings.ToLower(c.query("q"))), c.query("family")
	p := referencePage{Form: form{Values: c.r.URL.Query()}, Tags: []option{{"", "all"}}, All: len(words) == 0 && tag == ""}
	for _, t := range d.Tags {
		p.Tags = append(p.Tags, option{t.Name, t.Name})
		f := family{apiTag: t}
		for _, o := range d.operations {
			if o.Tag() == t.Name && (tag == "" || tag == t.Name) && o.matches(words) {
				f.Operations = append(f.Operations, o)
			}
		}
		if len(f.Operations) > 0 {
			p.Families = append(p.Families, f)
			p.Total += len(f.Operations)
		}
	}
	return c.render(page{name: "reference", title: "API reference", body: p, same: []example{
		{"curl", "curl " + shellWord(c.APIURL+"/openapi.yaml")},
	}})
}

// matches reports whether the operation has all words.
func (o *apiOperation) matches(words []string) bool {
	text := strings.ToLower(strings.Join([]string{o.ID, o.Method, o.Path, o.Summary, o.Tag()}, " "))
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// operationPage is what the page of one operation shows.
type operationPage struct {
	*apiOperation
	About      template.HTML // the description
	Parameters []parameterLine
	Body       *bodyLine // nil: a request has none
	Responses  []responseLine
	Headers    []headerLine
	Token      string // the header with the token, in words
	Try        *tryForm
	Untried    string // why the page does not send the operation
}

// parameterLine is a parameter in the table.
type parameterLine struct {
	Name, In, Type, Rules string
	Required              bool
	Meaning               []piece
}

// bodyLine is a body with its fields.
type bodyLine struct {
	Format, Type string
	Required     bool
	Meaning      []piece
	Rows         []schemaRow
	Cut          bool
	Examples     []namedExample
}

// responseLine is a response with one status.
type responseLine struct {
	Status, Tone string
	Meaning      []piece
	Headers      []string
	Body         *bodyLine // nil: it has none
}

// headerLine is a header that some of the responses have.
type headerLine struct {
	Name    string
	Meaning []piece
}

// operationOfPath returns the operation that the path names.
func (c *call) operationOfPath() (*apiOperation, error) {
	o := reference().operation(c.r.PathValue("operation"))
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
func (c *call) renderOperation(status int, o *apiOperation, f form, sent *tryAnswer) error {
	d := reference()
	p := operationPage{apiOperation: o, About: renderContract([]byte(o.Description)).html, Token: tokenOf(o)}
	for _, param := range o.Parameters {
		line := parameterLine{Name: param.Name, In: param.In, Required: param.Required, Type: d.Parts.typeOf(param.Schema, nil), Meaning: pieces(param.Description)}
		if whole, seen := d.Parts.follow(param.Schema, nil); whole != nil {
			line.Rules = d.Parts.rulesOf(whole, seen)
		}
		p.Parameters = append(p.Parameters, line)
	}
	if b := o.body(); b != nil {
		p.Body = d.bodyLine(b)
		p.Body.Required, p.Body.Examples = o.RequestBody.Required, d.examplesOf(b.Value)
	}
	p.Responses, p.Headers = d.responseLines(o)
	if p.Untried = c.untried(o); p.Untried == "" {
		var err error
		if p.Try, err = c.newTryForm(o, f, sent); err != nil {
			return err
		}
	}
	return c.render(page{name: "operation", section: "reference", status: status, title: o.Summary, body: p, same: []example{
		{"curl", c.operationCurl(o, f.Values)},
		{"The whole document", "curl " + shellWord(c.APIURL+"/openapi.yaml")},
	}})
}

func (d *apiDocument) bodyLine(m *pair[apiMedia]) *bodyLine {
	b := &bodyLine{Format: m.Key}
	if m.Value.Schema == nil {
		return b
	}
	b.Type = d.Parts.typeOf(m.Value.Schema, nil)
	if whole, _ := d.Parts.follow(m.Value.Schema, nil); whole != nil {
		b.Meaning = pieces(whole.Description)
	}
	b.Rows, b.Cut = d.rowsOf(m.Value.Schema)
	return b
}

// responseLines returns the responses of an operation, and what their headers mean.
func (d *apiDocument) responseLines(o *apiOperation) (lines []responseLine, headers []headerLine) {
	known := map[string]bool{}
	for _, r := range o.Responses {
		line := responseLine{Status: r.Key, Tone: statusTone(r.Key), Meaning: pieces(r.Value.Description)}
		for _, h := range r.Value.Headers {
			line.Headers = append(line.Headers, h.Key)
			if !known[h.Key] {
				known[h.Key] = true
				headers = append(headers, headerLine{h.Key, pieces(h.Value.Description)})
			}
		}
		if len(r.Value.Content) > 0 {
			line.Body = d.bodyLine(&r.Value.Content[0])
		}
		lines = append(lines, line)
	}
	return lines, headers
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
func tokenOf(o *apiOperation) string {
	switch {
	case o.ofStore():
		return "X-Auth-Token: a token of the store"
	case len(o.Security) > 0 && o.Security[0]["control"] != nil:
		return "Authorization: Bearer and the control token"
	}
	return "none"
}

// operationCurl returns the command for an operation with the values of the form.
func (c *call) operationCurl(o *apiOperation, values url.Values) string {
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
	target, header, _ := o.target(store, values)
	text := "curl"
	if o.Method != http.MethodGet {
		text += " -X " + o.Method
	}
	text += " " + shellWord(c.APIURL+target)
	switch {
	case o.ofStore():
		text += ` -H "X-Auth-Token: ` + token + `"`
	case strings.HasPrefix(tokenOf(o), "Authorization"):
		text += ` -H "Authorization: Bearer $COHORT_CONTROL_TOKEN"`
	}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		text += " \\\n  -H " + shellWord(name+": "+header.Get(name))
	}
	body := values.Get("body")
	b := o.body()
	if b == nil || body == "" {
		return text
	}
	return text + " \\\n  -H " + shellWord("Content-Type: "+b.Key) + " -d " + shellWord(body)
}
