package catalogfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// lines reads a file line by line.
type lines struct {
	from   *bufio.Reader
	number int64 // the number of the line that was read last
	// carriage is whether that line ended in CR LF.
	carriage bool
	long     []byte
}

func newLines(r io.Reader) *lines { return &lines{from: bufio.NewReaderSize(r, 64<<10)} }

// Byte order marks.
var (
	markUTF8    = []byte("\xef\xbb\xbf")
	markUTF16LE = []byte("\xff\xfe")
	markUTF16BE = []byte("\xfe\xff")
)

// begin skips the byte order mark of UTF-8 and rejects those of UTF-16.
func (l *lines) begin() error {
	start, err := l.from.Peek(len(markUTF8))
	switch {
	case bytes.HasPrefix(start, markUTF16LE), bytes.HasPrefix(start, markUTF16BE):
		return final("The file is in UTF-16. Save it as UTF-8.")
	case bytes.Equal(start, markUTF8):
		_, err = l.from.Discard(len(start))
		return err
	case err != nil && !errors.Is(err, io.EOF):
		return readError(err)
	}
	return nil
}

func readError(err error) error { return fmt.Errorf("read the file: %w", err) }

// next returns the next line without its line break. The line is valid until the next
// call.
func (l *lines) next() ([]byte, error) {
	line, err := l.whole()
	if err != nil {
		return nil, err
	}
	if l.number == 1 {
		if i := bytes.IndexFunc(line, isControl); i >= 0 {
			return nil, final("The file is not text: its first line has a byte 0x%02x. Use an uncompressed CSV or JSONL file.", line[i])
		}
	}
	if i := bytes.IndexByte(line, 0); i >= 0 {
		return nil, wrong("The byte at position %d is 0x00, which is not text.", i+1)
	}
	if !utf8.Valid(line) {
		i := firstInvalid(line)
		return nil, wrong("The line is not UTF-8: the byte 0x%02x at position %d does not start a character.", line[i], i+1)
	}
	return line, nil
}

func isControl(r rune) bool { return r < ' ' && r != '\t' && r != '\r' }

func firstInvalid(line []byte) int {
	for i := 0; ; {
		r, size := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
}

// whole returns the next line. The last line need not end in a line break.
func (l *lines) whole() ([]byte, error) {
	part, err := l.from.ReadSlice('\n')
	if err == nil {
		l.number++
		l.carriage = bytes.HasSuffix(part, []byte("\r\n"))
		return cutEnd(part), nil
	}
	l.long = append(l.long[:0], part...)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(l.long) > MaxLine+2 { // 2 bytes for the line break
			break
		}
		part, err = l.from.ReadSlice('\n')
		l.long = append(l.long, part...)
	}
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull):
		return nil, readError(err)
	case len(l.long) == 0:
		return nil, io.EOF
	}
	l.number++
	l.carriage = bytes.HasSuffix(l.long, []byte("\r\n"))
	line := cutEnd(l.long)
	if len(line) > MaxLine {
		if i := bytes.IndexFunc(line, isControl); i >= 0 && l.number == 1 {
			return line[:i+1], nil // next reports the control character, not the length
		}
		return nil, &contentError{final: true, line: l.number, text: "The line is longer than 1 MiB. The rest of the file is not read."}
	}
	return line, nil
}

func cutEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}
