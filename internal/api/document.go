package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// Document is a finished JSON answer of status 200. It never changes, so it can
// be kept and sent any number of times, at the same time too.
type Document struct {
	body []byte
	// Header values, made once because they are the same each time.
	length, etag []string // of a list, no etag
}

// NewDocument returns a document of finished JSON, which belongs to it from
// then on, with an ETag.
func NewDocument(body []byte) *Document {
	return &Document{body: body, length: []string{strconv.Itoa(len(body))}, etag: []string{etagOf(body)}}
}

// NewUntagged returns a document of finished JSON that has no ETag.
func NewUntagged(body []byte) *Document {
	return &Document{body: body, length: []string{strconv.Itoa(len(body))}}
}

// Size returns the length of the JSON in bytes; of no document it is 0.
func (d *Document) Size() int {
	if d == nil {
		return 0
	}
	return len(d.body)
}

// etagOf is the same for the same bytes on every node and after every restart.
// 64 bits of the hash are plenty to tell the versions of one thing apart.
func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	tag := make([]byte, 0, 18)
	tag = append(tag, '"')
	tag = hex.AppendEncode(tag, sum[:8])
	return string(append(tag, '"'))
}

// Write answers with the document, or with 304 when the client has it already.
// It has to come after all checks: a client who may not see the document must
// not learn either that it is the same as before.
func (d *Document) Write(w http.ResponseWriter, r *Request) {
	if d.etag == nil {
		writeFinished(w, http.StatusOK, d.body, d.length)
		return
	}
	w.Header()["Etag"] = d.etag
	if hasTag(r.Header["If-None-Match"], d.etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeFinished(w, http.StatusOK, d.body, d.length)
}

// hasTag reports whether the values of an If-None-Match header name a strong
// tag. They are compared weakly, as HTTP has it for this header: a "W/" in
// front makes no difference.
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
			return false // the end, or something that is no tag
		}
		end := 1 + strings.IndexAny(list[1:], "\" \t")
		if list[end] != '"' || end == 0 {
			return false
		}
		if list[:end+1] == tag {
			return true
		}
		list = list[end+1:]
	}
}
