package api

// tokenizer splits an array or an object into its elements. The scanner has
// already checked the text, so the tokenizer only looks for the end of each
// element. This loop is separate from the scanner's because it has to be fast: a
// nested value is passed once for every level around it.
type tokenizer struct {
	scanner
	unread *Unread // of the container
}

// newTokenizer returns a tokenizer at the first element of a container.
func newTokenizer(container Value) tokenizer {
	t := tokenizer{scanner{data: container.raw, pos: 1}, container.unread}
	t.space()
	return t
}

// atEnd reports whether the container has no more elements.
func (t *tokenizer) atEnd() bool { return t.data[t.pos] == '}' || t.data[t.pos] == ']' }

// next returns a value or a field name and skips the comma or colon after it.
func (t *tokenizer) next() Value {
	start := t.pos
	switch t.data[t.pos] {
	case '"':
		t.skipText()
	case '{', '[':
		t.skipContainer()
	default:
		t.skipWord()
	}
	v := Value{t.data[start:t.pos], t.unread}
	t.space()
	if b := t.data[t.pos]; b == ',' || b == ':' {
		t.pos++
		t.space()
	}
	return v
}

func (t *tokenizer) skipText() {
	i := t.pos + 1
	for ; t.data[i] != '"'; i++ {
		if t.data[i] == '\\' {
			i++ // an escaped character never ends the string
		}
	}
	t.pos = i + 1
}

func (t *tokenizer) skipContainer() {
	for open := 0; ; {
		switch t.data[t.pos] {
		case '"':
			t.skipText()
			continue
		case '{', '[':
			open++
		case '}', ']':
			open--
		}
		t.pos++
		if open == 0 {
			return
		}
	}
}

// skipWord skips a number, true, false or null.
func (t *tokenizer) skipWord() {
	for {
		switch t.data[t.pos] {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return
		}
		t.pos++
	}
}
