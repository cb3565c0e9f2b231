// Package password hashes and checks passwords with argon2id.
//
// Hashes are PHC strings ("$argon2id$v=19$m=19456,t=2,p=1$salt$tag") that carry
// their own parameters, so that the parameters can be raised while older
// hashes go on working.
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

// What a stored hash may be, so that a damaged row can neither take the machine
// down nor be guessed.
const (
	maxMemoryKiB = 1024 * 1024
	maxPasses    = 64
	maxLanes     = 64
	minTagBytes  = 16
	maxTagBytes  = 128
)

// Bounds of a Hasher.
const (
	// maxWaiting is how many passwords wait at most.
	maxWaiting = 128
	// maxWait is how long each waits at most.
	maxWait = 5 * time.Second
)

// Hasher hashes at most as many passwords at once as there are processors: more
// would only take memory, 19 MiB each. The others wait, and the stores take
// turns.
type Hasher struct{ queue *limit.FairQueue }

// NewHasher returns a Hasher. How many processors there are is what the process
// was started with, whatever GOMAXPROCS has been set to since.
func NewHasher() *Hasher { return newHasher(limit.Processors()) }

func newHasher(concurrency int) *Hasher {
	return &Hasher{limit.NewFairQueue(limit.FairQueueOptions{Name: limit.Passwords, Concurrency: concurrency, Waiting: maxWaiting, Wait: maxWait})}
}

// Hash returns the hash of a password of a store's. It takes tens of milliseconds
// and must not be called in a transaction. It fails if ctx ends while it waits,
// and with a *limit.FullError if too many wait or the wait is too long.
func (h *Hasher) Hash(ctx context.Context, store, password string) (string, error) {
	salt := random(saltBytes)
	p := parameters{memoryKiB, passes, lanes}
	tag, err := h.tag(ctx, store, password, salt, p, tagBytes)
	if err != nil {
		return "", err
	}
	return encode(p, salt, tag), nil
}

// Unguessable returns a hash that no known password has: how the password of
// somebody who was given a random one that nobody was told is kept.
func Unguessable() string {
	return encode(parameters{memoryKiB, passes, lanes}, random(saltBytes), random(tagBytes))
}

// decoy is checked where there is no hash, so that this takes as long.
var decoy = Unguessable()

// Matches reports whether the hash is that of the password. Without a hash ("")
// it takes as long and returns false. It fails as Hash does, or if the hash
// cannot be read.
func (h *Hasher) Matches(ctx context.Context, store, password, hash string) (bool, error) {
	known := hash != ""
	if !known {
		hash = decoy
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

var errUnreadable = errors.New("password: a stored hash cannot be read")

func decode(hash string) (p parameters, salt, tag []byte, err error) {
	parts := strings.Split(hash, "$") // "", argon2id, v=19, m=…, salt, tag
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, errUnreadable
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memoryKiB, &p.passes, &p.lanes); err != nil {
		return p, nil, nil, errUnreadable
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	tag, tagErr := base64.RawStdEncoding.DecodeString(parts[5])
	sane := p.memoryKiB <= maxMemoryKiB && p.passes >= 1 && p.passes <= maxPasses && p.lanes >= 1 && p.lanes <= maxLanes
	if saltErr != nil || tagErr != nil || !sane || len(tag) < minTagBytes || len(tag) > maxTagBytes {
		return p, nil, nil, errUnreadable
	}
	if encode(p, salt, tag) != hash { // the parsers above are lenient, a password is not
		return p, nil, nil, errUnreadable
	}
	return p, salt, tag, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
