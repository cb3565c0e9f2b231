package password

import (
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/argon2"
	"pgregory.net/rapid"
)

func hashOf(t *testing.T, h *Hasher, p string) string {
	t.Helper()
	hash, err := h.Hash(t.Context(), "abc", p)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func wantMatch(t *testing.T, h *Hasher, p, hash string, want bool) {
	t.Helper()
	if got, err := h.Matches(t.Context(), "abc", p, hash); got != want || err != nil {
		t.Errorf("%.40q matches %s: %v, error %v; want %v", p, hash, got, err, want)
	}
}

// format is that of all new hashes, including those of Unguessable: a salt of 16 bytes, a
// tag of 32.
var format = regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)

func TestHashFormat(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	seen := map[string]bool{}
	for _, hash := range []string{hashOf(t, h, "secret"), hashOf(t, h, "secret"), Unguessable(), Unguessable()} {
		if !format.MatchString(hash) {
			t.Errorf("got %s", hash)
		}
		for _, part := range strings.Split(hash, "$")[4:] { // salt and tag
			if seen[part] {
				t.Errorf("two hashes contain %s", part)
			}
			seen[part] = true
		}
	}
}

func TestHashIsArgon2id(t *testing.T) {
	t.Parallel()
	parts := strings.Split(hashOf(t, NewHasher(), "secret"), "$")
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		t.Fatal(err)
	}
	tag := argon2.IDKey([]byte("secret"), salt, 2, 19*1024, 1, 32)
	if diff := cmp.Diff(base64.RawStdEncoding.EncodeToString(tag), parts[5]); diff != "" {
		t.Errorf("tag (-want +got):\n%s", diff)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	for _, p := range []string{"secret", "", " ", "\x00", "pässwörd", strings.Repeat("🔑", 255)} {
		hash := hashOf(t, h, p)
		wantMatch(t, h, p, hash, true)
		for _, other := range []string{p + " ", p + "\x00", strings.ToUpper(p) + "x", hash} {
			wantMatch(t, h, other, hash, false)
		}
	}
}

// Long passwords are not truncated, unlike with bcrypt.
func TestLongPasswords(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	long := strings.Repeat("x", 1000)
	wantMatch(t, h, long+"b", hashOf(t, h, long+"a"), false)
}

// The hashes are from test.c of the reference implementation, with other parameters.
func TestMatchesForeignHashes(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	for _, hash := range []string{
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
	} {
		wantMatch(t, h, "password", hash, true)
		wantMatch(t, h, "Password", hash, false)
	}
}

func TestUnguessableMatchesNothing(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	hash := Unguessable()
	tag := strings.Split(hash, "$")[5]
	raw, err := base64.RawStdEncoding.DecodeString(tag)
	if err != nil {
		t.Fatal(err)
	}
	for _, attempt := range []string{"", "password", hash, tag, string(raw)} {
		wantMatch(t, h, attempt, hash, false)
	}
}

// Without a hash no password matches, not even one for dummyHash.
func TestMatchesWithoutAHash(t *testing.T) {
	t.Parallel()
	for _, attempt := range []string{"", "password", dummyHash} {
		wantMatch(t, NewHasher(), attempt, "", false)
	}
	// With other parameters, the duration of a check would reveal whether a customer has a
	// password.
	if !format.MatchString(dummyHash) {
		t.Errorf("dummyHash is %s", dummyHash)
	}
}

// cheap is a hash of "password" with the cheapest parameters.
var cheap = encode(parameters{memoryKiB: 8, passes: 1, lanes: 1}, []byte("somesalt"),
	argon2.IDKey([]byte("password"), []byte("somesalt"), 1, 8, 1, 32))

func TestMalformedHashes(t *testing.T) {
	t.Parallel()
	wantMatch(t, NewHasher(), "password", cheap, true) // otherwise the cases below prove nothing
	parts := strings.Split(cheap, "$")
	with := func(i int, text string) string {
		p := append([]string{}, parts...)
		p[i] = text
		return strings.Join(p, "$")
	}
	for name, hash := range map[string]string{
		"a space":                    " ",
		"a password":                 "password",
		"bcrypt":                     "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		"a prefix":                   with(0, "x"),
		"a suffix":                   cheap + "$",
		"one part less":              strings.Join(parts[:5], "$"),
		"argon2i":                    with(1, "argon2i"),
		"an older version":           with(2, "v=16"),
		"no version":                 "$argon2id$m=8,t=1,p=1$" + parts[4] + "$" + parts[5],
		"no parameters":              with(3, ""),
		"a missing parameter":        with(3, "m=8,t=1"),
		"parameters in other order":  with(3, "t=1,m=8,p=1"),
		"negative memory":            with(3, "m=-8,t=1,p=1"),
		"no passes":                  with(3, "m=8,t=0,p=1"),
		"no lanes":                   with(3, "m=8,t=1,p=0"),
		"more lanes than a byte":     with(3, "m=8,t=1,p=257"),
		"memory of 2 TiB":            with(3, "m=2147483648,t=1,p=1"),
		"memory of more than 32 bit": with(3, "m=4294967304,t=1,p=1"),
		"memory of 1 GiB and a bit":  with(3, "m=1048577,t=1,p=1"),
		"a thousand passes":          with(3, "m=8,t=1000,p=1"),
		"255 lanes":                  with(3, "m=2040,t=1,p=255"),
		"text after the parameters":  with(3, "m=8,t=1,p=1x"),
		"a parameter too many":       with(3, "m=8,t=1,p=1,data=x"),
		"a sign":                     with(3, "m=+8,t=1,p=1"),
		"a leading zero":             with(3, "m=08,t=1,p=1"),
		"a salt that is not base64":  with(4, "some salt"),
		"a salt with padding":        with(4, parts[4]+"="),
		"a tag that is not base64":   with(5, "?"),
		"a line break in the tag":    with(5, parts[5][:20]+"\n"+parts[5][20:]),
		"no tag":                     with(5, ""),
		"a tag of one byte":          with(5, "AA"),
		"a tag that is too long":     with(5, strings.Repeat("A", 1000)),
	} {
		t.Run(name, func(t *testing.T) {
			if ok, err := NewHasher().Matches(t.Context(), "abc", "password", hash); ok || !errors.Is(err, errMalformed) {
				t.Errorf("%q: matches %v, error %v", hash, ok, err)
			}
		})
	}
}

// A damaged hash does not match. The replacement has no digits, so the parameters cannot
// become so large that the check takes hours.
func TestDamagedHashes(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	rapid.Check(t, func(rt *rapid.T) {
		from := rapid.IntRange(0, len(cheap)-1).Draw(rt, "from")
		until := rapid.IntRange(from, min(from+3, len(cheap))).Draw(rt, "until")
		damaged := cheap[:from] + rapid.StringMatching(`[a-zA-Z$=,+/ \n]{0,3}`).Draw(rt, "instead") + cheap[until:]
		if damaged == cheap {
			rt.Skip("no damage")
		}
		if ok, _ := h.Matches(t.Context(), "abc", "password", damaged); ok {
			rt.Errorf("%q matches", damaged)
		}
	})
}

// BenchmarkMatches compares the durations for customers with a password, without one, and
// for unknown customers. They must be equal, so that an attacker cannot distinguish them.
func BenchmarkMatches(b *testing.B) {
	h := NewHasher()
	known, err := h.Hash(b.Context(), "abc", "secret")
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct{ name, password, hash string }{
		{"known/right", "secret", known}, {"known/wrong", "guess", known},
		{"unguessable", "guess", Unguessable()}, {"unknown", "guess", ""},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.Matches(b.Context(), "abc", bb.password, bb.hash); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
