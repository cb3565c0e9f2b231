package cohort

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Normalized returns the hook in its stored form: without a slash at the end of its scope,
// which the vendor's list of scopes has in some names.
func (h Hook) Normalized() Hook {
	h.Scope = strings.TrimSuffix(h.Scope, "/")
	return h
}

// Validate checks a normalized hook, except whether its destination may be called. It returns
// a KindInvalid error that names the invalid field.
func (h Hook) Validate() error {
	if !IsHookScope(h.Scope) {
		return Invalid("scope", "There is no such scope.")
	}
	if err := checkDestination(h.Destination); err != nil {
		return err
	}
	return checkHookHeaders(h.Headers)
}

func checkDestination(destination string) error {
	if len(destination) > MaxHookDestination {
		return Invalid("destination", fmt.Sprintf("The value must have at most %d bytes.", MaxHookDestination))
	}
	u, err := url.Parse(destination)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !isVisibleASCII(destination) {
		return Invalid("destination", "The value must be a URL that begins with https:// or http:// and has printable ASCII characters only.")
	}
	if strings.Contains(destination, "#") {
		return Invalid("destination", "The URL must have no fragment.")
	}
	return nil
}

// isVisibleASCII reports whether a text has printable ASCII characters only, without spaces.
func isVisibleASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// reservedHeaders are the headers that a hook cannot set, in lower case: those that belong to
// the connection, and the length of the body.
var reservedHeaders = []string{
	"connection", "content-encoding", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer",
	"transfer-encoding", "upgrade",
}

func checkHookHeaders(headers map[string]string) error {
	if len(headers) > MaxHookHeaders {
		return Invalid("headers", fmt.Sprintf("A webhook may have at most %d headers.", MaxHookHeaders))
	}
	size := 0
	seen := map[string]bool{}
	for name, value := range headers {
		lower := strings.ToLower(name)
		switch {
		case !isHeaderName(name):
			return Invalid("headers", "The name of a header has letters, digits and !#$%&'*+-.^_`|~ only.")
		case slices.Contains(reservedHeaders, lower) || strings.HasPrefix(lower, "webhook-"):
			return Invalid("headers", "A webhook cannot set the header "+name+".")
		case !isHeaderValue(value):
			return Invalid("headers", "The value of a header has printable ASCII characters only, and no spaces at its ends.")
		case seen[lower]:
			return Invalid("headers", "A header is given twice.")
		}
		seen[lower] = true
		size += len(name) + len(value)
	}
	if size > MaxHookHeaderBytes {
		return Invalid("headers", fmt.Sprintf("The headers must have at most %d bytes together.", MaxHookHeaderBytes))
	}
	return nil
}

func isHeaderName(name string) bool {
	isOther := func(r rune) bool {
		letter := r|0x20 >= 'a' && r|0x20 <= 'z'
		digit := r >= '0' && r <= '9'
		return !letter && !digit && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}
	return name != "" && !strings.ContainsFunc(name, isOther)
}

func isHeaderValue(value string) bool {
	return value == strings.Trim(value, " ") && isVisibleASCII(strings.ReplaceAll(value, " ", ""))
}

// CheckHookEmails checks the addresses to which mail about hooks goes. It returns KindInvalid.
func CheckHookEmails(emails []string) error {
	if len(emails) > MaxHookEmails {
		return Invalid("emails", fmt.Sprintf("There may be at most %d addresses.", MaxHookEmails))
	}
	for _, e := range emails {
		if err := checkEmail(e); err != nil {
			return Invalid("emails", "Each value must be an email address.")
		}
	}
	return nil
}
