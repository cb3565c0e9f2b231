package console

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/numeral"
	"cohort.example/cohort/internal/service"
)

// maxMoved bounds the customers that a list names.
const maxMoved = 50_000

// memberList is a list of customers by ids and e-mail addresses, as an operator has made it.
type memberList struct {
	ids    []int64
	emails []string
}

func (l memberList) len() int { return len(l.ids) + len(l.emails) }

// parseMembers reads a list with a customer in each line: an id or an e-mail address, which
// may be the first column of a CSV. A first line that is neither is a heading. Its errors
// name the line.
func parseMembers(text string) (l memberList, err error) {
	place := 0
	for line := range strings.Lines(text) {
		place++
		word, _, _ := strings.Cut(strings.Map(separator, line), ",")
		word = strings.Trim(word, " \t\r\n\"\ufeff")
		id, err := strconv.ParseInt(word, 10, 64)
		switch {
		case word == "":
		case err == nil && id > 0:
			l.ids = append(l.ids, id)
		case strings.Contains(word, "@"):
			l.emails = append(l.emails, word)
		case place > 1:
			return l, cohort.Invalid("list", fmt.Sprintf("Line %d: %q is neither an id nor an e-mail address.", place, shortened(word, 60)))
		}
		if l.len() > maxMoved {
			return l, cohort.Invalid("list", fmt.Sprintf("The list has more than %s customers.", numeral.Number(maxMoved)))
		}
	}
	if l.len() == 0 {
		return l, cohort.Invalid("list", "Choose customers, or list them by id or e-mail address.")
	}
	return l, nil
}

// separator turns the separators of spreadsheets into commas.
func separator(r rune) rune {
	if r == ';' || r == '\t' {
		return ','
	}
	return r
}

// text returns the list with a line for each customer.
func (l memberList) text() string {
	var b strings.Builder
	for _, id := range l.ids {
		fmt.Fprintln(&b, id)
	}
	for _, email := range l.emails {
		fmt.Fprintln(&b, email)
	}
	return b.String()
}

// slice returns as many customers of the list as one move takes, and the others.
func (l memberList) slice() (move service.MemberMove, rest memberList) {
	if n := min(len(l.ids), service.MaxBulkMembers); n > 0 {
		return service.MemberMove{IDs: l.ids[:n], SkipUnknown: true}, memberList{l.ids[n:], l.emails}
	}
	n := min(len(l.emails), service.MaxBulkMembers)
	return service.MemberMove{Emails: l.emails[:n], SkipUnknown: true}, memberList{nil, l.emails[n:]}
}

// readUpload reads a form with a file, which takes the place of the field of a name: after a
// refusal, that has the text of the file before. The form has at most most bytes.
func (c *call) readUpload(name string, most int64) error {
	if !strings.HasPrefix(c.r.Header.Get("Content-Type"), "multipart/") {
		return nil
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, most)
	if err := c.r.ParseMultipartForm(most); err != nil {
		return formError(err)
	}
	defer func() { _ = c.r.MultipartForm.RemoveAll() }()
	c.form = c.r.MultipartForm.Value
	file, _, err := c.r.FormFile("file")
	if err != nil {
		return nil // none was chosen
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return formError(err)
	}
	if len(text) > 0 {
		c.form.Set(name, string(text))
	}
	return nil
}

// uploaded returns the text of a field, or of the file that was sent in its place.
func (c *call) uploaded(name string, most int64) (string, error) {
	// The names and the other fields of the form come on top.
	if err := c.readUpload(name, most+maxForm); err != nil {
		return "", err
	}
	return c.form.Get(name), nil
}
