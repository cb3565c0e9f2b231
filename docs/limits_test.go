// Package docs_test checks pages of this folder against the code.
package docs_test

import (
	"fmt"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// notBounds are numbers in the code that bound nothing, each with the reason.
var notBounds = map[string]string{
	"api.initialCap.maxCap":              "an initial capacity; a piece may be longer",
	"cohort.wholeAmount":                 "what a whole is in ten-thousandths",
	"cohort.wholePercent":                "what a whole is in ten-thousandths",
	"db.catalog":                         "the name of a lock",
	"txn.claimedByte":                    "where a lock lies",
	"db.comparedConcurrency":             "how an import is cut into queries, whatever its length",
	"db.firstSlice":                      "how an import begins, between db.minSlice and db.maxSlice",
	"db.minSlice":                        "what a slice has at least",
	"db.minSliceRest":                    "what a pause has at least",
	"txn.ofdGetLock":                     "a number of Linux",
	"txn.ofdSetLock":                     "a number of Linux",
	"txn.ownerOnly":                      "a mode",
	"db.sweepChunk":                      "how a slice is cut into statements",
	"txn.writers":                        "the name of a lock",
	"server.statusClientGone":            "a status",
	"apiv2.appendAmount.maxDigits":       "every number of so many digits fits into an int64",
	"apiv2.usualGroup":                   "room to begin with; an answer may be longer",
	"cli.inputPart":                      "how much of a file is read at once, whatever its length",
	"cli.progressEvery":                  "how often a progress bar is drawn",
	"cohort.maxInt64Digits":              "how many digits surely fit into an int64",
	"db.amount.most":                     "how many digits surely fit into an int64",
	"db.batchesPerTrip":                  "how an import is cut into messages, whatever its length",
	"txn.busyPause":                      "how often is looked during txn.busyTimeout",
	"db.categoryTree":                    "the name of a lock",
	"txn.checkpointAfter":                "how many batches are written from one look at txn.checkpointPages to the next",
	"db.copyRows":                        "how a copy is cut into statements, whatever its length",
	"db.flags":                           "the name of a lock",
	"txn.idle":                           "a letter of PostgreSQL's protocol",
	"db.maxTreeIDs":                      "from where on another query is faster",
	"db.memberSlots":                     "over how many rows one count is spread",
	"txn.migrationLock":                  "the name of a lock",
	"txn.minPage":                        "the size of the smallest database",
	"db.recordRows":                      "how records are cut into statements, whatever their number",
	"txn.settlePause":                    "how often is looked during txn.settleTimeout",
	"limit.minPurge":                     "when expired counters are dropped",
	"limit.probeRequest.Concurrency":     "a request that no limit rejects",
	"limit.probeRequest.Quota":           "a request that no limit rejects",
	"password.minTagBytes":               "what a hash has at least",
	"outbox.lanesPerQuery":               "how the search for due lanes is cut into queries, whatever their number",
	"password.saltBytes":                 "what a hash always has",
	"password.tagBytes":                  "what a hash always has",
	"groupindex.chunkSize":               "how a roster is cut, whatever its length",
	"server.jsonRanges.application/json": "a rank",
	"service.shallow":                    "from where on another way to find a page is faster",
}

// bareAllowed are fields that are set to a number which has its place elsewhere.
var bareAllowed = map[string]string{
	"Concurrency": "the tables of operations in wire.md have it",
}

// row is a row of a table in limits.md.
type row struct {
	line  int
	value string
	names []string
}

// rows returns the rows of limits.md that name constants.
func rows(t *testing.T) (all []row) {
	t.Helper()
	text, err := os.ReadFile("limits.md")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile("`([a-z0-9]+(?:\\.[A-Za-z0-9_]+)+)`")
	for i, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "|") || len(cells) != 3 {
			continue
		}
		r := row{line: i + 1, value: strings.TrimSpace(cells[1])}
		for _, m := range name.FindAllStringSubmatch(cells[2], -1) {
			r.names = append(r.names, m[1])
		}
		all = append(all, r)
	}
	return all
}

// TestLimits holds limits.md against the code: each bound of the code is on the
// page with its value, and each row of the page is about a bound that there is. What
// is missing is printed as the rows to add.
func TestLimits(t *testing.T) {
	t.Parallel()
	all, bare := bounds(t)
	onPage := map[string]row{}
	for _, r := range rows(t) {
		for _, name := range r.names {
			if _, twice := onPage[name]; twice {
				t.Errorf("limits.md:%d: %s is there twice", r.line, name)
			}
			onPage[name] = r
		}
	}
	var missing strings.Builder
	inCode := map[string]bool{}
	for _, b := range all {
		inCode[b.name] = true
		r, there := onPage[b.name]
		switch reason := notBounds[b.name]; {
		case there && reason != "":
			t.Errorf("limits.md:%d: %s is on the page, and this test says that it is no bound: %s", r.line, b.name, reason)
		case there && !b.matches(r.value):
			t.Errorf("limits.md:%d: %s is %q, and in the code it is %s", r.line, b.name, r.value, b)
		case !there && reason == "":
			fmt.Fprintf(&missing, "| %s | %s | `%s` |\n", b.doc, b, b.name)
		}
	}
	if missing.Len() > 0 {
		t.Errorf("limits.md lacks these rows (or notBounds in limits_test.go the reason why they bound nothing):\n%s", missing.String())
	}
	for name, r := range onPage {
		if !inCode[name] {
			t.Errorf("limits.md:%d: there is no %s in the code", r.line, name)
		}
	}
	for name := range maps.Keys(notBounds) {
		if !inCode[name] {
			t.Errorf("notBounds has %s, which is not in the code", name)
		}
	}
	for _, u := range bare {
		if bareAllowed[u.name] == "" {
			t.Errorf("%s: give the value of %s a name, so that limits.md can have it", u.place, u.name)
		}
	}
}

// factors are the units that the page uses.
var factors = map[string]float64{
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	"ms": float64(time.Millisecond), "s": float64(time.Second), "min": float64(time.Minute), "h": float64(time.Hour),
}

var quantity = regexp.MustCompile(`^([0-9](?:[0-9 ]*[0-9])?(?:\.[0-9]+)?)(?: ([A-Za-zµ]+))?`)

// matches reports whether a cell of the page, such as "1 MiB", "30 s" or "1 000
// items", says the value.
func (b bound) matches(cell string) bool {
	m := quantity.FindStringSubmatch(cell)
	if m == nil {
		return false
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(m[1], " ", ""), 64)
	if err != nil {
		return false
	}
	factor, known := factors[m[2]]
	timed := known && !strings.HasSuffix(m[2], "iB")
	if timed != b.duration {
		return false
	}
	if known {
		n *= factor
	}
	return n == b.value
}

// String is the value in the units of the page.
func (b bound) String() string {
	var names []string
	switch {
	case b.duration:
		names = []string{"h", "min", "s", "ms"}
	case strings.Contains(b.doc, "bytes"), strings.HasSuffix(b.name, "KiB"):
		names = []string{"GiB", "MiB", "KiB"}
	}
	for _, unit := range names {
		if n := b.value / factors[unit]; n >= 1 && n == math.Trunc(n) {
			return grouped(n) + " " + unit
		}
	}
	return grouped(b.value)
}

// grouped writes a number with a space between thousands.
func grouped(n float64) string {
	digits := strconv.FormatFloat(n, 'f', -1, 64)
	var groups []string
	for len(digits) > 3 && !strings.Contains(digits, ".") {
		groups = append(groups, digits[len(digits)-3:])
		digits = digits[:len(digits)-3]
	}
	groups = append(groups, digits)
	slices.Reverse(groups)
	return strings.Join(groups, " ")
}
