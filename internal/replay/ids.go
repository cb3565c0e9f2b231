package replay

import (
	"net/url"
	"regexp"
	"strings"

	"cohort.example/cohort/internal/exchange"
)

// ids translates the ids of a recording into those of the server that it is replayed
// against: the group that was number 17 when it was recorded is number 1 there. It learns
// them from the responses.
type ids map[id]string

// id is an id in the recording.
type id struct{ kind, text string } // of a resource, such as "customergroup"

// kindOf returns the kind of resource that a name is about: that of a collection in a path,
// or of a field such as customer_group_id.
func kindOf(name string) string {
	name = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(name), "_ids"), "_id")
	name = strings.NewReplacer("_", "", "-", "").Replace(name)
	switch {
	case strings.HasSuffix(name, "ies"):
		return strings.TrimSuffix(name, "ies") + "y"
	case strings.HasSuffix(name, "sses"):
		return strings.TrimSuffix(name, "es")
	case strings.HasSuffix(name, "ss"):
		return name
	}
	return strings.TrimSuffix(name, "s")
}

var idForm = regexp.MustCompile(`^(?:\d{1,18}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

// kindOfPath returns the kind of the resources that a path is about.
func kindOfPath(path string) (kind string) {
	for segment := range strings.SplitSeq(strings.TrimSuffix(path, ".json"), "/") {
		if segment != "" && segment != "count" && !idForm.MatchString(segment) {
			kind = kindOf(segment)
		}
	}
	return kind
}

// isID reports whether a field is an id, and of which kind. outer is the kind of the object
// that has it.
func isID(outer, field string) (kind string, ok bool) {
	switch {
	case field == "id" || field == "uuid":
		return outer, true
	case field == "parent_id":
		return outer, true
	case strings.HasSuffix(field, "_id") || strings.HasSuffix(field, "_ids"):
		return kindOf(field), true
	}
	return "", false
}

// below returns the kind of the objects in a field.
func below(outer, field string) string {
	if field == "data" {
		return outer
	}
	return kindOf(field)
}

// learn compares a recorded body with one of the server.
func (t ids) learn(kind string, recorded, got exchange.Value) {
	for _, m := range recorded.Members {
		other, ok := got.Get(m.Key)
		if !ok {
			continue
		}
		if of, isID := isID(kind, m.Key); isID {
			t.pair(of, m.Value, other)
			continue
		}
		t.learn(below(kind, m.Key), m.Value, other)
	}
	for i := range min(len(recorded.Items), len(got.Items)) {
		t.learn(kind, recorded.Items[i], got.Items[i])
	}
}

// pair learns the ids of a field, which may be a list.
func (t ids) pair(kind string, recorded, got exchange.Value) {
	for i := range min(len(recorded.Items), len(got.Items)) {
		t.pair(kind, recorded.Items[i], got.Items[i])
	}
	if idForm.MatchString(recorded.Text) && idForm.MatchString(got.Text) && recorded.Text != "0" && got.Text != "0" {
		t[id{kind, recorded.Text}] = got.Text
	}
}

// translate returns the id of the server for one of the recording.
func (t ids) translate(kind, text string) string {
	if known, ok := t[id{kind, text}]; ok {
		return known
	}
	return text
}

// path translates the ids in a path.
func (t ids) path(path string) string {
	segments := strings.Split(path, "/")
	kind := ""
	for i, segment := range segments {
		plain, isJSON := strings.CutSuffix(segment, ".json")
		if !idForm.MatchString(plain) {
			kind = kindOf(segment)
			continue
		}
		if segments[i] = t.translate(kind, plain); isJSON {
			segments[i] += ".json"
		}
	}
	return strings.Join(segments, "/")
}

// query translates the ids in a query string. kind is that of the path.
func (t ids) query(kind, query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		field, _, _ := strings.Cut(plain, ":")
		of, ok := isID(kind, strings.TrimPrefix(strings.TrimPrefix(field, "min_"), "max_"))
		list, err2 := url.QueryUnescape(value)
		if !ok || err != nil || err2 != nil {
			continue
		}
		values := strings.Split(list, ",")
		for n := range values {
			values[n] = url.QueryEscape(t.translate(of, values[n]))
		}
		pairs[i] = name + "=" + strings.Join(values, ",")
	}
	return strings.Join(pairs, "&")
}

// body translates the ids in a body.
func (t ids) body(kind string, v exchange.Value) exchange.Value {
	members := make([]exchange.Member, len(v.Members))
	for i, m := range v.Members {
		members[i] = exchange.Member{Key: m.Key, Value: t.member(kind, m.Key, m.Value)}
	}
	items := make([]exchange.Value, len(v.Items))
	for i, item := range v.Items {
		items[i] = t.body(kind, item)
	}
	v.Members, v.Items = members, items
	return v
}

// member translates the ids of a field: those in a list of numbers are ids too, as in
// "categories":[18,19].
func (t ids) member(kind, field string, v exchange.Value) exchange.Value {
	if of, ok := isID(kind, field); ok {
		return t.field(of, v)
	}
	if v.Kind == exchange.Array && len(v.Items) > 0 && v.Items[0].Kind == exchange.Number {
		return t.field(kindOf(field), v)
	}
	return t.body(below(kind, field), v)
}

func (t ids) field(kind string, v exchange.Value) exchange.Value {
	items := make([]exchange.Value, len(v.Items))
	for i, item := range v.Items {
		items[i] = t.field(kind, item)
	}
	v.Items = items
	if v.Kind == exchange.Number || v.Kind == exchange.String {
		v.Text = t.translate(kind, v.Text)
	}
	return v
}
