package exchange

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/journal"
)

// hidden stands for a secret.
const hidden = "***"

// scrubber replaces what must not be in a recording. Its rule is the same everywhere: a
// text stays only if it is known to be a part of the API.
type scrubber struct {
	faker
	secrets secrets
}

// secrets are the tokens that were sent while a recording was made.
type secrets struct{ list []string }

// maxSecrets bounds the tokens that a recording remembers.
const maxSecrets = 1000

// minSecret is the length from which a token is looked for in other texts. A shorter one
// would hide a part of many words.
const minSecret = 6

// add remembers the values of the headers that are secrets.
func (s *secrets) add(h http.Header) {
	for name, values := range h {
		if !journal.IsSecret(name) {
			continue
		}
		for _, value := range values {
			value = value[strings.LastIndexByte(value, ' ')+1:] // without "Bearer"
			if len(value) >= minSecret && !slices.Contains(s.list, value) && len(s.list) < maxSecrets {
				s.list = append(s.list, value)
			}
		}
	}
}

// in reports whether a text contains a secret.
func (s *secrets) in(text string) bool {
	return slices.ContainsFunc(s.list, func(secret string) bool { return strings.Contains(text, secret) })
}

// scrubbing is the state for one exchange.
type scrubbing struct {
	*scrubber
	store   string            // its hash
	fakes   map[string]string // of the texts of the request, by text in lower case
	altered bool              // something was replaced
	failed  bool              // the response is an error
}

// scrub returns what a recording has of an exchange.
func (s *scrubber) scrub(raw Raw) Exchange {
	s.secrets.add(raw.RequestHeader)
	store, path := splitStore(raw.Path)
	c := &scrubbing{scrubber: s, store: store, fakes: map[string]string{}}
	e := Exchange{
		Date: raw.Time.UTC(), DurationMS: float64(raw.Duration.Microseconds()) / 1000, Method: raw.Method, Status: raw.Status,
		Path: c.path(path), Query: c.query(raw.Query),
	}
	e.Request = Message{c.header(raw.RequestHeader, requestHeaders), c.body(raw.RequestBody)}
	e.Altered, c.failed = c.altered, raw.Status >= http.StatusBadRequest || raw.Status == http.StatusMultiStatus
	e.Response = Message{c.header(raw.Header, responseHeaders), c.body(raw.Body)}
	return e
}

// splitStore returns the store's hash in a path, and the rest from the next slash on.
func splitStore(path string) (store, rest string) {
	store, rest, _ = strings.Cut(strings.TrimPrefix(path, "/stores/"), "/")
	return store, "/" + rest
}

// replace returns the fake of a text, and remembers it.
func (c *scrubbing) replace(text string) string {
	fake := c.fake(text)
	if fake != text {
		c.altered = true
		c.fakes[strings.ToLower(text)] = fake
	}
	return fake
}

// hide returns what stands for a secret.
func (c *scrubbing) hide(text string) string {
	if text != "" && text != hidden {
		c.altered = true
		return hidden
	}
	return text
}

// path replaces the segments of a path that are neither part of the API nor ids.
func (c *scrubbing) path(path string) string {
	segments := strings.Split(path, "/")
	for i, escaped := range segments {
		segment, err := url.PathUnescape(escaped)
		switch {
		case err != nil || c.secrets.in(segment):
			segments[i] = url.PathEscape(c.hide(escaped))
		case isSegment(segment):
		default:
			segments[i] = url.PathEscape(c.replace(segment))
		}
	}
	return strings.Join(segments, "/")
}

func isSegment(s string) bool {
	known := contract().segments
	return s == "" || s == "v2" || s == "v3" || known[s] || known[strings.TrimSuffix(s, ".json")] ||
		numericForm.MatchString(strings.TrimSuffix(s, ".json")) || cohort.IsUUID(s) || s == "customergroups"
}

// query replaces the values of a query string that are neither part of the API nor ids.
// Pairs that need no replacement stay as they were sent.
func (c *scrubbing) query(raw string) string {
	if raw == "" {
		return ""
	}
	pairs := strings.Split(raw, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		plainName, err := url.QueryUnescape(name)
		plain, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil || !keyForm.MatchString(plainName) || c.secrets.in(plainName) {
			pairs[i] = url.QueryEscape(c.hide(pair))
			continue
		}
		if fake := c.parameter(plainName, plain); fake != plain {
			pairs[i] = name + "=" + url.QueryEscape(fake)
		}
	}
	return strings.Join(pairs, "&")
}

// parameter replaces the value of a parameter, each part of a list for itself.
func (c *scrubbing) parameter(name, value string) string {
	key, _, _ := strings.Cut(name, ":")
	if journal.IsSecret(name) || c.secrets.in(value) {
		return c.hide(value)
	}
	parts := strings.Split(value, ",")
	for i, part := range parts {
		switch {
		case key == "page" || key == "limit":
			if !numericForm.MatchString(part) {
				parts[i] = c.replace(part)
			}
		case isWord(key, part) || isHarmless(key, part):
		default:
			parts[i] = c.replace(part)
		}
	}
	return strings.Join(parts, ",")
}

// isWord reports whether a value of a parameter names fields.
func isWord(key, value string) bool {
	switch key {
	case "include", "include_fields", "exclude_fields", "sort", "direction", "order_by":
		return wordListForm.MatchString(value) && (contract().names[value] || contract().values[value])
	}
	return false
}

// header keeps the headers of a list whose values have the form of one.
func (c *scrubbing) header(h http.Header, known map[string]*regexp.Regexp) map[string]string {
	kept := map[string]string{}
	for name, form := range known {
		values := h.Values(name)
		if len(values) == 0 {
			continue
		}
		value := strings.Join(values, ", ")
		switch {
		case c.secrets.in(value):
			value = hidden
		case name == "Location":
			value = c.link(value)
		case !form.MatchString(value):
			value = hidden
		}
		kept[name] = value
	}
	return kept
}

var (
	shortNumber = regexp.MustCompile(`^[0-9]{1,4}$`)

	typeForm   = regexp.MustCompile(`^(?:[a-z]+/(?:[a-z.]+\+)?[a-z*-]+|\*/\*)(?:; ?(?:charset=(?:utf|UTF)-8|q=[01](?:\.\d{1,3})?))?(?:, ?(?:[a-z]+/(?:[a-z.]+\+)?[a-z*-]+|\*/\*)(?:; ?q=[01](?:\.\d{1,3})?)?)*$`)
	numberForm = regexp.MustCompile(`^\d{1,15}$`)
	allowForm  = regexp.MustCompile(`^[A-Z]{3,7}(?:, ?[A-Z]{3,7})*$`)

	requestHeaders  = map[string]*regexp.Regexp{"Accept": typeForm, "Content-Type": typeForm}
	responseHeaders = map[string]*regexp.Regexp{
		"Content-Type": typeForm, "Allow": allowForm, "Location": nil, "Retry-After": numberForm, "X-Retry-After": numberForm,
		"X-Rate-Limit-Requests-Left": numberForm, "X-Rate-Limit-Requests-Quota": numberForm,
		"X-Rate-Limit-Time-Reset-Ms": numberForm, "X-Rate-Limit-Time-Window-Ms": numberForm,
	}
)

// link replaces the host, the store and the parameters of a link to the API. Another link
// is replaced as a whole.
func (c *scrubbing) link(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.User != nil || u.Fragment != "" || c.secrets.in(link) {
		return c.hide(link)
	}
	path := u.EscapedPath()
	inStore := strings.HasPrefix(path, "/stores/")
	if u.Host != "" && !inStore {
		return c.replace(link)
	}
	prefix := ""
	if u.Host != "" {
		prefix = "https://api.example.com"
	}
	if inStore {
		_, path = splitStore(path)
		prefix += "/stores/store"
	}
	link = prefix + c.path(path)
	if u.RawQuery != "" {
		link += "?" + c.query(u.RawQuery)
	}
	return link
}

// body replaces what is in a body.
func (c *scrubbing) body(raw RawBody) Body {
	b := Body{Size: raw.Size}
	if raw.Size > int64(len(raw.Text)) || len(raw.Text) > MaxBody {
		b.Left = LeftLarge
		return b
	}
	if isKnownText(string(raw.Text)) {
		b.Text = string(raw.Text)
		return b
	}
	v, err := ParseJSON(raw.Text)
	if err != nil {
		c.altered = true
		b.Left = LeftNotJSON
		return b
	}
	v = c.value("", v, false)
	b.JSON = &v
	return b
}

// value replaces what is in a value. secret says that it is, or is inside of, a secret.
func (c *scrubbing) value(key string, v Value, secret bool) Value {
	switch v.Kind {
	case Object:
		members := make([]Member, len(v.Members))
		for i, m := range v.Members {
			members[i] = Member{c.key(m.Key), c.value(inner(key, m.Key), m.Value, secret || journal.IsSecret(m.Key))}
		}
		v.Members = members
	case Array:
		items := make([]Value, len(v.Items))
		for i, item := range v.Items {
			items[i] = c.value(key, item, secret)
		}
		v.Items = items
	case String:
		v.Text = c.text(key, v.Text, secret)
	case Number:
		v.Text = c.digits(key, v.Text, secret)
	}
	return v
}

// inner returns the key that decides about a value: within errors and within what is
// personal it is the outer one.
func inner(outer, key string) string {
	if outer == "errors" || personal[outer] && !idKey.MatchString(key) {
		return outer
	}
	return key
}

// key replaces a key that is a text and not a name.
func (c *scrubbing) key(key string) string {
	if !keyForm.MatchString(key) || c.secrets.in(key) {
		return c.replace(key)
	}
	return key
}

// digits replaces a number if it is a secret or may describe a person.
func (c *scrubbing) digits(key, number string, secret bool) string {
	if !secret && !personal[key] && !c.secrets.in(number) {
		return number
	}
	fake := c.number(number)
	c.altered = c.altered || fake != number
	return fake
}

func (c *scrubbing) text(key, text string, secret bool) string {
	switch {
	case secret || c.secrets.in(text):
		return c.hide(text)
	case c.failed && isErrorKey(key):
		return c.message(text)
	case isLinkKey(key) && strings.HasPrefix(text, "/"):
		return c.link(text)
	case isLinkKey(key) && strings.HasPrefix(text, "?"):
		return "?" + c.query(text[1:])
	case strings.Contains(text, "://") && strings.Contains(text, "/stores/"):
		return c.link(text)
	case isHarmless(key, text):
		return text
	}
	return c.replace(text)
}

// isLinkKey reports whether a key has links to the API.
func isLinkKey(key string) bool {
	switch key {
	case "url", "resource", "previous", "current", "next":
		return true
	}
	return false
}

func isErrorKey(key string) bool {
	switch key {
	case "title", "message", "detail", "type", "invalid_reason", "errors":
		return true
	}
	return false
}

// statusType is the type of most errors, a link that stays as it is.
const statusType = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"

// token is a part of the text of an error: an email, a word or a number.
var token = regexp.MustCompile(`[^\s'"<>(),;]*@[^\s'"<>(),;]*|[\p{L}\p{M}\p{N}_]+`)

// message replaces in the text of an error what the request had, and each word that the
// OpenAPI document does not use.
func (c *scrubbing) message(text string) string {
	if text == statusType {
		return text
	}
	lower := strings.ToLower(text)
	if len(lower) != len(text) { // a letter changes its length, so positions differ
		return c.fake(text)
	}
	for _, original := range c.longestFirst() {
		if i := strings.Index(lower, original); i >= 0 {
			return c.message(text[:i]) + c.fakes[original] + c.message(text[i+len(original):])
		}
	}
	return token.ReplaceAllStringFunc(text, func(part string) string {
		if shortNumber.MatchString(part) || contract().words[strings.ToLower(part)] {
			return part
		}
		return c.fake(part)
	})
}

// longestFirst returns the texts that were replaced, without those of one character.
func (c *scrubbing) longestFirst() []string {
	list := slices.DeleteFunc(slices.Collect(maps.Keys(c.fakes)), func(text string) bool { return len(text) < 2 })
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return list
}
