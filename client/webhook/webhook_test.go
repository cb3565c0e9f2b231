package webhook

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const body = `{"scope":"store/customer/updated","store_id":"1000001","data":{"type":"customer","id":32},"hash":"dc3a","created_at":1561480214,"producer":"stores/abc"}`

func TestVerify(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	signed := func(change func(http.Header)) http.Header {
		h := Sign("s3cret", "m1", now, []byte(body))
		change(h)
		return h
	}
	none := func(http.Header) {}
	for name, c := range map[string]struct {
		header  http.Header
		body    string
		now     time.Time
		secrets []string
		want    error
	}{
		"valid":             {signed(none), body, now, []string{"s3cret"}, nil},
		"the second secret": {signed(none), body, now, []string{"new", "s3cret"}, nil},
		"the second signature": {signed(func(h http.Header) {
			h.Set("Webhook-Signature", "v1,AAAA v2,x "+h.Get("Webhook-Signature"))
		}), body, now, []string{"s3cret"}, nil},
		"five minutes late": {signed(none), body, now.Add(5 * time.Minute), []string{"s3cret"}, nil},
		"too late":          {signed(none), body, now.Add(5*time.Minute + time.Second), []string{"s3cret"}, ErrTime},
		"too early":         {signed(none), body, now.Add(-5*time.Minute - time.Second), []string{"s3cret"}, ErrTime},
		"another secret":    {signed(none), body, now, []string{"other"}, ErrSignature},
		"no secret":         {signed(none), body, now, nil, ErrSignature},
		"an empty secret":   {Sign("", "m1", now, []byte(body)), body, now, []string{""}, ErrSignature},
		"another body":      {signed(none), body + " ", now, []string{"s3cret"}, ErrSignature},
		"another id":        {signed(func(h http.Header) { h.Set("Webhook-Id", "m2") }), body, now, []string{"s3cret"}, ErrSignature},
		"another time":      {signed(func(h http.Header) { h.Set("Webhook-Timestamp", "1700000001") }), body, now, []string{"s3cret"}, ErrSignature},
		"no time":           {signed(func(h http.Header) { h.Del("Webhook-Timestamp") }), body, now, []string{"s3cret"}, ErrSignature},
		"no signature":      {signed(func(h http.Header) { h.Del("Webhook-Signature") }), body, now, []string{"s3cret"}, ErrSignature},
		"too many of them": {signed(func(h http.Header) {
			h.Set("Webhook-Signature", strings.Repeat("v1,A ", 16)+h.Get("Webhook-Signature"))
		}), body, now, []string{"s3cret"}, ErrSignature},
		"the lowest number":   {Sign("s3cret", "m1", time.Unix(-1<<62, 0), []byte(body)), body, now, []string{"s3cret"}, ErrTime},
		"no JSON":             {Sign("s3cret", "m1", now, []byte("x")), "x", now, []string{"s3cret"}, ErrMessage},
		"a message of nobody": {Sign("s3cret", "m1", now, []byte("{}")), "{}", now, []string{"s3cret"}, ErrMessage},
	} {
		m, err := Verify(c.header, []byte(c.body), c.now, c.secrets...)
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if (m.ID == "m1") != (c.want == nil) {
			t.Errorf("%s: the message is %+v", name, m)
		}
	}
}

// TestKnownSignature has the figures of a signature that was computed by hand with openssl:
// printf 'm1.1700000000.{"scope":"a"}' | openssl dgst -sha256 -hmac s3cret -binary | base64
func TestKnownSignature(t *testing.T) {
	h := Sign("s3cret", "m1", time.Unix(1_700_000_000, 0), []byte(`{"scope":"a"}`))
	if got, want := h.Get("Webhook-Signature"), "v1,UlWnsca/zij93Jp4OcmLIbgdXXSwdxiD2fLY4LsM2aw="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestReceive(t *testing.T) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header = Sign("s3cret", "m1", time.Now(), []byte(body))
	m, err := Receive(r, "s3cret")
	if err != nil || m.Scope != "store/customer/updated" || m.StoreID != "1000001" || m.Hash != "dc3a" || !m.Time().Equal(time.Unix(1561480214, 0)) {
		t.Errorf("got %+v, %v", m, err)
	}
	if store, ok := m.Store(); store != "abc" || !ok {
		t.Errorf("the store is %s", store)
	}
	long := strings.Repeat(" ", maxMessageBytes) + body
	r = httptest.NewRequest("POST", "/", strings.NewReader(long))
	r.Header = Sign("s3cret", "m1", time.Now(), []byte(long))
	if _, err := Receive(r, "s3cret"); !errors.Is(err, ErrMessage) {
		t.Errorf("a long message: %v", err)
	}
	r = httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("{"), broken{}))
	if _, err := Receive(r, "s3cret"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a message that breaks off: %v", err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestSubjects(t *testing.T) {
	for _, c := range []struct {
		scope, data            string
		customer, group, price int64
	}{
		{"store/customer/created", `{"type":"customer","id":32}`, 32, 0, 0},
		{"store/customer/address/updated", `{"type":"customer","id":5,"address":{"customer_id":32}}`, 32, 0, 0},
		{"store/customer/channel/login/access/updated", `{"customer_id":32,"channel_ids":[1]}`, 32, 0, 0},
		{"store/customerGroup/member/added", `{"type":"customerGroup","id":4,"member":{"customer_id":32}}`, 32, 4, 0},
		{"store/customerGroup/deleted", `{"type":"customerGroup","id":4,"members_unassigned":7}`, 0, 4, 0},
		{"store/priceList/updated", `{"price_list_id":6}`, 0, 0, 6},
		{"store/priceList/records/updated", `[{"price_list_id":6}]`, 0, 0, 0},
		{"store/product/updated", `{"type":"product","id":32}`, 0, 0, 0},
		{"store/customer/created", `{"id":"x"}`, 0, 0, 0},
		{"store/customer/created", `null`, 0, 0, 0},
		{"store/customer/created", `{"id":-1}`, 0, 0, 0},
	} {
		m := Message{Scope: c.scope, Data: []byte(c.data)}
		for name, got := range map[string]struct {
			read func() (int64, bool)
			want int64
		}{"customer": {m.Customer, c.customer}, "group": {m.Group, c.group}, "price list": {m.PriceList, c.price}} {
			if id, ok := got.read(); ok != (got.want > 0) || ok && id != got.want {
				t.Errorf("%s %s: the %s is %d, %t, want %d", c.scope, c.data, name, id, ok, got.want)
			}
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("m1", "1700000000", "v1,AAAA", body)
	f.Fuzz(func(t *testing.T, id, sent, signature, text string) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {sent}, "Webhook-Signature": {signature}}
		if _, err := Verify(h, []byte(text), time.Unix(1_700_000_000, 0), "a secret that the input does not know"); err == nil {
			t.Error("a message without a signature is accepted")
		}
		_, _ = parse(id, []byte(text))
		m := Message{Scope: "store/customer/" + id, Data: []byte(text)}
		if id, ok := m.Customer(); ok && id <= 0 {
			t.Errorf("a customer %d", id)
		}
	})
}
