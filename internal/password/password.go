// Package password hashes and checks passwords with argon2id.
//
// Hashes are PHC strings ("$argon2id$v=19$m=19456,t=2,p=1$salt$tag") that contain their
// parameters, so older hashes stay valid when the parameters change.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"cohort.example/cohort/internal/limit"

	"golang.org/x/crypto/argon2"
)

// The parameters of new hashes. Source: the OWASP Password Storage Cheat Sheet,
// argon2id with 19 MiB of memory, two passes and one lane.
const (
	memoryKiB = 19 * 1024
	passes    = 2
	lanes     = 1
	saltBytes = 16
	tagBytes  = 32
)

// Bounds of a stored hash: a damaged row must not use up the memory or the processors,
// and must not be easy to guess.
const (
	maxMemoryKiB = 1024 * 1024
	maxPasses    = 64
	maxLanes     = 64
	minTagBytes  = 16
	maxTagBytes  = 128
)

// Bounds of a Hasher.
const (
	// maxWaiting is how many passwords wait at most to be hashed.
	maxWaiting = 128
	// maxWait is how long a password waits at most.
	maxWait = 5 * time.Second
)

// Hasher hashes as many passwords concurrently as there are processors. More would only
// take memory, 19 MiB each. Further passwords wait in a fair queue.
type Hasher struct{ queue *limit.FairQueue }

// NewHasher returns a Hasher for the number of processors at start-up, which does not
// depend on later changes of GOMAXPROCS.
func NewHasher() *Hasher { return newHasher(limit.Processors()) }

func newHasher(concurrency int) *Hasher {
	return &Hasher{limit.NewFairQueue(limit.FairQueueOptions{Name: limit.Passwords, Concurrency: concurrency, Waiting: maxWaiting, Wait: maxWait})}
}

// Hash returns the hash of a password. It takes tens of milliseconds and must not be
// called in a transaction. It returns ctx's error if ctx ends while the password waits,
// and a *limit.FullError if too many passwords wait or the wait is too long.
func (h *Hasher) Hash(ctx context.Context, store, password string) (string, error) {
	salt := random(saltBytes)
	p := parameters{memoryKiB, passes, lanes}
	tag, err := h.tag(ctx, store, password, salt, p, tagBytes)
	if err != nil {
		return "", err
	}
	return encode(p, salt, tag), nil
}

// Unguessable returns a hash of no known password, for customers without a password. It
// looks like any other hash.
func Unguessable() string {
	return encode(parameters{memoryKiB, passes, lanes}, random(saltBytes), random(tagBytes))
}

// dummyHash is checked if there is no hash, so that the check takes the same time.
var dummyHash = Unguessable()

// Matches reports whether the hash is that of the password. Without a hash ("") it
// returns false after the same time. It returns the errors of Hash, and an error if the
// hash is malformed.
func (h *Hasher) Matches(ctx context.Context, store, password, hash string) (bool, error) {
	known := hash != ""
	if !known {
		hash = dummyHash
	}
	p, salt, want, err := decode(hash)
	if err != nil {
		return false, err
	}
	got, err := h.tag(ctx, store, password, salt, p, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

func (h *Hasher) tag(ctx context.Context, store, password string, salt []byte, p parameters, size uint32) ([]byte, error) {
	done, err := h.queue.Acquire(ctx, store)
	if err != nil {
		return nil, err
	}
	defer done()
	return argon2.IDKey([]byte(password), salt, p.passes, p.memoryKiB, p.lanes, size), nil
}

type parameters struct {
	memoryKiB uint32
	passes    uint32
	lanes     uint8
}

func encode(p parameters, salt, tag []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memoryKiB, p.passes, p.lanes, b64(salt), b64(tag))
}

var errMalformed = errors.New("password: a stored hash is malformed")

func decode(hash string) (p parameters, salt, tag []byte, err error) {
	parts := strings.Split(hash, "$") // "", argon2id, v=19, m=…, salt, tag
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, errMalformed
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memoryKiB, &p.passes, &p.lanes); err != nil {
		return p, nil, nil, errMalformed
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	tag, tagErr := base64.RawStdEncoding.DecodeString(parts[5])
	valid := p.memoryKiB <= maxMemoryKiB && p.passes >= 1 && p.passes <= maxPasses && p.lanes >= 1 && p.lanes <= maxLanes
	if saltErr != nil || tagErr != nil || !valid || len(tag) < minTagBytes || len(tag) > maxTagBytes {
		return p, nil, nil, errMalformed
	}
	if encode(p, salt, tag) != hash { // the parsers above accept variants
		return p, nil, nil, errMalformed
	}
	return p, salt, tag, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
