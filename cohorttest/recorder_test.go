package cohorttest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// recorder is a test that notes its failures instead of failing.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Error(args ...any)                 { r.failures = append(r.failures, fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.Error(fmt.Sprintf(format, args...)) }

func (r *recorder) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

// wantFailure checks that fn fails its test once, with a message that has a part.
func wantFailure(t *testing.T, part string, fn func(testing.TB)) {
	t.Helper()
	r := &recorder{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		fn(r)
	}()
	<-ended
	if len(r.failures) != 1 || !strings.Contains(r.failures[0], part) {
		t.Errorf("the test fails with %q, want once, with %q", r.failures, part)
	}
}
