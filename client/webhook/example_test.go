package webhook_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"cohort.example/cohort/client/webhook"
)

// A receiver, and the test of one: Sign makes the header of a message.
func Example() {
	receive := func(w http.ResponseWriter, r *http.Request) {
		m, err := webhook.Receive(r, "client-secret")
		if err != nil {
			http.Error(w, "not accepted", http.StatusBadRequest)
			return
		}
		if id, ok := m.Customer(); ok {
			fmt.Println(m.Scope, id)
		}
	}
	body := []byte(`{"scope":"store/customer/updated","producer":"stores/demo","data":{"type":"customer","id":32}}`)
	r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
	r.Header = webhook.Sign("client-secret", "message-1", time.Now(), body)
	receive(httptest.NewRecorder(), r)
	// Output: store/customer/updated 32
}
