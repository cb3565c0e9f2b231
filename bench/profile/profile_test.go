package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"
)

const docs = "../../docs"

// The picture of the documentation shows the table beside it.
func TestPictureShowsTheTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(docs, "performance.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, found, _, err := findTable(string(text))
	if err != nil {
		t.Fatal(err)
	}
	table, err := parseTable(found)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(table.String(), found); diff != "" {
		t.Errorf("the table is not as the program writes it (-want +got):\n%s", diff)
	}
	drawn, err := os.ReadFile(filepath.Join(docs, picture))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(table.svg(), string(drawn)); diff != "" {
		t.Errorf("the picture does not show the table; run go run ./profile (-want +got):\n%s", diff)
	}
}

func TestParseTableRejectsOtherTables(t *testing.T) {
	whole := table{{"get", make([]float64, len(layers))}}.String()
	for _, text := range []string{"", "| Layer | get |", whole + "| more | 1 % |\n", whole[:len(whole)-5] + "x |\n"} {
		if got, err := parseTable(text); err == nil {
			t.Errorf("parseTable(%q) = %v", text, got)
		}
	}
}

func TestLayerOf(t *testing.T) {
	const syscall6, write = "internal/runtime/syscall.Syscall6", "internal/poll.(*FD).Write"
	for _, c := range []struct {
		want  string
		stack []string
	}{
		{"kernel, network", []string{syscall6, "syscall.write", write, "net.(*netFD).Write", "net/http.(*conn).serve"}},
		{"kernel, files", []string{syscall6, "syscall.write", write, "os.(*File).Write", "cohort.example/cohort/internal/cli.(*log).flush"}},
		{"kernel, files", []string{syscall6, "modernc.org/libc.Xfsync", "modernc.org/sqlite/lib._unixSync"}},
		{"scheduling", []string{"internal/runtime/syscall.EpollWait", "runtime.netpoll", "runtime.findRunnable"}},
		{"memory", []string{"runtime.memclrNoHeapPointers", "runtime.mallocgc", "cohort.example/cohort/internal/apiv2.writeGroup"}},
		{"dialect", []string{"strconv.AppendInt", "cohort.example/cohort/internal/api.(*Writer).Int", "cohort.example/cohort/internal/apiv2.writeGroup"}},
		{"server", []string{"runtime.mapaccess2", "cohort.example/cohort/internal/server.(*router).serve", "net/http.serverHandler.ServeHTTP"}},
		{"service", []string{"cohort.example/cohort.(*Pricer).Price", "cohort.example/cohort/internal/service.(*Service).Prices"}},
		{"data layer", []string{"cohort.example/cohort/internal/txn.(*writer).take"}},
		{"SQLite, driver", []string{"modernc.org/sqlite/lib._sqlite3VdbeExec", "cohort.example/cohort/internal/txn.(*Tx).Exec"}},
		{"net/http", []string{"bufio.(*Reader).ReadSlice", "net/textproto.(*Reader).ReadLine", "net/http.readRequest"}},
		{"scheduling", []string{"runtime.nanotime"}},
	} {
		if got := layerOf(c.stack); got != c.want {
			t.Errorf("layerOf(%q) = %q, want %q", c.stack, got, c.want)
		}
	}
}

// The load generator does not count, and the rest sums up to 100 per cent.
func TestSharesLeaveOutTheGenerator(t *testing.T) {
	function := func(name string) *profile.Location {
		return &profile.Location{Line: []profile.Line{{Function: &profile.Function{Name: name}}}}
	}
	p := &profile.Profile{Sample: []*profile.Sample{
		{Location: []*profile.Location{function("net/http.readRequest")}, Value: []int64{1, 30}},
		{Location: []*profile.Location{function("modernc.org/sqlite.step")}, Value: []int64{1, 10}},
		{Location: []*profile.Location{function("runtime.x"), function("cohort.example/cohort/bench/load.Run")}, Value: []int64{1, 60}},
	}}
	got := map[string]float64{}
	for i, share := range shares(p) {
		if share > 0 {
			got[layers[i]] = share
		}
	}
	if diff := cmp.Diff(map[string]float64{"net/http": 75, "SQLite, driver": 25}, got); diff != "" {
		t.Error(diff)
	}
}
