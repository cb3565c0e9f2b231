package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// Document is an encoded JSON response with status 200. It is immutable, so it can
// be cached and sent by several goroutines at the same time.
type Document struct {
	body []byte
	// Header values, allocated once for all responses.
	length, etag []string // etag is nil for a list
}

// NewDocument returns a document with an ETag. The document owns the body.
func NewDocument(body []byte) *Document { return NewTagged(body, TagOf(body)) }

// NewUntagged returns a document without an ETag. The document owns the body.
func NewUntagged(body []byte) *Document {
	return &Document{body: body, length: []string{strconv.Itoa(len(body))}}
}

// TagOf hashes the body for its ETag, so every node returns the same tag, also after a
// restart. 64 bits of the hash are enough to distinguish the versions of one resource.
func TagOf(body []byte) (tag [8]byte) {
	sum := sha256.Sum256(body)
	return [8]byte(sum[:8])
}

// NewTagged is NewDocument with the TagOf of the body. The body may have another owner for
// a document that is only written.
func NewTagged(body []byte, tag [8]byte) *Document {
	// One text and one allocation for both header values.
	var buf [40]byte
	text := append(buf[:0], '"')
	text = hex.AppendEncode(text, tag[:])
	text = append(text, '"')
	end := len(text)
	s := string(strconv.AppendInt(text, int64(len(body)), 10))
	values := &[2]string{s[end:], s[:end]}
	return &Document{body: body, length: values[:1:1], etag: values[1:2:2]}
}

// Body returns the body, which must not be changed.
func (d *Document) Body() []byte { return d.body }

// Size returns the length of the body in bytes, 0 for a nil document.
func (d *Document) Size() int {
	if d == nil {
		return 0
	}
	return len(d.body)
}

// gzipped ends the ETags of compressed responses, before the quote. A strong ETag identifies
// the bytes that are sent, so the compressed response needs one of its own.
const gzipped = "-gzip"

// TagGzip changes the ETag of a header into that of the compressed response, if there is one.
func TagGzip(h http.Header) {
	if tag := h.Get("Etag"); strings.HasSuffix(tag, `"`) {
		h.Set("Etag", strings.TrimSuffix(tag, `"`)+gzipped+`"`)
	}
}

// versionOf returns the ETag of the response without compression. Conditions compare these,
// because the content is the same in both.
func versionOf(tag string) string {
	if version, ok := strings.CutSuffix(tag, gzipped+`"`); ok {
		return version + `"`
	}
	return tag
}

// Write sends the document, or 304 if the client's If-None-Match has its tag. Call
// it after all checks: a 304 must not reveal the state of a resource to a client
// that is not allowed to read it.
func (d *Document) Write(w http.ResponseWriter, r *Request) {
	if d.etag == nil {
		writeEncoded(w, http.StatusOK, d.body, d.length)
		return
	}
	w.Header()["Etag"] = d.etag
	if hasTag(r.Header["If-None-Match"], d.etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeEncoded(w, http.StatusOK, d.body, d.length)
}

// hasTag reports whether the values of an If-None-Match header contain a strong
// tag. HTTP prescribes weak comparison for this header: a "W/" prefix makes no
// difference.
func hasTag(values []string, tag string) bool {
	for _, list := range values {
		if listHasTag(list, tag) {
			return true
		}
	}
	return false
}

func listHasTag(list, tag string) bool {
	for {
		list = strings.TrimLeft(list, " \t,")
		if strings.HasPrefix(list, "*") {
			return true
		}
		list = strings.TrimPrefix(list, "W/")
		if !strings.HasPrefix(list, `"`) {
			return false // the end of the list, or a malformed tag
		}
		end := 1 + strings.IndexAny(list[1:], "\" \t")
		if list[end] != '"' || end == 0 {
			return false
		}
		if versionOf(list[:end+1]) == tag {
			return true
		}
		list = list[end+1:]
	}
}
