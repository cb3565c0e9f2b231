package cli

import (
	"bytes"
	"encoding/json"
	"strings"
)

// prettyWidth is how wide a JSON value may be, in bytes, to stay on one line.
const prettyWidth = 100

// prettyJSON returns a JSON text with line breaks where it is longer than a line. Any
// other text is returned as it is.
func prettyJSON(text string) string {
	if !json.Valid([]byte(text)) {
		return text
	}
	var b strings.Builder
	writePretty(&b, json.RawMessage(text), "")
	return b.String()
}

// writePretty writes a valid JSON value whose first line is indented already.
func writePretty(b *strings.Builder, value json.RawMessage, indent string) {
	var line bytes.Buffer
	_ = json.Compact(&line, value) // the value is valid
	text := line.Bytes()
	if len(indent)+len(text) <= prettyWidth || text[0] != '{' && text[0] != '[' {
		b.Write(text)
		return
	}
	decoder := json.NewDecoder(&line)
	b.WriteByte(text[0])
	last := text[len(text)-1]
	inner, separator := indent+"  ", "\n"
	for _, _ = decoder.Token(); decoder.More(); separator = ",\n" { // the first token is the bracket
		b.WriteString(separator + inner)
		if last == '}' {
			key, _ := decoder.Token()
			name, _ := json.Marshal(key)
			b.WriteString(string(name) + ": ")
		}
		var element json.RawMessage
		_ = decoder.Decode(&element)
		writePretty(b, element, inner)
	}
	b.WriteString("\n" + indent + string(last))
}
