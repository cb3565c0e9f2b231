package apiv3

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"cohort.example/cohort"
)

// FuzzTreeBodies sends bodies to the decoders of trees and their categories. Every error
// must be a client error, and what is accepted must be within the bounds.
func FuzzTreeBodies(f *testing.F) {
	for _, body := range []string{
		``, `[]`, `{}`, `null`, `[{}]`, `[7]`, `[` + strings.Repeat("{},", cohort.MaxCategoryTreesWritten) + `{}]`,
		`[{"id":1,"name":"x","channels":[2]},{"name":null,"channels":{}},{"id":"7","channels":[0,"3"]}]`,
		`[{"category_id":1,"tree_id":2,"parent_id":0,"name":"Bath","url":{"path":"/a\"/","is_customized":false}}]`,
		`[{"category_id":"1","category_uuid":7,"views":"7","url":{"is_customized":true,"path":"{\"path\":"},"meta_keywords":["a",null]}]`,
		`[{"category_id":1.5,"tree_id":null,"url":{"path":"x","url":"y"},"custom_url":{"url":"/"}}]`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		trees, err := decodeTrees(post(body))
		mustBeClientError(t, body, err)
		if err == nil && (len(trees) == 0 || len(trees) > cohort.MaxCategoryTreesWritten) {
			t.Errorf("%q: %d trees", body, len(trees))
		}
		categories, err := decodeBatch(post(body), cohort.MaxCategoriesWritten, treeCategoryFields, "category_id")
		mustBeClientError(t, body, err)
		if err != nil {
			return
		}
		for _, u := range categories {
			checkTreeCategory(t, body, u)
		}
	})
}

// checkTreeCategory checks that a category has an id, and that its URL is the same in both
// APIs.
func checkTreeCategory(t *testing.T, body string, u cohort.CategoryUpdate) {
	t.Helper()
	if u.ID < 1 || u.TreeID != nil && *u.TreeID < 1 {
		t.Errorf("%q: category %d in tree %v", body, u.ID, u.TreeID)
	}
	c := u.Apply(cohort.Category{ID: u.ID})
	wire, err := json.Marshal(object[treeCategory]{treeCategoryMembers, treeCategory{c, "abc"}})
	if err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	var got struct {
		UUID string `json:"category_uuid"`
		URL  struct{ Path string }
	}
	if err := json.Unmarshal(wire, &got); err != nil || bytes.Contains(wire, []byte(`"custom_url":`)) {
		t.Errorf("%q: %s (%v)", body, wire, err)
	}
	if url := c.URL(); url != "" && got.URL.Path != url {
		t.Errorf("%q: the path is %q, and the stored URL %q", body, got.URL.Path, url)
	}
	if cohort.CategoryIDOfUUID("abc", got.UUID) != u.ID && u.ID < 1<<62 { // a UUID has room for no larger id
		t.Errorf("%q: the UUID %s is not that of %d", body, got.UUID, u.ID)
	}
}
