package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"cohort.example/cohort/internal/cli"
)

// Requests of ioctl for a pseudoterminal, which package syscall does not name.
const (
	unlockTerminal = 0x40045431 // TIOCSPTLCK
	terminalNumber = 0x80045430 // TIOCGPTN
)

// openTerminal returns a terminal to write to, and what reads all that was written.
func openTerminal(t *testing.T) (terminal *os.File, written func() string) {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no pseudoterminals: %v", err)
	}
	var number, unlock int32
	for request, value := range map[uintptr]*int32{unlockTerminal: &unlock, terminalNumber: &number} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, control.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := make(chan string)
	go func() {
		var all strings.Builder
		for buf := make([]byte, 4096); ; {
			n, err := control.Read(buf)
			all.Write(buf[:n])
			if err != nil { // the terminal is closed
				text <- all.String()
				return
			}
		}
	}()
	return terminal, func() string {
		terminal.Close()
		defer control.Close()
		select {
		case all := <-text:
			return all
		case <-time.After(10 * time.Second):
			t.Fatal("the terminal does not end")
			return ""
		}
	}
}

// runOnTerminal runs a command line whose standard error is a terminal, and returns
// what it wrote there.
func runOnTerminal(t *testing.T, args ...string) string {
	t.Helper()
	terminal, written := openTerminal(t)
	status := cli.Run(t.Context(), args, cli.Streams{In: strings.NewReader(""), Out: newOutput(), Err: terminal})
	text := written()
	if status != 0 {
		t.Errorf("%v: exit status %d: %s", args, status, text)
	}
	return text
}

// Commands that take long for many rows draw a bar on a terminal, with the rows that
// are done and their total where it is known.
func TestProgressOnATerminal(t *testing.T) {
	t.Parallel()
	db, other := newDB(t), newDB(t)
	mustRun(t, "store", "create", "abc", "--db", db)
	var csv strings.Builder
	csv.WriteString("kind,id,name,price\n")
	for i := range 2000 {
		fmt.Fprintf(&csv, "product,%d,Product %d,1.50\n", i+1, i+1)
	}
	file := filepath.Join(t.TempDir(), "products.csv")
	if err := os.WriteFile(file, []byte(csv.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"catalog", "import", file, "--store", "abc", "--db", db}, []string{`reading .*\(\d+/` + fmt.Sprint(csv.Len()), "checking and writing"}},
		{[]string{"copy", "--from", db, "--to", other}, []string{`copying .*\(\d+/40\d\d`}},
		{[]string{"store", "delete", "abc", "--yes", "--db", db}, []string{`deleting .*\(\d+/40\d\d`}},
	} {
		text := runOnTerminal(t, c.args...)
		for _, want := range c.want {
			if !regexp.MustCompile(want).MatchString(text) {
				t.Errorf("%v: no bar is like %s: %q", c.args, want, text)
			}
		}
	}
	r := mustRun(t, "store", "delete", "abc", "--yes", "--db", other)
	if want := "Its rows are deleted in small batches. Press Ctrl-C to leave them to \"cohort serve\".\n"; r.err != want {
		t.Errorf("on no terminal, standard error is %q, want %q", r.err, want)
	}
}
