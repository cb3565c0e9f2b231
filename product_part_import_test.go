package cohort_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
)

func TestImportParts(t *testing.T) {
	const (
		image5 = `{"id":5,"image_url":"<a>","description":"d","date_modified":"2025-01-01T00:00:00Z"}`
		now    = `"date_modified":"2026-01-31T12:00:00Z"`
	)
	for _, tt := range []struct{ name, stored, imported, want string }{
		{"an id that is not stored", "", `[{"id":7,"image_url":"b"}]`, `[{"id":7,"image_url":"b",` + now + `}]`},
		{"the same object", "[" + image5 + "]", `[{"id":5,"image_url":"<a>","description":"d"}]`, "[" + image5 + "]"},
		{"an object with fewer fields", "[" + image5 + "]", `[{"id":5,"image_url":"<a>"}]`, `[{"id":5,"image_url":"<a>",` + now + `}]`},
		{"an object with other fields", "[" + image5 + "]", `[{"id":5,"image_url":"b","description":"d"}]`, `[{"id":5,"image_url":"b","description":"d",` + now + `}]`},
		{"an object without an id, as stored", "[" + image5 + "]", `[{"image_url":"<a>","description":"d"}]`, "[" + image5 + "]"},
		{"a new object without an id", "[" + image5 + "]", `[{"image_url":"b"}]`, `[{"id":100,"image_url":"b",` + now + `}]`},
		{"all of them", "[" + image5 + "]", `[{"image_url":"b"},{"id":7,"image_url":"<a>"},{"image_url":"<a>","description":"d"}]`,
			`[{"id":100,"image_url":"b",` + now + `},{"id":7,"image_url":"<a>",` + now + `},` + image5 + `]`},
		{"none", "[" + image5 + "]", `[]`, `[]`},
		{"an id without an address", "[" + image5 + "]", `[{"id":5}]`, "images.0.image_url"},
		{"an id twice", "", `[{"id":5,"image_url":"a"},{"id":5,"image_url":"b"}]`, "images.1.id"},
	} {
		stored := cohort.Details{"upc": json.RawMessage(`"1"`)}
		if tt.stored != "" {
			stored["images"] = json.RawMessage(tt.stored)
		}
		imported := cohort.Details{"images": json.RawMessage(tt.imported)}
		got, err := cohort.ImportParts(stored, imported, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
			func(string, int64) (int64, error) { return 100, nil })
		if strings.HasPrefix(tt.want, "images") {
			wantInvalid(t, err, tt.want)
			continue
		}
		if err != nil || string(got["images"]) != tt.want || len(got) != 1 {
			t.Errorf("%s: %s, error %v, want %s", tt.name, got, err, tt.want)
		}
	}
}

func TestCheckPartIDs(t *testing.T) {
	for id, field := range map[string]string{"1": "", "1000000000000000": "", "1000000000000001": "videos"} {
		err := cohort.CheckPartIDs(cohort.Details{"videos": json.RawMessage(`[{"video_id":"a"},{"id":` + id + `}]`)})
		if field == "" && err != nil {
			t.Errorf("%s: %v", id, err)
		} else if field != "" {
			wantInvalid(t, err, field)
		}
	}
}
