package cohorttest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/cohorttest"
)

// message is what a receiver got.
type message struct {
	header http.Header
	body   string
}

// newReceiver returns the URL of a receiver and what it gets. The first failures messages get
// a 500.
func newReceiver(t *testing.T, failures int) (string, <-chan message) {
	t.Helper()
	got := make(chan message, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- message{r.Header, string(body)}
		if failures--; failures >= 0 { // one message at a time: they have one subject
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func nextMessage(t *testing.T, got <-chan message) message {
	t.Helper()
	select {
	case m := <-got:
		return m
	case <-time.After(30 * time.Second):
		t.Fatal("no message comes")
		return message{}
	}
}

// Price lists and their records are told from end to end.
func TestWebhooksOfPriceLists(t *testing.T) {
	t.Parallel()
	url, got := newReceiver(t, 0)
	c := cohorttest.Start(t)
	token := c.NewStore(t, cohort.Store{Hash: "managed", Catalog: cohort.CatalogManaged})
	target := c.Target()
	target.Vars = map[string]string{"store": "managed", "token": token}
	var products strings.Builder
	for i := range 3 {
		fmt.Fprintf(&products, `
POST /v3/catalog/products
send {"name":"Boot %d","type":"physical","weight":1,"price":50}
code == 200
`, i)
	}
	runScript(t, target, products.String()+`
POST /v3/hooks
send {"scope":"store/priceList/*","destination":"`+url+`","headers":{"X-Key":"a"}}
code == 200

POST /v3/pricelists
send {"name":"Net"}
code == 200

PUT /v3/pricelists/1
send {"active":false}
code == 200

PUT /v3/pricelists/1/records
send [{"variant_id":1,"currency":"usd","price":10},{"variant_id":2,"currency":"usd","price":10}]
code == 200

PUT /v3/pricelists/1/records/1/usd
send {"price":11}
code == 200

PUT /v3/pricelists/1/records
send [{"variant_id":2,"currency":"usd","price":12},{"variant_id":3,"currency":"usd","price":10}]
code == 200

DELETE /v3/pricelists/1/records/1/usd
code == 204

DELETE /v3/pricelists/1
code == 204
`)
	const record = `{"price_list_id":1,"variant_id":%d,"currency":"USD"}`
	for _, want := range []struct{ scope, data string }{
		{"created", `{"price_list_id":1}`},
		{"updated", `{"price_list_id":1}`},
		{"deactivated", `{"price_list_id":1}`},
		{"records/created", fmt.Sprintf("["+record+","+record+"]", 1, 2)},
		{"record/updated", fmt.Sprintf(record, 1)},
		{"records/created", fmt.Sprintf("["+record+"]", 3)},
		{"records/updated", fmt.Sprintf("["+record+"]", 2)},
		{"record/deleted", fmt.Sprintf(record, 1)},
		{"deleted", `{"price_list_id":1}`},
	} {
		m := nextMessage(t, got)
		pattern := `^\{"scope":"store/priceList/` + want.scope + `","store_id":"\d+","data":` + regexp.QuoteMeta(want.data) +
			`,"hash":"[0-9a-f]{40}","created_at":\d+,"producer":"stores/managed"\}$`
		if !regexp.MustCompile(pattern).MatchString(m.body) {
			t.Errorf("got %s, want %s %s", m.body, want.scope, want.data)
		}
		if m.header.Get("X-Key") != "a" || m.header.Get("Content-Type") != "application/json" || !signed(c.ClientSecret(t, "managed", token), m) {
			t.Errorf("header %v", m.header)
		}
	}
}

// signed reports whether a message has the signature of a secret.
func signed(secret string, m message) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s.%s", m.header.Get("webhook-id"), m.header.Get("webhook-timestamp"), m.body)
	return m.header.Get("webhook-signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// A message that fails comes again, as it was, when the clock of the store has moved. The
// message about the failure says that the clock can be moved.
func TestWebhookIsRepeatedByClock(t *testing.T) {
	t.Parallel()
	url, got := newReceiver(t, 1)
	exceptions, failed := newReceiver(t, 0)
	c := cohorttest.Start(t)
	store, token := c.TempStore(t)
	target := c.Target()
	target.Vars = map[string]string{"store": store, "token": token}
	runScript(t, target, `
POST /v3/hooks
send {"scope":"store/customerGroup/created","destination":"`+url+`"}
code == 200

POST /v3/hooks
send {"scope":"store/hook/deliveryException","destination":"`+exceptions+`"}
code == 200

POST /v2/customer_groups
send {"name":"Wholesale"}
code == 200
`)
	first := nextMessage(t, got)
	if m := nextMessage(t, failed); !strings.Contains(m.body, `"error_code":90001`) {
		t.Errorf("got %s", m.body)
	}
	c.Clock(store).Advance(t, time.Minute)
	again := nextMessage(t, got)
	if first.body != again.body || first.header.Get("webhook-id") != again.header.Get("webhook-id") || !strings.Contains(first.body, store) {
		t.Errorf("got %s %s, then %s %s", first.header.Get("webhook-id"), first.body, again.header.Get("webhook-id"), again.body)
	}
}

// runScript runs a script whose checks must hold.
func runScript(t *testing.T, target cohorttest.Target, script string) {
	t.Helper()
	err := cohorttest.RunScript(t.Context(), target, t.Name(), script, func(x cohorttest.Exchange) {
		for _, failure := range x.Failures {
			t.Error(failure)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
