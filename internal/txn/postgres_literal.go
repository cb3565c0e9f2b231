package txn

import (
	"regexp"
	"strconv"
	"strings"
)

// maxLiteralStores bounds for how many stores of the last minute a node has statements that
// name the store: each is prepared on each connection.
const maxLiteralStores = 200

// literalStatements bounds the prepared statements of a connection to a distributed database.
const literalStatements = 1024

var (
	placeholderText = regexp.MustCompile(`\$\d+`)
	plainKey        = regexp.MustCompile(`^[a-z0-9_.-]+$`)
)

// literal returns a query with the key of the store in its text instead of the first argument,
// if this is a query of one store on the server that has its rows. Citus then plans it like a
// query of the table that has them, and keeps the plan. With an argument, it looks for the
// table at each execution, which takes several times as long as a lookup.
func (s *postgresSession) literal(query string, args []any) (string, []any) {
	if !s.once || !s.place.literal || len(args) == 0 || args[0] != any(s.store) || !plainKey.MatchString(s.store) {
		return query, args
	}
	var b strings.Builder
	for _, part := range splitPlaceholders(query) {
		b.WriteString(part.text)
		switch part.arg {
		case 0:
		case 1:
			b.WriteString("'" + s.store + "'")
		default:
			b.WriteString("$" + strconv.Itoa(part.arg-1))
		}
	}
	return b.String(), args[1:]
}

// queryPart is a part of a query and the number of the argument that follows, 0 for none.
type queryPart struct {
	text string
	arg  int
}

func splitPlaceholders(query string) (parts []queryPart) {
	from := 0
	for _, at := range placeholderText.FindAllStringIndex(query, -1) {
		n, _ := strconv.Atoi(query[at[0]+1 : at[1]]) // they are digits
		parts = append(parts, queryPart{query[from:at[0]], n})
		from = at[1]
	}
	return append(parts, queryPart{text: query[from:]})
}
