package seed

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Format is a format of an export.
type Format string

// The formats.
const (
	YAML Format = "yaml"
	JSON Format = "json"
)

// Write returns a seed as a text. Equal seeds give equal texts.
func Write(n *Node, f Format) ([]byte, error) {
	if f == JSON {
		var b bytes.Buffer
		if err := json.Indent(&b, n.appendJSON(nil), "", "  "); err != nil {
			return nil, err
		}
		b.WriteByte('\n')
		return b.Bytes(), nil
	}
	return yaml.Dump(toYAML(n), yaml.WithFlowSimpleCollections(), yaml.WithLineWidth(120))
}

// tags are the tags of the scalars of YAML.
var tags = map[Kind]string{Null: "!!null", Bool: "!!bool", Number: "!!float", Text: "!!str"}

// formerBools were values of type bool in YAML 1.1, which many programs still read.
var formerBools = []string{"y", "n", "yes", "no", "on", "off"}

// toYAML converts a value to a node of the library, which quotes texts that would be read
// as something else.
func toYAML(n *Node) *yaml.Node {
	y := &yaml.Node{Kind: yaml.ScalarNode, Value: n.Text, Tag: tags[n.Kind]}
	switch n.Kind {
	case Null:
		y.Value = "null"
	case Number:
		if _, whole := n.int(); whole {
			y.Tag = "!!int"
		}
	case List:
		y.Kind, y.Tag = yaml.SequenceNode, "!!seq"
		for _, item := range n.Items {
			y.Content = append(y.Content, toYAML(item))
		}
	case Object:
		y.Kind, y.Tag = yaml.MappingNode, "!!map"
		for _, f := range n.Fields {
			y.Content = append(y.Content, toYAML(newText(f.Name)), toYAML(f.Value))
		}
	case Text:
		if slices.Contains(formerBools, strings.ToLower(n.Text)) {
			y.Style = yaml.SingleQuotedStyle
		}
	case Bool:
	}
	return y
}
