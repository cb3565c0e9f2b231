package server

import "testing"

func TestAcceptsJSON(t *testing.T) {
	for _, c := range []struct {
		header []string
		want   bool
	}{
		{nil, true},
		{[]string{""}, true},
		{[]string{" "}, true},
		{[]string{"application/json"}, true},
		{[]string{"*/*"}, true},
		{[]string{"application/*"}, true},
		{[]string{"Application/JSON"}, true},
		{[]string{"application/json;charset=utf-8"}, true},
		{[]string{"application/json; version=2; q=0.1"}, true},
		{[]string{"  application/json  "}, true},
		{[]string{"text/html,application/json"}, true},
		{[]string{"text/html", "application/json"}, true},
		{[]string{"text/html, */*;q=0.01"}, true},
		// The default of Java's HttpURLConnection.
		{[]string{"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}, true},
		// Malformed parts are ignored.
		{[]string{"text/;, application/json"}, true},
		{[]string{",application/json,"}, true},
		{[]string{"application/json;q=high"}, true},

		{[]string{"text/html"}, false},
		{[]string{"application/xml"}, false},
		{[]string{"text/*"}, false},
		{[]string{"text/json"}, false},
		{[]string{"application/vnd.api+json"}, false},
		{[]string{"application/jsonp"}, false},
		{[]string{"json"}, false},
		{[]string{"application/json;q=0"}, false},
		{[]string{"*/*;q=0"}, false},
		{[]string{"*/*;q=0.0"}, false},
		// The most specific range decides, in any position.
		{[]string{"*/*, application/json;q=0"}, false},
		{[]string{"application/json;q=0, */*"}, false},
		{[]string{"*/*", "application/json;q=0"}, false},
		{[]string{"application/json", "application/json;q=0", "*/*"}, true}, // listed twice: the first one counts
		{[]string{"application/*;q=0, */*"}, false},
		{[]string{"*/*;q=0, application/json"}, true},
		{[]string{"application/*;q=0, application/json;q=0.1"}, true},
		{[]string{"*/*;q=0", "application/*"}, true},
	} {
		if got := acceptsJSON(c.header); got != c.want {
			t.Errorf("Accept: %q: %t, want %t", c.header, got, c.want)
		}
	}
}

func TestIsJSON(t *testing.T) {
	for contentType, want := range map[string]bool{
		"":                                  true,
		"application/json":                  true,
		"APPLICATION/JSON":                  true,
		"application/json; charset=utf-8":   true,
		"application/json;charset=ISO-8859": true,
		"application/json;":                 true,
		"application/json; charset":         true,
		"text/json":                         true,
		"application/vnd.api+json":          true,
		"application/problem+json":          true,

		" ":                                 false,
		"json":                              false,
		"text/plain":                        false,
		"application/jsonp":                 false,
		"application/x-www-form-urlencoded": false,
		"multipart/form-data; boundary=x":   false,
		"application/xml":                   false,
		"application/octet-stream":          false,
		"text/plain; application/json":      false,
	} {
		if got := isJSON(contentType); got != want {
			t.Errorf("Content-Type: %q: %t, want %t", contentType, got, want)
		}
	}
}
