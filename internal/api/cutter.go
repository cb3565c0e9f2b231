package api

// cutter takes an array or an object apart. Its text was checked before, so it
// only has to find where things end. That is worth a loop of its own, because
// what is nested is passed once for every level around it.
type cutter struct{ scanner }

// newCutter returns a cutter that stands at the first thing in a container.
func newCutter(container Value) cutter {
	c := cutter{scanner{data: container.raw, pos: 1}}
	c.space()
	return c
}

// atEnd reports whether there is nothing more in the container.
func (c *cutter) atEnd() bool { return c.data[c.pos] == '}' || c.data[c.pos] == ']' }

// next cuts out a value or the name of a field, and passes the comma or colon
// behind it.
func (c *cutter) next() Value {
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

func (c *cutter) passText() {
	i := c.pos + 1
	for ; c.data[i] != '"'; i++ {
		if c.data[i] == '\\' {
			i++ // whatever it is, it does not end the text
		}
	}
	c.pos = i + 1
}

func (c *cutter) passContainer() {
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
func (c *cutter) passWord() {
	for {
		switch c.data[c.pos] {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return
		}
		c.pos++
	}
}
