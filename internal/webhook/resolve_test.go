package webhook_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/webhook"
)

var quiet = log.New(io.Discard, "", 0)

const (
	typeA    = 1
	typeAAAA = 28
)

// resolver returns a resolver for which all names have one address, and how many questions
// it was asked.
func resolver(address func() netip.Addr) (r *net.Resolver, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	dial := func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe() // net.Resolver speaks as over TCP
		go func() {
			defer ours.Close()
			length := make([]byte, 2)
			if _, err := io.ReadFull(ours, length); err != nil {
				return
			}
			question := make([]byte, binary.BigEndian.Uint16(length))
			if _, err := io.ReadFull(ours, question); err != nil {
				return
			}
			asked.Add(1)
			response := respond(question, address())
			_, _ = ours.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(response))), response...)) //nolint:gosec // short
		}()
		return theirs, nil
	}
	return &net.Resolver{PreferGo: true, Dial: dial}, asked
}

// respond returns the DNS message that answers a question with an address, or with none if
// the question is for the other type of addresses.
func respond(question []byte, address netip.Addr) []byte {
	const header = 12
	end := header + bytes.IndexByte(question[header:], 0) + 5 // the name ends with a 0; type and class follow
	kind := binary.BigEndian.Uint16(question[end-4:])
	data := address.AsSlice()
	isAsked := kind == typeA && len(data) == 4 || kind == typeAAAA && len(data) == 16
	answers := byte(0)
	if isAsked {
		answers = 1
	}
	response := append([]byte{question[0], question[1], 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0}, question[header:end]...)
	if isAsked {
		// A pointer to the name, type, class, seconds to live, length and data.
		response = append(response, 0xc0, header, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(len(data)))
		response = append(response, data...)
	}
	return response
}

// A name that led to a public address when the hook was created is checked again for each
// connection.
func TestNameLeadsToAPrivateAddress(t *testing.T) {
	const destination = "https://hooks.example.com/?token=hush"
	for _, text := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00::1"} {
		lookup, asked := resolver(func() netip.Addr { return netip.MustParseAddr(text) })
		sender := webhook.New(webhook.Options{Resolver: lookup})
		if err := sender.CheckDestination(destination); err != nil || asked.Load() != 0 {
			t.Errorf("the check returns %v and looks up %d names", err, asked.Load())
		}
		for range 2 {
			before := asked.Load()
			answer := sender.Send(t.Context(), attempt(destination))
			if cohort.KindOf(answer.Err) != cohort.KindInvalid || !strings.Contains(message(answer.Err), "must be a public address") {
				t.Errorf("%s: %v", text, answer.Err)
			}
			if asked.Load() == before {
				t.Errorf("%s: the name was not looked up again", text)
			}
		}
	}
}

func TestPrivateAddressAtDelivery(t *testing.T) {
	answer := webhook.New(webhook.Options{}).Send(t.Context(), attempt("https://127.0.0.1/"))
	if cohort.KindOf(answer.Err) != cohort.KindInvalid || answer.Status != 0 {
		t.Errorf("answer %+v", answer)
	}
}

func TestUnknownName(t *testing.T) {
	lookup, _ := resolver(func() netip.Addr { return netip.Addr{} })
	answer := webhook.New(webhook.Options{Resolver: lookup}).Send(t.Context(), attempt("https://hooks.example.com/"))
	if want := "the host of the destination cannot be found: no such host"; message(answer.Err) != want {
		t.Errorf("error %v, want %s", answer.Err, want)
	}
}
