package cohort

// explanation collects the candidates of a price. A source can have a thousand, so it
// lists the winner and the first losers of each source, and counts the rest.
type explanation struct {
	most       int // losers to list of each source
	candidates []PriceCandidate
	notListed  map[PriceSource]int // nil until something is left out
	// source is the source of the last candidate, and lost counts its listed losers. The
	// candidates of a source are added one after another.
	source PriceSource
	lost   int
}

func (e *explanation) add(c PriceCandidate) {
	if c.Source != e.source {
		e.source, e.lost = c.Source, 0
	}
	if !c.Won {
		if e.lost >= e.most {
			e.leaveOut(c.Source, 1)
			return
		}
		e.lost++
	}
	e.candidates = append(e.candidates, c)
}

// leaveOut counts candidates of a source that are not listed.
func (e *explanation) leaveOut(s PriceSource, n int) {
	if n == 0 {
		return
	}
	if e.notListed == nil {
		e.notListed = map[PriceSource]int{}
	}
	e.notListed[s] += n
}
