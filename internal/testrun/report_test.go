package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReport(t *testing.T) {
	t.Parallel()
	const events = `{"Action":"build-output","ImportPath":"c","Output":"c.go:1: broken\n"}
{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"    a_test.go:3: nothing to report\n"}
{"Action":"pass","Package":"a","Test":"TestGood","Elapsed":0.1}
{"Action":"output","Package":"a","Test":"TestBad","Output":"    a_test.go:7: got 1, want 2\n"}
{"Action":"output","Package":"a","Test":"TestBad","Output":"--- FAIL: TestBad (0.00s)\n"}
{"Action":"fail","Package":"a","Test":"TestBad"}
{"Action":"output","Package":"a","Output":"FAIL\ta\t0.2s\n"}
{"Action":"fail","Package":"a"}
{"Action":"output","Package":"b","Test":"TestNeedy/one","Output":"=== RUN   TestNeedy/one\n"}
{"Action":"output","Package":"b","Test":"TestNeedy/one","Output":"    b_test.go:12: needs redis-server: it is not in the PATH\n"}
{"Action":"output","Package":"b","Test":"TestNeedy/one","Output":"--- SKIP: TestNeedy/one (0.00s)\n"}
{"Action":"skip","Package":"b","Test":"TestNeedy/one"}
{"Action":"output","Package":"b","Test":"TestQuiet","Output":"--- SKIP: TestQuiet (0.00s)\n"}
{"Action":"skip","Package":"b","Test":"TestQuiet"}
{"Action":"output","Package":"b","Test":"TestOther","Output":"    b_test.go:99: needs redis-server: it is not in the PATH\n"}
{"Action":"skip","Package":"b","Test":"TestOther"}
{"Action":"output","Package":"b","Output":"PASS\n"}
{"Action":"output","Package":"b","Output":"ok  \tb\t0.1s\n"}
{"Action":"pass","Package":"b"}
{"Action":"output","Package":"c","Output":"FAIL\tc [build failed]\n"}
{"Action":"fail","Package":"c"}
{"Action":"output","Package":"d","Output":"?   \td\t[no test files]\n"}
{"Action":"skip","Package":"d"}
not an event
`
	const want = `c.go:1: broken
    a_test.go:7: got 1, want 2
--- FAIL: TestBad (0.00s)
FAIL	a	0.2s
ok  	b	0.1s
FAIL	c [build failed]
?   	d	[no test files]
not an event

1 tests passed, 1 failed, 3 skipped
  failed: a TestBad
  failed: c
  skipped 2: needs redis-server: it is not in the PATH (TestNeedy/one, TestOther)
  skipped 1: no reason given (TestQuiet)
`
	var out strings.Builder
	r := newReport(&out)
	if err := r.read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	r.summary()
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
