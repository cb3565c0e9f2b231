package api

// tokenizer takes an array or an object apart. Its text was checked before, so it
// only has to find where things end. That is worth a loop of its own, because
// what is nested is passed once for every level around it.
type tokenizer struct{ scanner }

// newTokenizer returns a tokenizer that stands at the first thing in a container.
func newTokenizer(container Value) tokenizer {
	c := tokenizer{scanner{data: container.raw, pos: 1}}
	c.space()
	return c
}

// atEnd reports whether there is nothing more in the container.
func (c *tokenizer) atEnd() bool { return c.data[c.pos] == '}' || c.data[c.pos] == ']' }

// next cuts out a value or the name of a field, and passes the comma or colon
// behind it.
func (c *tokenizer) next() Value {
	start := c.pos
	switch c.data[c.pos] {
	case '"':
		c.passText()
	case '{', '[':
		c.passContainer()
	default:
		c.passWord()
	}
	v := Value{c.data[start:c.pos]}
	c.space()
	if b := c.data[c.pos]; b == ',' || b == ':' {
		c.pos++
		c.space()
	}
	return v
}

func (c *tokenizer) passText() {
	i := c.pos + 1
	for ; c.data[i] != '"'; i++ {
		if c.data[i] == '\\' {
			i++ // whatever it is, it does not end the text
		}
	}
	c.pos = i + 1
}

func (c *tokenizer) passContainer() {
	for open := 0; ; {
		switch c.data[c.pos] {
		case '"':
			c.passText()
			continue
		case '{', '[':
			open++
		case '}', ']':
			open--
		}
		c.pos++
		if open == 0 {
			return
		}
	}
}

// passWord passes a number, true, false or null.
func (c *tokenizer) passWord() {
	for {
		switch c.data[c.pos] {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return
		}
		c.pos++
	}
}
