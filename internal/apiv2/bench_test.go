package apiv2

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// What the reading and writing of groups costs by itself. Whole requests are
// measured in bench/.

// BenchmarkEncodeGroup writes one group, and as a yardstick has encoding/json
// write the same bytes.
func BenchmarkEncodeGroup(b *testing.B) {
	g := sampleGroup(1234)
	b.Run("appended", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = appendGroup(make([]byte, 0, usualGroup), g)
		}
	})
	b.Run("document", func(b *testing.B) { // with its ETag
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

// BenchmarkEncodeGroups writes a page of 50.
func BenchmarkEncodeGroups(b *testing.B) {
	var groups []cohort.Group
	for i := range int64(50) {
		groups = append(groups, sampleGroup(i+1))
	}
	w := &discarded{header: http.Header{}}
	r := &api.Request{Request: &http.Request{}}
	b.Run("appended", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			page, err := api.ReadPage(r, groupList(cohort.Page{Number: 1, Size: 50}, handOn(groups)))
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
			err := writeList(w, r, cohort.Page{Number: 1, Size: 50}, handOn(groups), func(g cohort.Group) int64 { return g.ID }, groupToWire)
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDecodeGroup reads the body of a create, 361 bytes.
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

// discarded is an answer that nobody reads.
type discarded struct{ header http.Header }

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(b []byte) (int, error) { return len(b), nil }
func (d *discarded) WriteHeader(int)             {}
