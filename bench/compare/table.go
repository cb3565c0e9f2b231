package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// line is a line of the table.
type line struct {
	row, what, cohort, peer string

	figure float64   // the goal is for this figure
	spread []float64 // the smallest and the largest of the rounds, if there are rounds
	form   string    // format of the figures
	goal   *goal     // nil without a goal
	note   string    // the reason if there is no figure
}

// goal is the target of a figure.
type goal struct {
	atLeast bool
	limit   float64
}

func atLeast(limit float64) *goal { return &goal{true, limit} }
func atMost(limit float64) *goal  { return &goal{false, limit} }

func (g *goal) reached(figure float64) bool {
	if g.atLeast {
		return figure >= g.limit
	}
	return figure <= g.limit
}

// cells are the columns from the figure on.
func (l line) cells() (figure, spread, goal, verdict string) {
	if l.note != "" {
		return "", "", "", l.note
	}
	figure = fmt.Sprintf(l.form, l.figure)
	if len(l.spread) == 2 {
		spread = fmt.Sprintf(l.form+" to "+l.form, l.spread[0], l.spread[1])
	}
	if l.goal == nil {
		return figure, spread, "", ""
	}
	sign := "at most "
	if l.goal.atLeast {
		sign = "at least "
	}
	verdict = "NOT REACHED"
	if l.goal.reached(l.figure) {
		verdict = "reached"
	}
	return figure, spread, sign + fmt.Sprintf(l.form, l.goal.limit), verdict
}

// printTable omits the verdicts when the figures mean nothing.
func printTable(w io.Writer, lines []line, judge bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ROW\tWHAT\tCOHORT\tBESIDE IT\tFIGURE\tROUNDS\tGOAL\t")
	for _, l := range lines {
		figure, spread, goal, verdict := l.cells()
		if !judge && l.note == "" {
			verdict = ""
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.row, l.what, l.cohort, l.peer, figure, spread, goal, verdict)
	}
	return t.Flush()
}
