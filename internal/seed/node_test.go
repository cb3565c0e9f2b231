package seed

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// values generates values of any type.
func values(depth int) *rapid.Generator[*Node] {
	return rapid.Custom(func(t *rapid.T) *Node {
		kinds := 6
		if depth == 0 {
			kinds = 4
		}
		n := &Node{Kind: Kind(rapid.IntRange(0, kinds-1).Draw(t, "kind"))}
		switch n.Kind {
		case Null:
		case Bool:
			n.Text = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")
		case Number:
			n.Text = rapid.SampledFrom([]string{"0", "-1", "29.95", "1e5", "0.0001", "123456789012345678", "1234567890123456789012"}).Draw(t, "number")
		case Text:
			n.Text = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
				"", " ", "yes", "no", "null", "~", "12", "1.0", "0x10", "2026-01-01", "a: b", "- x", "# c", "<<", "line\nbreak\n", " lead", "trail ", "\t", "\u0085", "\u2028",
				"\ufeff", "'", `"`, "\x00", "\x7f", "{a}", "[", "*x", "&x", "!t", "%", "@", "`", "|", ">", "1_000", "=", "é", "😀", "0o17", ".inf", "a\r\nb",
			})).Draw(t, "text")
		case List:
			n.Items = rapid.SliceOfN(values(depth-1), 0, 4).Draw(t, "items")
		case Object:
			for i, v := range rapid.SliceOfN(values(depth-1), 0, 4).Draw(t, "values") {
				n.Fields = append(n.Fields, Field{strings.Repeat("a", i) + rapid.SampledFrom([]string{"x", "1", "true", "null", " ", "<<"}).Draw(t, "name"), v})
			}
		}
		return n
	})
}

// A value that is written is read as the same value, in both formats.
func TestWriteAndParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := newObject(Field{"value", values(3).Draw(t, "value")})
		for _, f := range []Format{YAML, JSON} {
			text, err := Write(want, f)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Parse(text)
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			if unique(want) == nil && !got.equal(want) {
				t.Fatalf("%s: %s is read as %s from\n%s", f, want.appendJSON(nil), got.appendJSON(nil), text)
			}
		}
	})
}
