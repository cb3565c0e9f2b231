// Package docs_test compares pages in this folder with the code.
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

// notBounds are numbers in the code that are not limits, each with what it is instead.
var notBounds = map[string]string{
	"seed.videoDefaults.sort_order":           "a default that an export leaves out",
	"seed.imageDefaults.sort_order":           "a default that an export leaves out",
	"seed.customerDefaults.customer_group_id": "a default that an export leaves out",
	"groupsync.journalRows":                   "a batch size",
	"groupsync.pageRows":                      "a page size; groupsync.MaxItems bounds what is read",
	"groupsync.recordsAtOnce":                 "a batch size",
	"client.resetMargin":                      "it makes up for a time that is rounded down",
	"seed.pageSize":                           "a page size; seed.MaxItems bounds an export",
	"api.initialCap.maxCap":                   "an initial capacity; a piece can be longer",
	"apiv3.maxFilterInteger":                  "it keeps sums from overflowing",
	"cohort.uuidIDBits":                       "the layout of a UUID",
	"cohort.wholeAmount":                      "a unit conversion",
	"cohort.wholePercent":                     "a unit conversion",
	"db.brandBatch":                           "a batch size; service.MaxImportBrands bounds the brands of an import",
	"db.brandNames":                           "the name of a lock",
	"service.lastDiscountStep":                "the last step of a histogram",
	"service.codeBlocked":                     "an error code",
	"service.codeGivenUp":                     "an error code",
	"service.codeWillRetry":                   "an error code",
	"txn.literalStatements":                   "a cache size; a statement beyond it is prepared again",
	"txn.maxLiteralStores":                    "the number from which statements name no store",
	"cli.oldestPostgreSQL":                    "a version",
	"cli.wantedFiles":                         "what doctor advises",
	"cli.wantedFree":                          "what doctor advises",
	"cli.wantedFreeShare":                     "what doctor advises",
	"docsite.boxGap":                          "the size of a picture",
	"docsite.lineHeight":                      "the size of a picture",
	"docsite.rowGap":                          "the size of a picture",
	"snippet.maxLine":                         "a line width of examples",
	"console.maxIndent":                       "how far a tree is indented",
	"console.maxWords":                        "how many rules are put into words; the rest is counted",
	"console.chartHeight":                     "the size of a picture",
	"console.chartStep":                       "the size of a picture",
	"console.chartTop":                        "the size of a picture",
	"console.saidLife":                        "the life of a cookie; what it says is shown once",
	"service.manyEvents":                      "the size from which another query is made first",
	"service.sweptDeliveries":                 "a batch size; it does not bound a sweep",
	"service.sweptHooks":                      "a batch size; it does not bound a sweep",
	"db.bulkChunk":                            "a batch size; service.MaxBulkMembers bounds the customers",
	"db.countsChunk":                          "a batch size; service.MaxBulkMembers bounds the customers",
	"db.catalog":                              "the name of a lock",
	"db.optionRowBytes":                       "an estimate that cohort.MaxOptionBytes counts with",
	"db.productChannels":                      "the name of a lock",
	"db.fewEvents":                            "a size from which an event costs a query more",
	"txn.maxClosing":                          "a batch size; rows beyond it are inserted at once",
	"db.segments":                             "the name of a lock",
	"db.hooks":                                "the name of a lock",
	"service.deliverySlice":                   "a batch size",
	"db.sumUnit":                              "a unit conversion",
	"db.channelNames":                         "the name of a lock",
	"txn.claimedByte":                         "the position of a file lock",
	"db.manyInCategories":                     "the size from which a list is read in another way",
	"service.tokenUseBatch":                   "a batch size; service.maxTokenUses bounds the uses",
	"service.expiredBatch":                    "a batch size; it does not bound how many stores expire",
	"db.skuBatch":                             "a batch size; it does not bound an import",
	"db.firstBatch":                           "an initial batch size, between db.minBatch and db.maxBatch",
	"db.minBatch":                             "a lower bound",
	"db.minBatchPause":                        "a lower bound",
	"txn.ofdGetLock":                          "a constant of Linux",
	"txn.ofdSetLock":                          "a constant of Linux",
	"txn.ownerOnly":                           "a file mode",
	"db.eventNumbers":                         "the name of a lock",
	"db.deletedAtOnce":                        "a batch size",
	"cohort.MinEventCount":                    "a lower bound",
	"service.maxNumbering":                    "a batch size; the next reader numbers what is left",
	"db.sweepChunk":                           "a batch size",
	"txn.writers":                             "the name of a lock",
	"webhook.securePort":                      "the port of https",
	"apiv3.eventHeartbeat":                    "the interval of comments in a stream",
	"service.followPause":                     "a lower bound",
	"control.heartbeat":                       "the interval of comments in a stream",
	"journal.entryBytes":                      "an estimate of memory",
	"journal.headerBytes":                     "an estimate of memory",
	"server.statusClientGone":                 "an HTTP status",
	"apiv2.appendAmount.maxDigits":            "the number of digits that always fit into an int64",
	"apiv2.usualGroup":                        "an initial capacity; a response can be longer",
	"cli.inputPart":                           "a buffer size; it does not bound a file",
	"cli.readyPause":                          "a polling interval",
	"cli.progressInterval":                    "the interval of the progress bar",
	"cli.prettyWidth":                         "a line width of the demo",
	"cohort.maxInt64Digits":                   "the number of digits that always fit into an int64",
	"db.amount.most":                          "the number of digits that always fit into an int64",
	"db.insertsPerTrip":                       "a batch size; it does not bound an import",
	"txn.busyPause":                           "the polling interval during txn.busyTimeout",
	"db.categoryTree":                         "the name of a lock",
	"db.attributes":                           "the name of a lock",
	"txn.checkpointAfter":                     "the interval, in batches, at which txn.checkpointPages is checked",
	"db.copyRows":                             "a batch size; it does not bound a copy",
	"db.flags":                                "the name of a lock",
	"txn.storeRows":                           "the name of a lock",
	"txn.idle":                                "a message type of PostgreSQL's protocol",
	"db.maxTreeIDs":                           "the threshold from which another query is faster",
	"db.memberSlots":                          "the number of rows that share one count",
	"txn.migrationLock":                       "the name of a lock",
	"txn.minPage":                             "the smallest database file",
	"db.recordRows":                           "a batch size; it does not bound the number of records",
	"txn.settlePause":                         "the polling interval during txn.settleTimeout",
	"limit.minPurge":                          "the threshold from which expired counters are dropped",
	"limit.probeRequest.Concurrency":          "a request that no limit rejects",
	"limit.probeRequest.Quota":                "a request that no limit rejects",
	"password.minTagBytes":                    "a lower bound",
	"outbox.lanesPerQuery":                    "the size of a query; the search for due lanes takes as many as it needs",
	"password.saltBytes":                      "a fixed length",
	"password.tagBytes":                       "a fixed length",
	"groupfile.perChunk":                      "a chunk size; it does not bound the index of the file",
	"groupfile.headerSize":                    "the layout of a record",
	"groupfile.usualRecord":                   "the size of a first read; a longer record takes another one",
	"groupfile.maxGap":                        "the distance from which two reads are faster than one",
	"groupfile.checkEvery":                    "how often the free space is looked at",
	"apiv2.fillPiece":                         "a batch size; it does not bound a fill",
	"apiv2.want.most":                         "a batch size; the next request reads what is left",
	"apiv2.logFill":                           "the duration from which a fill is logged",
	"apiv2.recentKeys":                        "the size of a table of hints",
	"groupindex.chunkSize":                    "a chunk size; it does not bound a group index",
	"server.jsonRanges.application/json":      "a rank of media ranges",
	"vendorapi.Exact":                         "a mark in a file",
	"vendorapi.Decided":                       "a mark in a file",
	"vendorapi.Undecided":                     "a mark in a file",
	"service.minIndexOffset":                  "the threshold from which another way to find a page is faster",
}

// bareAllowed are fields that may be set to a literal number, each with the page that
// documents it.
var bareAllowed = map[string]string{
	"Concurrency": "the tables of operations in wire.md",
}

// row is a table row in limits.md.
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

// TestLimits compares limits.md with the code: the page has every bound of the code with
// its value, and no others. The failure message has the rows to add.
func TestLimits(t *testing.T) {
	t.Parallel()
	all, bare := bounds(t)
	onPage := map[string]row{}
	for _, r := range rows(t) {
		for _, name := range r.names {
			if _, twice := onPage[name]; twice {
				t.Errorf("limits.md:%d: second row for %s", r.line, name)
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
			t.Errorf("limits.md:%d: %s is in notBounds, as %s", r.line, b.name, reason)
		case there && !b.matches(r.value):
			t.Errorf("limits.md:%d: %s is %q, but %s in the code", r.line, b.name, r.value, b)
		case !there && reason == "":
			fmt.Fprintf(&missing, "| %s | %s | `%s` |\n", b.doc, b, b.name)
		}
	}
	if missing.Len() > 0 {
		t.Errorf("limits.md lacks these rows; if they are not limits, add them to notBounds in limits_test.go:\n%s", missing.String())
	}
	for name, r := range onPage {
		if !inCode[name] {
			t.Errorf("limits.md:%d: the code has no %s", r.line, name)
		}
	}
	for name := range maps.Keys(notBounds) {
		if !inCode[name] {
			t.Errorf("notBounds has %s, but the code does not", name)
		}
	}
	for _, u := range bare {
		if bareAllowed[u.name] == "" {
			t.Errorf("%s: make the value of %s a constant, so that limits.md can have a row for it", u.place, u.name)
		}
	}
}

// factors are the units on the page.
var factors = map[string]float64{
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	"ms": float64(time.Millisecond), "s": float64(time.Second), "min": float64(time.Minute), "h": float64(time.Hour),
}

var quantity = regexp.MustCompile(`^([0-9](?:[0-9 ]*[0-9])?(?:\.[0-9]+)?)(?: ([A-Za-zµ]+))?`)

// matches reports whether a cell of the page, such as "1 MiB", "30 s" or "1 000 items",
// has the value.
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

// String returns the value in the units of the page.
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

// grouped formats a number with spaces between thousands.
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
