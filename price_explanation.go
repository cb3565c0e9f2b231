package cohort

// explanation takes the candidates of a price, of which each source may have a
// thousand. It lists the first ones that lost and counts the rest.
type explanation struct {
	most       int // of one source that lost
	candidates []PriceCandidate
	notListed  map[PriceSource]int // nil until something is left out
	// source is that of the last candidate, and lost is how many of it have lost.
	// The candidates of a source come one after another.
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
