package apiv3

import (
	"net/http"
	"strings"
	"testing"

	"cohort.example/cohort"
)

// FuzzSegmentBodies sends bodies to the decoders of segments, shopper profiles and
// metafields. Every error must be a client error, and what is accepted must be within the
// bounds.
func FuzzSegmentBodies(f *testing.F) {
	const id = `"1465BB16-eb7d-4fba-8312-0ea9d88cd6e9"`
	for _, body := range []string{
		``, `[]`, `{}`, `null`, `[{}]`, `[` + id + `]`, `["x",7,null,{}]`, `[` + strings.Repeat(id+",", 50) + id + `]`,
		`[{"id":` + id + `,"name":"x","description":null,"created_at":1}]`, `[{"id":7},{"id":"{}"}]`,
		`[{"resource_id":1,"id":2,"namespace":"n","key":"k","value":"v","permission_set":"read"}]`,
		`{"namespace":"n","key":"k","value":"v","permission_set":"read","description":7}`,
		`[{"customer_id":7,"created_at":null},{"customer_id":0}]`, `[{"customer_id":"7"}]`,
		`[{"resource_id":"1","id":1.5,"namespace":7,"key":null,"value":[],"permission_set":{}}]`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		ids, err := decodeUUIDArray(post(body), cohort.MaxProfilesAdded)
		mustBeClientError(t, body, err)
		if err == nil && (len(ids) == 0 || len(ids) > cohort.MaxProfilesAdded) {
			t.Errorf("%q: %d ids", body, len(ids))
		}
		segments, err := decodeBatch(post(body), cohort.MaxSegmentsWritten, segmentFields, "id")
		mustBeClientError(t, body, err)
		for _, s := range segments {
			if err == nil {
				ids = append(ids, s.ID)
			}
		}
		for _, id := range ids {
			if id != "" && (!cohort.IsUUID(id) || id != strings.ToLower(id)) {
				t.Errorf("%q: the id %q is accepted", body, id)
			}
		}
		fields, err := decodeShapes(post(body), cohort.MaxMetafieldsWritten, http.StatusUnprocessableEntity, newMetafieldsFields, "resource_id", "key")
		mustBeClientError(t, body, err)
		for _, u := range fields {
			if err == nil && u.Key == nil {
				t.Errorf("%q: a metafield without key is accepted", body)
			}
		}
		changed, err := decodeShapes(post(body), cohort.MaxMetafieldsWritten, http.StatusUnprocessableEntity, changedMetafieldsFields, "id")
		mustBeClientError(t, body, err)
		if err == nil && (len(changed) == 0 || len(changed) > cohort.MaxMetafieldsWritten) {
			t.Errorf("%q: %d changes of metafields", body, len(changed))
		}
		_, err = decodeShape(post(body), metafieldFields, "namespace", "key", "value", "permission_set")
		mustBeClientError(t, body, err)
		customers, err := decodeBatch(post(body), cohort.MaxProfilesCreated, profileFields, "customer_id")
		mustBeClientError(t, body, err)
		for _, id := range customers {
			if err == nil && id < 1 {
				t.Errorf("%q: a profile of the customer %d is accepted", body, id)
			}
		}
	})
}

// FuzzDeletionQueries sends queries to the decoders of deletions. A query that names
// anything never deletes everything.
func FuzzDeletionQueries(f *testing.F) {
	for _, query := range []string{
		"", "&", "id:in=", "id:in=1465BB16-eb7d-4fba-8312-0ea9d88cd6e9", "id:in=1,2", "id=7", "id%3Ain=%zz", "id:in=1,,2",
		"id:in=1465bb16-eb7d-4fba-8312-0ea9d88cd6e9&id:in=1465bb16-eb7d-4fba-8312-0ea9d88cd6e0",
		"id:in=&id:in=1465bb16-eb7d-4fba-8312-0ea9d88cd6e9", "id:in&id%3ain", "id:in=1&x=2&id:in=3%2C4",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		ids, err := decodeUUIDs(queried(query))
		mustBeClientError(t, query, err)
		if err == nil && ids == nil && strings.Trim(query, "&") != "" {
			t.Errorf("%q deletes everything", query)
		}
		if len(ids) > cohort.MaxSegmentUUIDs {
			t.Errorf("%q: %d ids", query, len(ids))
		}
		numbers, err := decodeDeletion(queried(query), metafieldDeletionFilters)
		mustBeClientError(t, query, err)
		if err == nil && (numbers == nil || len(numbers) > cohort.MaxMetafieldsDeleted) {
			t.Errorf("%q: %d ids", query, len(numbers))
		}
	})
}
