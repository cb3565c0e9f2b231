package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"

	"cohort.example/cohort"
)

// plain returns an error of net/http without the URL, which may have a secret, and without
// the addresses of this machine and its resolver: other people read it in the log.
func plain(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if cause := ctx.Err(); errors.Is(cause, context.Canceled) {
		return cause
	} else if cause != nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("the destination did not respond in time")
	}
	if e, ok := errors.AsType[*cohort.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("the host of the destination cannot be found: %s", e.Err)
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("the certificate of the destination is not valid: %w", e.Err)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("the connection to the destination failed: %w", e.Err)
	}
	return fmt.Errorf("the destination cannot be reached: %w", err)
}

// short returns an error with the beginning of a long text, which a receiver may have written.
func short(err error) error {
	if message := err.Error(); len(message) > maxError {
		return errors.New(text(message[:maxError]) + "…")
	}
	return err
}
