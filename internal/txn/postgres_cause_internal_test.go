package txn

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestConnectionCause(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5432}
	dial := func(err error) error {
		return fmt.Errorf("dial: %w", &net.OpError{Op: "dial", Net: "tcp", Addr: addr, Err: os.NewSyscallError("connect", err)})
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{&net.DNSError{Name: "db.example", IsNotFound: true}, "there is no host db.example"},
		{&net.DNSError{Name: "db.example", IsTimeout: true}, "the address of the host db.example cannot be looked up"},
		{&tls.CertificateVerificationError{Err: errors.New("x509: expired")}, "its TLS certificate is not accepted: x509: expired"},
		{errors.New("server refused TLS connection"), "it has no TLS, which the sslmode of the URL asks for"},
		{dial(syscall.ECONNREFUSED), "no server listens at 192.0.2.1:5432"},
		{dial(syscall.EHOSTUNREACH), "there is no route to the host at 192.0.2.1:5432"},
		{dial(syscall.ENETUNREACH), "there is no route to the host at 192.0.2.1:5432"},
		{dial(syscall.ENOENT), "there is no socket at 192.0.2.1:5432"},
		{dial(syscall.ETIMEDOUT), "it does not answer"},
		{errors.New("closed"), "it does not answer"},
	} {
		if got := connectionCause(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
