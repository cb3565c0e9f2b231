package api

import (
	"slices"
	"strings"
)

// maxUnread bounds the names that an Unread keeps.
const maxUnread = 100

// Unread collects what a client has sent and the operation ignores, such as read-only
// fields of V3 bodies. The methods of a nil Unread do nothing, so that a server that does
// not ask pays nothing.
//
// Names begin with "body" or "query". Those of fields in arrays have no index, so that a
// batch tells each field once: "body.addresses.id".
type Unread struct {
	path      []string // of the field that is being read
	names     []string
	readBody  bool
	readQuery bool
}

// Names returns the names. If the operation has succeeded, it adds a body and the
// parameters of a query string that the operation did not look at.
func (u *Unread) Names(r *Request, succeeded bool) []string {
	if u == nil {
		return nil
	}
	if succeeded && !u.readBody && len(r.Body) > 0 {
		u.add("body")
	}
	if succeeded && !u.readQuery && r.URL.RawQuery != "" {
		params, _ := ParseQuery(r.URL.RawQuery) // what is malformed has no names
		for _, p := range params {
			u.IgnoreParam(p.Name)
		}
	}
	return u.names
}

// ReadQuery tells that the operation looks at the query string.
func (u *Unread) ReadQuery() {
	if u != nil {
		u.readQuery = true
	}
}

// IgnoreParam tells that the operation ignores a parameter of the query string.
func (u *Unread) IgnoreParam(name string) {
	if u != nil {
		u.add("query." + name)
	}
}

// ParseQuery returns the parameters of the request's query string.
func (r *Request) ParseQuery() ([]Param, error) {
	r.Unread.ReadQuery()
	return ParseQuery(r.URL.RawQuery)
}

// IgnoreParams tells that the operation ignores parameters that it accepts.
func (r *Request) IgnoreParams(names ...string) {
	if r.Unread == nil || r.URL.RawQuery == "" {
		return
	}
	params, _ := ParseQuery(r.URL.RawQuery) // the operation reports what is malformed
	for _, p := range params {
		if slices.Contains(names, p.Name) {
			r.Unread.IgnoreParam(p.Name)
		}
	}
}

// ParseValue is the function ParseValue for the request's body.
func (r *Request) ParseValue() (Value, error) {
	v, err := ParseValue(r.Body)
	if r.Unread != nil {
		r.Unread.readBody, v.unread = true, r.Unread
	}
	return v, err
}

// ParseObject is the function ParseObject for the request's body.
func (r *Request) ParseObject() (Object, error) {
	v, err := r.ParseValue()
	if err != nil {
		return nil, err
	}
	return bodyObject(v)
}

// Ignore tells that the operation accepts the value and does nothing with it. It is for
// the functions of Fields.
func (v Value) Ignore() {
	if v.unread != nil {
		v.unread.addField()
	}
}

// enter and leave surround the reading of a field.
func (u *Unread) enter(name string) {
	if u != nil {
		u.path = append(u.path, name)
	}
}

func (u *Unread) leave() {
	if u != nil {
		u.path = u.path[:len(u.path)-1]
	}
}

// ignore adds a field of the object that is being read.
func (u *Unread) ignore(name string) {
	if u != nil {
		u.enter(name)
		u.addField()
		u.leave()
	}
}

func (u *Unread) addField() { u.add("body." + strings.Join(u.path, ".")) }

func (u *Unread) add(name string) {
	if len(u.names) < maxUnread && !slices.Contains(u.names, name) {
		u.names = append(u.names, name)
	}
}
