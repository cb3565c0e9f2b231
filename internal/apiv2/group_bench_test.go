package apiv2

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// These benchmarks measure the decoding and encoding of groups alone. bench/ measures
// whole requests.

// BenchmarkEncodeGroup encodes one group with appendGroup and with encoding/json.
func BenchmarkEncodeGroup(b *testing.B) {
	g := sampleGroup(1234)
	b.Run("appendGroup", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = appendGroup(make([]byte, 0, usualGroup), g)
		}
	})
	b.Run("document", func(b *testing.B) { // with the ETag
		b.ReportAllocs()
		for b.Loop() {
			_ = groupDocument(g)
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := json.NewEncoder(io.Discard).Encode(groupToWire(g)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkEncodeGroups encodes a page of 50 groups, the default page size.
func BenchmarkEncodeGroups(b *testing.B) {
	var groups []cohort.Group
	for i := range int64(50) {
		groups = append(groups, sampleGroup(i+1))
	}
	w := &discardWriter{header: http.Header{}}
	r := &api.Request{Request: &http.Request{}}
	b.Run("appendGroup", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			page, err := api.ReadPage(r, groupList(cohort.Page{Number: 1, Size: 50}, rowsOf(groups)))
			if err != nil {
				b.Fatal(err)
			}
			if err := page.Write(w); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			err := writeList(w, r, cohort.Page{Number: 1, Size: 50}, rowsOf(groups), func(g cohort.Group) int64 { return g.ID }, groupToWire)
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDecodeGroup decodes the body of a create.
func BenchmarkDecodeGroup(b *testing.B) {
	const body = `{"name":"Wholesale customers of the north","category_access":{"type":"specific","categories":[18,19,20,21]},` +
		`"discount_rules":[{"type":"all","method":"percent","amount":5},` +
		`{"type":"category","category_id":18,"method":"price","amount":"2.50"},` +
		`{"type":"product","product_id":1077,"method":"fixed","amount":"9.9900"}],` +
		`"is_default":false,"is_group_for_guests":false}`
	r := &api.Request{Body: []byte(body)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeBody(r, groupFields, "name"); err != nil {
			b.Fatal(err)
		}
	}
}

// discardWriter is a ResponseWriter that discards the body.
type discardWriter struct{ header http.Header }

func (d *discardWriter) Header() http.Header         { return d.header }
func (d *discardWriter) Write(b []byte) (int, error) { return len(b), nil }
func (d *discardWriter) WriteHeader(int)             {}
