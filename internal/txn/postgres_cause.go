package txn

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"strings"
	"syscall"
)

// tlsRefused is the message of pgx for a server without TLS. It has no error value.
const tlsRefused = "server refused TLS connection"

// connectionCause says why a connection could not be made or was lost, as far as
// the error says it.
func connectionCause(err error) string {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		if e.IsNotFound {
			return "there is no host " + e.Name
		}
		return "the address of the host " + e.Name + " cannot be looked up"
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its TLS certificate is not accepted: " + e.Err.Error()
	}
	at := ""
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Addr != nil {
		at = " at " + e.Addr.String()
	}
	switch {
	case strings.Contains(err.Error(), tlsRefused):
		return "it has no TLS, which the sslmode of the URL asks for"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "no server listens" + at
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route to the host" + at
	case errors.Is(err, fs.ErrNotExist) && at != "":
		return "there is no socket" + at
	}
	return "it does not answer"
}
