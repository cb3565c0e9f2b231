package client

// IntRange selects by a whole number. An absent end does not bound it. Both ends are
// included.
type IntRange struct {
	Min Opt[int64] `query:":min"`
	Max Opt[int64] `query:":max"`
}

// AmountRange selects by a number such as a price. An absent end does not bound it. Both ends
// are included.
type AmountRange struct {
	Min Opt[Amount] `query:":min"`
	Max Opt[Amount] `query:":max"`
}
