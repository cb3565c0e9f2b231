package upstream_test

import (
	"io"
	"net/http"
	"testing"

	"cohort.example/cohort/internal/upstream"
)

func TestParseURL(t *testing.T) {
	for text, ok := range map[string]bool{
		"https://api.bigcommerce.com": true, "https://api.bigcommerce.com/": true, "http://127.0.0.1:8080": true, "http://localhost": true, "http://[::1]:80": true,
		"http://api.bigcommerce.com": false, "api.bigcommerce.com": false, "": false, "ftp://localhost": false, "https://": false,
		"https://jo:x@api.bigcommerce.com": false, "https://api.bigcommerce.com?x=1": false, "https://a/#b": false, "http://127.0.0.1.example.com": false, "https://%zz": false,
	} {
		if u, err := upstream.ParseURL(text); (err == nil) != ok {
			t.Errorf("%s: %v, %v", text, u, err)
		}
	}
}

// A response that is too large ends with an error, whatever its announced length is.
func TestLimit(t *testing.T) {
	for size, ok := range map[int64]bool{0: true, upstream.MaxResponse: true, upstream.MaxResponse + 1: false} {
		res := &http.Response{ContentLength: -1, Body: io.NopCloser(io.LimitReader(zeros{}, size))}
		if err := upstream.Limit(res); err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, res.Body); (err == nil) != ok || n > upstream.MaxResponse {
			t.Errorf("of %d bytes: %d, %v", size, n, err)
		}
		if err := upstream.Limit(&http.Response{ContentLength: size}); (err == nil) != ok {
			t.Errorf("%d bytes are announced: %v", size, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
