package cohort_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
)

// adoptParts adopts a list of a product and returns it as it is stored. New ids begin at
// 100.
func adoptParts(t *testing.T, field, before, update string, now time.Time) (string, error) {
	t.Helper()
	stored := cohort.Details{"description": json.RawMessage(`"kept"`)}
	if before != "" {
		stored[field] = json.RawMessage(before)
	}
	next := int64(100)
	adopted, err := cohort.AdoptParts(stored, cohort.Details{field: json.RawMessage(update), "upc": json.RawMessage(`"1"`)}, now,
		func(kind string, n int64) (int64, error) {
			if want := strings.TrimSuffix(field, "s"); kind != want {
				t.Errorf("%s: ids of the kind %q, want %q", field, kind, want)
			}
			next += n
			return next - n, nil
		})
	if err == nil && (string(adopted["upc"]) != `"1"` || len(adopted) != 2) {
		t.Errorf("%s: the update lost or gained other fields: %v", field, adopted)
	}
	return string(adopted[field]), err
}

func TestAdoptParts(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	const image5 = `{"id":5,"image_url":"a","is_thumbnail":true,"date_modified":"2025-01-01T00:00:00Z"}`
	for _, tt := range []struct{ name, field, before, update, want string }{
		{"new", "custom_fields", "", `[{"name":"a","value":"1"},{"name":"b","value":"1"}]`, `[{"id":100,"name":"a","value":"1"},{"id":101,"name":"b","value":"1"}]`},
		{"by id", "custom_fields", `[{"id":5,"name":"a","value":"1"}]`, `[{"id":5,"name":"b","value":"2"}]`, `[{"id":5,"name":"b","value":"2"}]`},
		{
			"by key, in another order", "custom_fields", `[{"id":5,"name":"a","value":"1"},{"id":6,"name":"a","value":"2"}]`,
			`[{"name":"a","value":"2"},{"name":"a","value":"3"},{"name":"a","value":"1"}]`,
			`[{"id":6,"name":"a","value":"2"},{"id":100,"name":"a","value":"3"},{"id":5,"name":"a","value":"1"}]`,
		},
		{"name and value run together", "custom_fields", `[{"id":5,"name":"a","value":"bc"}]`, `[{"name":"ab","value":"c"}]`, `[{"id":100,"name":"ab","value":"c"}]`},
		{
			"the id counts before the key", "custom_fields", `[{"id":5,"name":"a","value":"1"}]`, `[{"name":"a","value":"1"},{"id":5,"name":"b","value":"1"}]`,
			`[{"id":100,"name":"a","value":"1"},{"id":5,"name":"b","value":"1"}]`,
		},
		{"foreign id", "custom_fields", `[{"id":5,"name":"a","value":"1"}]`, `[{"id":7,"name":"a","value":"1"}]`, `[{"id":100,"name":"a","value":"1"}]`},
		{"unchanged image", "images", `[` + image5 + `]`, `[{"id":5}]`, `[` + image5 + `]`},
		{"unchanged image by address", "images", `[` + image5 + `]`, `[{"image_url":"a","is_thumbnail":true}]`, `[` + image5 + `]`},
		{"image by address replaces all fields", "images", `[` + image5 + `]`, `[{"image_url":"a"}]`, `[{"id":5,"image_url":"a","date_modified":"2026-01-31T12:00:00Z"}]`},
		{
			"image by id keeps fields", "images", `[` + image5 + `]`, `[{"id":5,"image_url":"b"}]`,
			`[{"id":5,"image_url":"b","is_thumbnail":true,"date_modified":"2026-01-31T12:00:00Z"}]`,
		},
		{
			"one address twice", "images", `[` + image5 + `]`, `[{"image_url":"a","is_thumbnail":true},{"image_url":"a"}]`,
			`[` + image5 + `,{"id":100,"image_url":"a","date_modified":"2026-01-31T12:00:00Z"}]`,
		},
		{"video by video_id", "videos", `[{"id":5,"title":"t","video_id":"x"}]`, `[{"title":"u","video_id":"x"}]`, `[{"id":5,"title":"u","video_id":"x"}]`},
		{"none", "videos", `[{"id":5,"video_id":"x"}]`, `[]`, `[]`},
		{"id twice", "videos", "", `[{"id":5,"video_id":"x"},{"id":5,"video_id":"y"}]`, "videos.1.id: "},
		{"no video_id", "videos", "", `[{"title":"x"}]`, "videos.0.video_id: "},
		{"no address", "images", "", `[{"image_url":"a"},{"id":5}]`, "images.1.image_url: "},
		{"same name and value", "custom_fields", "", `[{"name":"a","value":"1"},{"name":"a","value":"1"}]`, "custom_fields.1: "},
		{"too long", "images", "", `[{"image_url":"a","description":"` + strings.Repeat("x", 1<<19) + `"}]`, "524288 bytes"},
	} {
		got, err := adoptParts(t, tt.field, tt.before, tt.update, now)
		if err != nil {
			got = fmt.Sprint(err)
			if !strings.Contains(got, tt.want) || cohort.KindOf(err) != cohort.KindInvalid {
				t.Errorf("%s: error %v, want a KindInvalid one with %q", tt.name, err, tt.want)
			}
			continue
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestPartBounds(t *testing.T) {
	for field, most := range map[string]int{"custom_fields": 200, "images": 1000, "videos": 1000} {
		for _, part := range cohort.ProductParts {
			if part.Name != field {
				continue
			}
			list := func(n int) json.RawMessage {
				return json.RawMessage("[" + strings.TrimSuffix(strings.Repeat(`{"name":"a","value":"b"},`, n), ",") + "]")
			}
			if field != "custom_fields" {
				list = func(n int) json.RawMessage {
					return json.RawMessage("[" + strings.TrimSuffix(strings.Repeat(`{},`, n), ",") + "]")
				}
			}
			if _, err := part.Parse(list(most)); err != nil {
				t.Errorf("%d %s: %v", most, field, err)
			}
			if _, err := part.Parse(list(most + 1)); cohort.KindOf(err) != cohort.KindInvalid {
				t.Errorf("%d %s: %v, want KindInvalid", most+1, field, err)
			}
		}
	}
}
