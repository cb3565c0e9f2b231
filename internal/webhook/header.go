package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort/internal/service"
)

// The headers of Standard Webhooks.
const (
	idHeader        = "Webhook-Id"
	timestampHeader = "Webhook-Timestamp"
	signatureHeader = "Webhook-Signature"
)

// notOfHooks are headers that a hook cannot set, because they belong to the connection.
var notOfHooks = []string{
	"Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// header returns the header of a request without its signature. What Cohort sets takes
// precedence over what the hook sets.
func header(a service.HookAttempt) http.Header {
	h := http.Header{}
	for name, value := range a.Headers {
		if name = textproto.CanonicalMIMEHeaderKey(name); !slices.Contains(notOfHooks, name) {
			h.Set(name, value)
		}
	}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "cohort")
	h.Set(idHeader, a.ID)
	h.Set(timestampHeader, strconv.FormatInt(a.Timestamp.Unix(), 10))
	h.Del(signatureHeader)
	if _, ok := h["Idempotency-Key"]; !ok {
		// Without values it is not sent. It lets net/http send again on a new connection
		// if the receiver has closed the idle one. Receivers know a repetition by its id.
		h["Idempotency-Key"] = nil
	}
	return h
}

// sign adds the signatures of a message, one for each secret.
func sign(h http.Header, a service.HookAttempt) {
	var signatures []string
	for _, secret := range a.Secrets {
		if secret != "" {
			signatures = append(signatures, signature(secret, h.Get(idHeader), h.Get(timestampHeader), a.Body))
		}
	}
	if len(signatures) > 0 {
		h.Set(signatureHeader, strings.Join(signatures, " "))
	}
}

// signature returns the signature of a message. Its key is the secret as it is.
func signature(secret, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// hidden takes the place of a value that looks like a credential.
const hidden = "(hidden)"

// credentials are parts of the names of headers whose values are not logged.
var credentials = []string{"auth", "cookie", "credential", "key", "pass", "secret", "session", "signature", "token"}

// logged returns a header for the log of deliveries, which other people may read than those
// who have set the headers of the hook.
func logged(h http.Header, ofHook map[string]string) map[string]string {
	secret := map[string]bool{}
	for name := range ofHook {
		lower := strings.ToLower(name)
		isPart := func(part string) bool { return strings.Contains(lower, part) }
		secret[textproto.CanonicalMIMEHeaderKey(name)] = slices.ContainsFunc(credentials, isPart)
	}
	log := make(map[string]string, len(h))
	for name, values := range h {
		switch {
		case len(values) == 0: // not sent
		case secret[name]:
			log[name] = hidden
		default:
			log[name] = strings.Join(values, ", ")
		}
	}
	return log
}
