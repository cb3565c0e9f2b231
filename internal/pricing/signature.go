package pricing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// The headers of a call besides Content-Type; see docs/pricing-system.md.
const (
	KeyHeader       = "Idempotency-Key"
	TimestampHeader = "Cohort-Timestamp" // Unix seconds
	SignatureHeader = "Cohort-Signature" // as Sign returns it
)

// MinSecret is the length of the shortest secret, in bytes.
const MinSecret = 16

// Sign returns the signature of a body sent at the given time: HMAC-SHA256 over the Unix
// seconds in decimal, a full stop and the body, as "sha256=" and hex digits.
func Sign(secret []byte, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write(strconv.AppendInt(nil, at.Unix(), 10))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
