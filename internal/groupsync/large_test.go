package groupsync_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/groupsync"
	"cohort.example/cohort/internal/testenv"
)

// huge responds as a store with many groups, and one price list with many records.
type huge struct{ groups, records int }

func (h huge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	begin := (max(page, 1) - 1) * limit
	rows := func(total int, row func(i int) string) string {
		var all []string
		for i := begin; i < min(begin+limit, total); i++ {
			all = append(all, row(i))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	data := "[]"
	switch {
	case strings.HasSuffix(r.URL.Path, "/v2/customer_groups"):
		fmt.Fprint(w, rows(h.groups, func(i int) string { return group(i+1, fmt.Sprint("Group ", i)) }))
		return
	case strings.HasSuffix(r.URL.Path, "/v3/pricelists"):
		data = rows(1, func(int) string { return `{"id":1,"name":"Trade","active":true}` })
	case strings.HasSuffix(r.URL.Path, "/records"):
		data = rows(h.records, func(i int) string {
			return fmt.Sprintf(`{"price_list_id":1,"variant_id":%d,"sku":"SKU-%d","currency":"usd","price":%d.95}`, i+1, i, i)
		})
	}
	fmt.Fprintf(w, `{"data":%s,"meta":{"pagination":{"per_page":%d,"current_page":%d,"total_pages":1}}}`, data, limit, max(page, 1))
}

// counter counts what is written.
type counter struct{ bytes int }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += len(p)
	return len(p), nil
}

// A large store is pulled whole and in bounded memory.
func TestLargeStore(t *testing.T) {
	h := huge{testenv.Times(10_000, 600), testenv.Times(100_000, 1200)}
	s := httptest.NewServer(h)
	defer s.Close()
	c, err := client.New("abc", "a-token", client.WithBaseURL(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak := before.HeapAlloc
	sample := func() {
		runtime.ReadMemStats(&now)
		peak = max(peak, now.HeapAlloc)
	}
	d, _, err := (&groupsync.Reader{Client: c, Progress: func(_ string, rows int64) {
		if rows%5000 == 0 {
			sample()
		}
	}}).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Groups) != h.groups || len(d.Lists) != 1 || len(d.Lists[0].Records) != h.records {
		t.Fatalf("%d groups and %d lists are read", len(d.Groups), len(d.Lists))
	}
	var out counter
	if err := groupsync.Write(&out, d); err != nil {
		t.Fatal(err)
	}
	sample()
	const most = 256 << 20
	used := peak - before.HeapAlloc
	t.Logf("%d bytes are written, and the heap grew by %d MiB", out.bytes, used>>20)
	if used > most {
		t.Errorf("the heap grew by %d MiB, want %d at most", used>>20, most>>20)
	}
	var text bytes.Buffer
	if err := groupsync.Write(&text, d); err != nil {
		t.Fatal(err)
	}
	again, err := groupsync.Parse(text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Groups) != h.groups || len(again.Lists[0].Records) != h.records {
		t.Errorf("%d groups and %d records are read from the file", len(again.Groups), len(again.Lists[0].Records))
	}
}
