package cli

import "time"

// Timeouts for slow and idle clients. Decision 0021 says why they have these values.
const (
	// readHeaderTimeout is how long a request's header may take to arrive.
	readHeaderTimeout = 10 * time.Second
	// readTimeout is how long a request with its body may take to arrive.
	readTimeout = 30 * time.Second
	// writeTimeout is how long it may take from the header of a request to the end of
	// its response.
	writeTimeout = 60 * time.Second
	// idleTimeout is how long a connection may wait for the next request.
	idleTimeout = 120 * time.Second
	// maxHeaderBytes bounds the header of a request, in bytes.
	maxHeaderBytes = 64 << 10
)
