package cli

import "time"

// What a client's connection may take, so that a slow or idle one cannot hold on to
// the server. Decision 0021 says why these.
const (
	// readHeaderTimeout is how long a request's header may take to arrive.
	readHeaderTimeout = 10 * time.Second
	// readTimeout is how long a whole request may take to arrive.
	readTimeout = 30 * time.Second
	// writeTimeout is how long it may take from a request's header to the end of its
	// answer.
	writeTimeout = 60 * time.Second
	// idleTimeout is how long a connection may wait for its next request.
	idleTimeout = 120 * time.Second
	// maxHeaderBytes is how long a request's header may be, in bytes.
	maxHeaderBytes = 64 << 10
)
