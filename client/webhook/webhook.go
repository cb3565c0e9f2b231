// Package webhook checks and reads the messages of webhooks, as Cohort signs them: in the
// form of Standard Webhooks, with the client secret of the token that created the webhook.
//
//	func receive(w http.ResponseWriter, r *http.Request) {
//		m, err := webhook.Receive(r, secret)
//		if err != nil {
//			http.Error(w, "not accepted", http.StatusBadRequest)
//			return
//		}
//		if id, ok := m.Customer(); ok {
//			…
//		}
//	}
//
// A message may come twice: skip a [Message.ID] that was processed.
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// maxMessageBytes is the length of a message, in bytes.
	maxMessageBytes = 1 << 20
	// maxSignatures is how many signatures of a message are compared.
	maxSignatures = 16
	// tolerance is how old a message may be, or how far in the future.
	tolerance = 5 * time.Minute
)

var (
	// ErrSignature is a message that no secret has signed.
	ErrSignature = errors.New("the signature of the webhook is not valid")
	// ErrTime is a message that is too old, which may be a recorded one, or that is in the
	// future.
	ErrTime = errors.New("the time of the webhook is not near the present")
	// ErrMessage is a message that cannot be read.
	ErrMessage = errors.New("the webhook has not the form of a message")
)

// Message says what has changed, and not how: read the resource for its state.
type Message struct {
	// ID is the same when the message is sent again.
	ID string `json:"-"`
	// Scope is what happened: "store/customer/updated".
	Scope string `json:"scope"`
	// StoreID is the number of the store. Producer is "stores/" and the store hash.
	StoreID  string          `json:"store_id"`
	Producer string          `json:"producer"`
	Hash     string          `json:"hash"`
	Data     json.RawMessage `json:"data"`
	// CreatedAt is the time of the change, in Unix seconds.
	CreatedAt int64 `json:"created_at"`
}

// Receive reads a message from a request, at most 1 MiB, and checks its signature. Several
// secrets may be valid, as after their rotation.
func Receive(r *http.Request, secrets ...string) (Message, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxMessageBytes+1))
	if err != nil {
		return Message{}, fmt.Errorf("read the webhook: %w", err)
	}
	if len(body) > maxMessageBytes {
		return Message{}, fmt.Errorf("%w: it has more than %d bytes", ErrMessage, maxMessageBytes)
	}
	return Verify(r.Header, body, time.Now(), secrets...)
}

// Verify checks the signature of a message at a time, and reads it. The body is as it was
// received. A message that is more than 5 minutes away from the time is an [ErrTime].
func Verify(h http.Header, body []byte, now time.Time, secrets ...string) (Message, error) {
	id, sent := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(sent, 10, 64)
	if err != nil || id == "" {
		return Message{}, fmt.Errorf("%w: it has no id or no time", ErrSignature)
	}
	if !signedByOne(h.Get("Webhook-Signature"), id, sent, body, secrets) {
		return Message{}, ErrSignature
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return Message{}, ErrTime
	}
	return parse(id, body)
}

// signedByOne compares all signatures with those of all secrets.
func signedByOne(header, id, sent string, body []byte, secrets []string) (ok bool) {
	given := strings.Fields(header)
	given = given[:min(len(given), maxSignatures)]
	for _, secret := range secrets {
		if secret == "" {
			continue // it is no secret
		}
		want := signature(secret, id, sent, body)
		for _, one := range given {
			ok = hmac.Equal([]byte(one), []byte(want)) || ok
		}
	}
	return ok
}

func signature(secret, id, sent string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s.", id, sent)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func parse(id string, body []byte) (Message, error) {
	m := Message{ID: id}
	var wire struct {
		*Message
		StoreID json.RawMessage `json:"store_id"` // a text, or a number
	}
	wire.Message = &m
	if err := json.Unmarshal(body, &wire); err != nil {
		return Message{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if m.Scope == "" {
		return Message{}, fmt.Errorf("%w: it has no scope", ErrMessage)
	}
	m.StoreID = strings.Trim(string(wire.StoreID), `"`)
	return m, nil
}

// Sign returns the header of a message, for tests of a receiver.
func Sign(secret, id string, at time.Time, body []byte) http.Header {
	sent := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", sent)
	h.Set("Webhook-Signature", signature(secret, id, sent, body))
	return h
}

// Time returns the time of the change.
func (m Message) Time() time.Time { return time.Unix(m.CreatedAt, 0).UTC() }

// Store returns the hash of the store.
func (m Message) Store() (hash string, ok bool) { return strings.CutPrefix(m.Producer, "stores/") }

// data is what messages about customers, addresses, groups and price lists have.
type data struct {
	Type        string `json:"type"`
	ID          int64  `json:"id"`
	PriceListID int64  `json:"price_list_id"`
	CustomerID  int64  `json:"customer_id"`
	Address     struct {
		CustomerID int64 `json:"customer_id"`
	} `json:"address"`
	Member struct {
		CustomerID int64 `json:"customer_id"`
	} `json:"member"`
}

// is reads the data if the scope begins with a text.
func (m Message) is(scope string) (d data, ok bool) {
	if !strings.HasPrefix(m.Scope, scope) || json.Unmarshal(m.Data, &d) != nil {
		return data{}, false
	}
	return d, true
}

// Customer returns the customer that a message is about: one that was created, changed or
// deleted, whose address was, or who joined or left a group.
func (m Message) Customer() (id int64, ok bool) {
	if d, ok := m.is("store/customerGroup/member/"); ok {
		return d.Member.CustomerID, d.Member.CustomerID > 0
	}
	d, ok := m.is("store/customer/")
	if !ok {
		return 0, false
	}
	for _, id := range []int64{d.Address.CustomerID, d.CustomerID, d.ID} {
		if id > 0 {
			return id, true
		}
	}
	return 0, false
}

// Group returns the customer group that a message is about.
func (m Message) Group() (id int64, ok bool) {
	d, ok := m.is("store/customerGroup/")
	return d.ID, ok && d.ID > 0
}

// PriceList returns the price list that a message is about.
func (m Message) PriceList() (id int64, ok bool) {
	d, ok := m.is("store/priceList/")
	return d.PriceListID, ok && d.PriceListID > 0
}
