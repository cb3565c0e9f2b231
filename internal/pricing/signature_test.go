package pricing_test

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/pricing"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// The values of the example in docs/pricing-system.md.
const (
	exampleKey    = "ONQW24DMMUQGWZLZEBTG64RAMR"
	exampleSecret = "correct horse battery staple"
)

var exampleTime = time.Unix(1764000000, 999)

// example returns the two discounts of the example.
func example() (five, none service.SitewideDiscount) {
	none = service.SitewideDiscount{StoreHash: "abc", GroupID: 7, Version: 42, Key: exampleKey}
	five = none
	five.Rule = &cohort.DiscountRule{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(5)}
	return five, none
}

// The client sends exactly the bytes of the example in docs/pricing-system.md.
func TestWorkedExampleOfTheContract(t *testing.T) {
	contract, err := os.ReadFile("../../docs/pricing-system.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile(`(?m)^ +body +(.*)\n +signature +(.*)$`).FindAllStringSubmatch(string(contract), -1)
	if len(examples) != 2 {
		t.Fatalf("the contract has %d examples, want 2", len(examples))
	}
	for _, text := range []string{"`" + exampleSecret + "`", "`1764000000`", "POST /cohort HTTP/1.1"} {
		if !strings.Contains(string(contract), text) {
			t.Errorf("the contract lacks %s", text)
		}
	}
	system := newSystem(t)
	client := newClient(t, system.URL+"/cohort")
	five, none := example()
	for i, d := range []service.SitewideDiscount{five, none} {
		body, signature := examples[i][1], examples[i][2]
		if got := pricing.Sign([]byte(exampleSecret), exampleTime, []byte(body)); got != signature {
			t.Errorf("signature of %s: %s, want %s as in the contract", body, got, signature)
		}
		if err := client.PushSitewide(context.Background(), d); err != nil {
			t.Error(err)
		}
		call := system.last()
		if !bytes.Equal(call.body, []byte(body)) {
			t.Errorf("sent %s, want %s as in the contract", call.body, body)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/json", "Idempotency-Key": exampleKey,
			"Cohort-Timestamp": "1764000000", "Cohort-Signature": signature,
		} {
			if got := call.header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if call.method != "POST" || call.path != "/cohort" {
			t.Errorf("%s %s", call.method, call.path)
		}
	}
}

func TestSignatureDependsOnAllInputs(t *testing.T) {
	sign := func(secret string, at int64, body string) string {
		return pricing.Sign([]byte(secret), time.Unix(at, 0), []byte(body))
	}
	seen := map[string]bool{}
	for _, s := range []string{
		sign(exampleSecret, 1, "{}"), sign(exampleSecret+" ", 1, "{}"), sign(exampleSecret, 2, "{}"), sign(exampleSecret, 1, "{} "), sign(exampleSecret, 1, ""),
	} {
		if seen[s] {
			t.Errorf("two inputs have the signature %s", s)
		}
		seen[s] = true
	}
}
