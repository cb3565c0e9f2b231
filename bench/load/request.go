package load

import "strconv"

// Client is the common part of all requests of a caller. All servers get the
// same header, whether or not they use the token.
type Client struct {
	Host  string
	Token string
}

// Get appends the end of a request without a body: the part after "GET /path".
func (c Client) Get(b []byte) []byte {
	b = c.fields(b)
	return append(b, "\r\n"...)
}

// Send appends the end of a request with a body of the given size, up to the
// body: the part after "POST /path".
func (c Client) Send(b []byte, size int) []byte {
	b = c.fields(b)
	b = append(b, "Content-Type: application/json\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(size), 10)
	return append(b, "\r\n\r\n"...)
}

func (c Client) fields(b []byte) []byte {
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, c.Host...)
	b = append(b, "\r\nX-Auth-Token: "...)
	b = append(b, c.Token...)
	return append(b, "\r\nAccept: application/json\r\n"...)
}
