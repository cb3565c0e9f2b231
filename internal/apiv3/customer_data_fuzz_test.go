package apiv3

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func FuzzAttributeBodies(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `[]`, `[{}]`, `null`, `[7]`,
		`[{"name":"Age","type":"number"},{"name":" Größe ","type":"date","id":7,"date_created":null}]`,
		`[{"id":1,"name":"\u0000","type":"string"}]`,
		`[{"id":9223372036854775808,"name":7,"type":["string"]}]`,
		`[{"name":"\ud800","type":"String","unknown":1}]`,
		`[{},{},{},{},{},{},{},{},{},{},{}]`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		created, err := decodeShapes(post(body), cohort.MaxAttributesPut, http.StatusUnprocessableEntity, newAttributeFields, "name", "type")
		mustBeClientError(t, body, err)
		updates, updateErr := decodeShapes(post(body), cohort.MaxAttributesPut, http.StatusUnprocessableEntity, attributeFields, "id")
		mustBeClientError(t, body, updateErr)
		if err == nil && (len(created) == 0 || len(created) > cohort.MaxAttributesPut) {
			t.Errorf("%q: %d attributes", body, len(created))
		}
		for i, a := range created {
			if err == nil && updateErr == nil && (*updates[i].Name != a.Name || *updates[i].Type != a.Type) {
				t.Errorf("%q is read differently in an update: %+v and %+v", body, a, updates[i])
			}
			a = a.Normalized()
			if a.Validate() != nil {
				continue
			}
			back := readBack(t, attributeToWire(a), attributeFields, "id")
			if diff := cmp.Diff(a, back.Apply(cohort.Attribute{ID: back.ID})); diff != "" {
				t.Errorf("%q: the response differs from the attribute (-attribute +response):\n%s", body, diff)
			}
		}
	})
}

func FuzzAttributeValueBodies(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `[]`, `[{}]`, `null`, `[7]`,
		`[{"attribute_id":1,"customer_id":2,"value":"x"}]`,
		`[{"attribute_id":1,"customer_id":2,"value":"x","id":7},{"attribute_id":-1,"customer_id":0,"value":""}]`,
		`[{"attribute_id":"1","customer_id":1.5,"value":7}]`,
		`[{"attribute_id":1e3,"customer_id":9223372036854775808,"value":"\u2028<&>"}]`,
		`[{"attribute_id":1,"customer_id":2,"attribute_value":"x"}]`,
		`[{},{},{},{},{},{},{},{},{},{},{}]`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		values, err := decodeShapes(post(body), cohort.MaxAttributeValues, http.StatusUnprocessableEntity, attributeValueFields,
			"attribute_id", "value", "customer_id")
		mustBeClientError(t, body, err)
		if err == nil && (len(values) == 0 || len(values) > cohort.MaxAttributeValues) {
			t.Errorf("%q: %d values", body, len(values))
		}
		for _, v := range values {
			if cohort.AttributeString.CheckValue("value", v.Value) != nil {
				continue
			}
			w := attributeValueToWire(v)
			sent := map[string]any{"id": w.ID, "customer_id": w.CustomerID, "attribute_id": w.AttributeID, "value": w.AttributeValue}
			if diff := cmp.Diff(v, readBack(t, sent, attributeValueFields)); diff != "" {
				t.Errorf("%q: the response differs from the value (-value +response):\n%s", body, diff)
			}
		}
	})
}

func FuzzFormFieldBodies(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `[]`, `[{}]`, `null`, `[7]`,
		`[{"customer_id":1,"name":"x","value":"y"},{"address_id":1,"customer_id":null,"name":"x","value":["a","",""]}]`,
		`[{"customer_id":1,"address_id":1,"name":"x","value":12.50},{"name":"x","value":-0e-1}]`,
		`[{"customer_id":"1","name":7,"value":true}]`,
		`[{"customer_id":1,"name":"x","value":1e99999},{"customer_id":1,"name":"x","value":null}]`,
		`[{"customer_id":1,"name":"x","value":[1]},{"customer_id":1,"name":"x","value":[]}]`,
		`[{"customer_id":-1,"name":"\ud800","value":"12.5"}]`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		fields, err := decodeShapes(post(body), cohort.MaxFormFieldsPut, http.StatusUnprocessableEntity, formFieldFields, "name", "value")
		mustBeClientError(t, body, err)
		if err == nil && (len(fields) == 0 || len(fields) > cohort.MaxFormFieldsPut) {
			t.Errorf("%q: %d form fields", body, len(fields))
		}
		for _, field := range fields {
			if field.Validate() != nil {
				continue
			}
			back := readBack(t, formFieldToWire(field), formFieldFields, "name", "value")
			if diff := cmp.Diff(field, back, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%q: the response differs from the form field (-field +response):\n%s", body, diff)
			}
		}
		// The form fields in the body of a customer are the same without an owner.
		v, err := parseBody(post(body))
		if err != nil {
			return
		}
		_, err = readFormFields(v)
		mustBeClientError(t, body, err)
	})
}

// readBack reads the response to an item as an item of a request.
func readBack[T any](t *testing.T, item any, table api.Fields[T], required ...string) T {
	t.Helper()
	body, err := json.Marshal([]any{item})
	if err != nil {
		t.Fatal(err)
	}
	items, err := decodeShapes(post(string(body)), 1, http.StatusUnprocessableEntity, table, required...)
	if err != nil || len(items) != 1 {
		t.Fatalf("%s: %d items, error %v", body, len(items), err)
	}
	return items[0]
}

// FuzzConsentBodies sends bodies to the decoder of consents. An accepted consent is valid
// and can be read back from the response.
func FuzzConsentBodies(f *testing.F) {
	for _, body := range []string{
		``, `[]`, `{}`, `null`, `{"allow":[],"deny":[]}`, `{"allow":["essential"]}`, `{"allow":null,"deny":{}}`,
		`{"allow":["essential","analytics"],"deny":["targeting"],"updated_at":7}`, `{"allow":["essential"],"deny":["essential"]}`,
		`{"allow":["Essential",7,null],"deny":[[]]}`, `{"allow":["a","b","c","d","e"],"deny":["\ud800"]}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		c, err := decodeShape(post(body), consentFields, "allow", "deny")
		mustBeClientError(t, body, err)
		if err != nil {
			return
		}
		err = c.Validate()
		mustBeClientError(t, body, err)
		if err == nil && len(c.Allow)+len(c.Deny) > cohort.MaxConsentCategories {
			t.Errorf("%q: the consent %+v has more categories than there are", body, c)
		}
		w := httptest.NewRecorder()
		if err := writeConsent(w, c, time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
		back, err := decodeShape(post(w.Body.String()), consentFields, "allow", "deny")
		if diff := cmp.Diff(c, back, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%q: error %v; the response differs from the consent (-consent +response):\n%s", body, err, diff)
		}
	})
}
