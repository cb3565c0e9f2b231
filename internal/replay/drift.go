package replay

import (
	"iter"

	"cohort.example/cohort/internal/exchange"
)

// Drift compares two recordings of a store and yields a result for each exchange of the
// newer one. The exchanges that belong together have the same method, path and query, in
// their order. One without a counterpart is skipped.
func Drift(older, newer iter.Seq2[*exchange.Exchange, error]) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		known := map[string][]answer{} // without their bodies, of which only the shapes matter
		for e, err := range older {
			if err != nil {
				yield(Result{}, err)
				return
			}
			a := recorded(e)
			a.json = nil
			known[requestOf(e)] = append(known[requestOf(e)], a)
		}
		for e, err := range newer {
			if err != nil {
				yield(Result{}, err)
				return
			}
			r := Result{ID: e.ID, Method: e.Method, Target: e.Target()}
			switch before := known[requestOf(e)]; {
			case len(before) == 0:
				r.Skipped = "the older recording does not have it"
			case isFailure(before[0].status) || isFailure(e.Status):
				r.Skipped = failureOfTheMoment
				known[requestOf(e)] = before[1:]
			default:
				r.Differences = compare(before[0], recorded(e), nil)
				known[requestOf(e)] = before[1:]
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func requestOf(e *exchange.Exchange) string { return e.Method + " " + e.Target() }
