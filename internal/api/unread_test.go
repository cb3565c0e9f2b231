package api

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// What an operation ignores is named once, at every depth, and only if something asks.
func TestUnread(t *testing.T) {
	type part struct{ name string }
	parts := Fields[part]{"id": nil, "name": func(p *part, v Value) error { p.name, _ = v.Text(); return nil }}
	fields := Fields[[]part]{
		"date": nil,
		"mail": func(_ *[]part, v Value) error { v.Ignore(); return nil },
		"parts": func(list *[]part, v Value) error {
			values, _ := v.Array()
			for _, value := range values {
				object, _ := value.Object()
				var p part
				if err := parts.Decode(object, &p, nil, func(string, error) error { return nil }); err != nil {
					return err
				}
				*list = append(*list, p)
			}
			return nil
		},
	}
	body := `{"parts":[{"id":1,"name":"a"},{"id":2,"name":"b"}],"mail":true,"date":"x"}`
	for _, test := range []struct {
		asks, reads, fails bool
		query              string
		want               []string
	}{
		{asks: true, reads: true, want: []string{"body.parts.id", "body.mail", "body.date"}},
		{asks: true, reads: true, query: "a=1&b=2&a=3", want: []string{"body.parts.id", "body.mail", "body.date", "query.a", "query.b"}},
		{asks: true, query: "a=%zz", want: []string{"body"}},
		{asks: true, fails: true, query: "a=1"},
		{reads: true, query: "a=1"},
	} {
		r := &Request{Request: &http.Request{URL: &url.URL{RawQuery: test.query}}, Body: []byte(body)}
		if test.asks {
			r.Unread = &Unread{}
		}
		var list []part
		if test.reads {
			o, err := r.ParseObject()
			if err != nil {
				t.Fatal(err)
			}
			if err := fields.Decode(o, &list, nil, func(string, error) error { return nil }); err != nil || len(list) != 2 || list[1].name != "b" {
				t.Errorf("decoded %v, error %v", list, err)
			}
		}
		if got := r.Unread.Names(r, !test.fails); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %v", test, got)
		}
	}
	// Where the error stops the request, the field is not ignored.
	r := &Request{Request: &http.Request{URL: &url.URL{}}, Body: []byte(`{"id":1}`), Unread: &Unread{}}
	o, err := r.ParseObject()
	if err != nil {
		t.Fatal(err)
	}
	err = parts.Decode(o, &part{}, nil, func(_ string, err error) error { return err })
	if got := r.Unread.Names(r, false); err == nil || len(got) > 0 {
		t.Errorf("%v, error %v", got, err)
	}
}
