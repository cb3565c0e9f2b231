package pricing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// The headers of a call, besides Content-Type. docs/pricing-system.md tells who
// writes the other side what to do with them.
const (
	KeyHeader       = "Idempotency-Key"
	TimestampHeader = "Cohort-Timestamp" // Unix seconds
	SignatureHeader = "Cohort-Signature" // as Sign returns it
)

// MinSecret is how many bytes a secret has at least.
const MinSecret = 16

// Sign returns the signature of a body that is sent at a moment: HMAC-SHA256 over
// the Unix seconds in digits, a full stop and the body.
func Sign(secret []byte, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write(strconv.AppendInt(nil, at.Unix(), 10))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
