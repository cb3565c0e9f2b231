package groupsync

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	// maxJournal is the size of a journal that is read, in bytes.
	maxJournal = 1 << 30
	// maxJournalLine is the length of one of its lines, in bytes.
	maxJournalLine = 8 << 20
	// journalRows is how many rows a line has.
	journalRows = 250
)

// ErrJournal is a journal of another pull, or a file that is no journal.
var ErrJournal = errors.New("the file belongs to another pull")

// Journal keeps what a pull has read in a file, so that the next one goes on after it. A step
// of the pull counts when its last line is there.
type Journal struct {
	begun time.Time // of an earlier pull; zero: there was none
	file  *os.File
	w     *bufio.Writer
	done  map[string][]json.RawMessage // the rows of each finished step, by its name
	steps int                          // that are finished
}

// journalLine is a line of the file: the head, some rows of a step, or its end.
type journalLine struct {
	Pull  string            `json:"pull,omitempty"` // what is read, in the head
	Begun time.Time         `json:"begun,omitzero"` // in the head
	Step  string            `json:"step,omitempty"`
	Rows  []json.RawMessage `json:"rows,omitempty"`
	End   bool              `json:"end,omitempty"`
}

// OpenJournal opens the journal of a pull, or begins one. pull says what is read: a journal of
// something else is an ErrJournal. The caller closes it.
func OpenJournal(name, pull string) (*Journal, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &Journal{file: file, w: bufio.NewWriter(file), done: map[string][]json.RawMessage{}}
	if err := j.begin(name, pull); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

func (j *Journal) begin(name, pull string) error {
	info, err := j.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() > maxJournal {
		return fmt.Errorf("%s is larger than %d MiB", name, maxJournal>>20)
	}
	whole, err := j.load(pull)
	if err != nil {
		return fmt.Errorf("%s: %w; remove it to begin again", name, err)
	}
	// What follows the last finished step is read again.
	if err := j.file.Truncate(whole); err != nil {
		return err
	}
	if _, err := j.file.Seek(whole, io.SeekStart); err != nil {
		return err
	}
	if whole > 0 {
		return nil
	}
	return j.line(journalLine{Pull: pull, Begun: time.Now().UTC().Truncate(time.Second)})
}

// load reads the finished steps, and returns where the last one ends.
func (j *Journal) load(pull string) (whole int64, err error) {
	in := bufio.NewReaderSize(io.LimitReader(j.file, maxJournal), 64<<10)
	var at int64
	var rows []json.RawMessage
	for {
		text, err := readLine(in)
		if errors.Is(err, io.EOF) { // also of a line that is cut off
			return whole, nil
		}
		if err != nil {
			return 0, err
		}
		at += int64(len(text))
		var l journalLine
		if err := json.Unmarshal(text, &l); err != nil {
			if whole == 0 {
				return 0, ErrJournal
			}
			return whole, nil // a crash may leave anything after what was written whole
		}
		switch {
		case whole == 0 && l.Pull != pull:
			return 0, ErrJournal
		case whole == 0:
			whole, j.begun = at, l.Begun
		case l.End:
			j.done[l.Step] = append([]json.RawMessage{}, rows...)
			j.steps++
			rows, whole = nil, at
		default:
			rows = append(rows, l.Rows...)
		}
	}
}

// readLine reads a line with its end. It returns io.EOF for one without.
func readLine(in *bufio.Reader) (line []byte, err error) {
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxJournalLine {
			return nil, ErrJournal
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

func (j *Journal) line(l journalLine) error {
	text, err := json.Marshal(l)
	if err == nil {
		_, err = j.w.Write(append(text, '\n'))
	}
	if err == nil && (l.End || l.Pull != "") {
		err = j.w.Flush()
	}
	return err
}

// Begun is when the earlier pull began that this one continues, or the zero time.
func (j *Journal) Begun() time.Time { return j.begun }

// Steps is how many steps of the pull are kept.
func (j *Journal) Steps() int { return j.steps }

// Close closes the file, and removes it if it keeps nothing.
func (j *Journal) Close() error {
	err := errors.Join(j.w.Flush(), j.file.Close())
	if j.steps == 0 {
		err = errors.Join(err, os.Remove(j.file.Name()))
	}
	return err
}

// stepRows returns the rows of a finished step.
func stepRows[T any](j *Journal, step string) (rows []T, ok bool, err error) {
	if j == nil {
		return nil, false, nil
	}
	kept, ok := j.done[step]
	if !ok {
		return nil, false, nil
	}
	delete(j.done, step) // it is read once
	rows = make([]T, len(kept))
	for i, text := range kept {
		if err := json.Unmarshal(text, &rows[i]); err != nil {
			return nil, false, fmt.Errorf("%w: the step %s: %w", ErrJournal, step, err)
		}
	}
	return rows, true, nil
}

// keep writes the rows of a finished step.
func keep[T any](j *Journal, step string, rows []T) error {
	if j == nil {
		return nil
	}
	for len(rows) > 0 {
		part := rows[:min(journalRows, len(rows))]
		rows = rows[len(part):]
		l := journalLine{Step: step}
		for _, row := range part {
			text, err := json.Marshal(row)
			if err != nil {
				return err
			}
			l.Rows = append(l.Rows, text)
		}
		if err := j.line(l); err != nil {
			return err
		}
	}
	j.steps++
	return j.line(journalLine{Step: step, End: true})
}
