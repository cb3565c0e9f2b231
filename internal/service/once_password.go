package service

import (
	"context"
	"errors"
)

// errHashFirst ends a transaction of Once that needs hashes of passwords. A hash takes some
// hundredths of a second, in which other writes would have to wait for the transaction.
var errHashFirst = errors.New("passwords have to be hashed first")

// hashedPassword is a password with its hash.
type hashedPassword struct{ password, hash string }

// hashPasswords returns the hashes of passwords, and "" for nil.
func (s *Service) hashPasswords(ctx context.Context, storeKey string, passwords []*string) (hashes []string, err error) {
	hashes = make([]string, len(passwords))
	run := onceOf(ctx)
	for i, p := range passwords {
		switch {
		case p == nil:
		case run != nil:
			hashes[i] = run.hash(*p)
		default:
			if hashes[i], err = s.hashPassword(ctx, storeKey, *p); err != nil {
				return nil, err
			}
		}
	}
	if run != nil && len(run.unhashed) > 0 {
		return nil, errHashFirst
	}
	return hashes, nil
}

// hash returns the hash of the next password, or notes that there is none yet. Two customers
// with the same password have two hashes.
func (run *onceRun) hash(password string) string {
	if run.used < len(run.hashed) && len(run.unhashed) == 0 && run.hashed[run.used].password == password {
		run.used++
		return run.hashed[run.used-1].hash
	}
	run.unhashed = append(run.unhashed, password)
	return ""
}

// hashFor returns the passwords that a transaction of Once has needed, with their hashes.
func (s *Service) hashFor(ctx context.Context, storeKey string, run *onceRun) ([]hashedPassword, error) {
	hashed := run.hashed[:run.used]
	for _, p := range run.unhashed {
		hash, err := s.passwords.Hash(ctx, storeKey, p)
		if err != nil {
			return nil, err
		}
		hashed = append(hashed, hashedPassword{p, hash})
	}
	return hashed, nil
}
