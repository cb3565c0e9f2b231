package api_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/api"

	"pgregory.net/rapid"
)

const (
	document = `{"id":1,"name":"Wholesale"}`
	// The first 16 digits of its SHA-256.
	documentTag = `"70f7eb82018f5bd5"`
)

// get requests the document; ifNoneMatch has the values of that header.
func get(d *api.Document, ifNoneMatch ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	if len(ifNoneMatch) > 0 {
		r.Header["If-None-Match"] = ifNoneMatch
	}
	w := httptest.NewRecorder()
	d.Write(w, &api.Request{Request: r})
	return w
}

func wantDocument(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	h := w.Result().Header
	if w.Code != http.StatusOK || w.Body.String() != document || h.Get("Etag") != documentTag ||
		h.Get("Content-Type") != "application/json" || h.Get("Content-Length") != "27" {
		t.Errorf("%d %v %s, want the document", w.Code, h, w.Body)
	}
}

// The tag is a hash of the body. A document can be sent many times and concurrently.
func TestDocument(t *testing.T) {
	d := api.NewDocument([]byte(document))
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for range 10 {
				wantDocument(t, get(d))
			}
		})
	}
	senders.Wait()
}

func TestDocumentIfNoneMatch(t *testing.T) {
	d := api.NewDocument([]byte(document))
	for _, lines := range [][]string{
		{documentTag},
		{"W/" + documentTag},
		{"*"},
		{" \t" + documentTag + " "},
		{`"other", ` + documentTag},
		{`"other",W/"another"` + `,W/` + documentTag},
		{`,, ,` + documentTag},
		{`"other"`, documentTag},
		{`"with,comma",` + documentTag},
		{`"é",` + documentTag},
		{`"",` + documentTag},
		{"", documentTag},
	} {
		w := get(d, lines...)
		if w.Code != http.StatusNotModified || w.Body.Len() > 0 || w.Header().Get("Etag") != documentTag {
			t.Errorf("If-None-Match: %q: %d %v %s, want 304 with the tag", lines, w.Code, w.Header(), w.Body)
		}
	}
	for _, lines := range [][]string{
		{""},
		{","},
		{`""`},
		{`"other"`},
		{strings.Trim(documentTag, `"`)},
		{strings.ToUpper(documentTag)},
		{documentTag[:17]},
		{`W/W/` + documentTag},
		{`w/` + documentTag},
		{`other ` + documentTag},
		{`"other`},
		{`"`},
		{`"W/` + documentTag[1:]},
		{`"with space", ` + documentTag},
		{"\x00" + documentTag},
	} {
		w := get(d, lines...)
		if w.Code != http.StatusOK {
			t.Errorf("If-None-Match: %q: %d", lines, w.Code)
			continue
		}
		wantDocument(t, w)
	}
}

// If-None-Match has the same meaning as in http.ServeContent.
func TestDocumentMatchesServeContent(t *testing.T) {
	d := api.NewDocument([]byte(document))
	pieces := []string{documentTag, `"other"`, "W/", "*", ",", " ", "\t", `"`, "x", `""`, "é", `\`}
	rapid.Check(t, func(t *rapid.T) {
		header := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 8).Draw(t, "header"), "")
		standard := httptest.NewRecorder()
		standard.Header().Set("Etag", documentTag)
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set("If-None-Match", header)
		http.ServeContent(standard, r, "", time.Time{}, bytes.NewReader([]byte(document)))
		if got := get(d, header).Code; got != standard.Code {
			t.Errorf("If-None-Match: %q: %d, but net/http responds %d", header, got, standard.Code)
		}
	})
}
