package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
)

// expiry is the value of a flag: a time from now, or a date. The zero value is never.
type expiry struct {
	life time.Duration
	at   time.Time
}

// maxDays bounds a time in days, so that it is a time.Duration.
const maxDays = 36500

// UnmarshalText reads a duration such as 12h or 30d, a date, whose day begins in UTC, or a date
// and time of RFC 3339.
func (e *expiry) UnmarshalText(text []byte) error {
	s := string(text)
	if at, err := time.Parse(time.DateOnly, s); err == nil {
		*e = expiry{at: at}
		return nil
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		*e = expiry{at: at}
		return nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= maxDays {
			*e = expiry{life: time.Duration(n) * 24 * time.Hour}
			return nil
		}
	}
	if life, err := time.ParseDuration(s); err == nil && life > 0 {
		*e = expiry{life: life}
		return nil
	}
	return fmt.Errorf("%q is neither a time such as 12h or 30d nor a date such as 2027-01-31", s)
}

// from returns the time of the expiry when it is now; zero: never.
func (e expiry) from(now time.Time) time.Time {
	if e.life > 0 {
		return now.Add(e.life)
	}
	return e.at
}

// secretSource says where a secret comes from: "env:NAME", "file:PATH" or "-". It is empty for
// a secret that Cohort makes.
type secretSource string

// UnmarshalText checks the form.
func (s *secretSource) UnmarshalText(text []byte) error {
	*s = secretSource(text)
	kind, name, _ := strings.Cut(string(text), ":")
	if *s == "-" || (kind == "env" || kind == "file") && name != "" {
		return nil
	}
	return errors.New("a secret comes from env:NAME, file:PATH or -, so that it does not show in the process list")
}

// String says in words where the secret comes from.
func (s secretSource) String() string {
	kind, name, _ := strings.Cut(string(s), ":")
	switch kind {
	case "env":
		return "the variable " + name
	case "file":
		return "the file " + name
	}
	return "standard input"
}

// read returns the secret without the end of its line. It reads no more than a secret has.
func (s secretSource) read(in io.Reader) (string, error) {
	kind, name, _ := strings.Cut(string(s), ":")
	switch kind {
	case "":
		return "", nil
	case "env":
		secret, set := os.LookupEnv(name)
		if !set {
			return "", fmt.Errorf("the variable %s is not set", name)
		}
		return secret, nil
	case "file":
		file, err := os.Open(name)
		if err != nil {
			return "", fmt.Errorf("cannot read the secret: %w", err)
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, cohort.MaxPresetSecret+int64(len("\r\n"))+1))
	if err != nil {
		return "", fmt.Errorf("cannot read the secret: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
}
