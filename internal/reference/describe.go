package reference

// Lines is what a page shows of an operation besides its head.
type Lines struct {
	Parameters []ParameterLine
	Body       *BodyLine // nil: a request has none
	Responses  []ResponseLine
	Headers    []HeaderLine
}

// ParameterLine is a parameter in a table.
type ParameterLine struct {
	Name, In, Type, Rules string
	Required              bool
	Meaning               []Piece
}

// BodyLine is a body with its fields.
type BodyLine struct {
	Format, Type string
	Required     bool
	Meaning      []Piece
	Rows         []Row
	Cut          bool // there are more fields than rows
	Examples     []Example
}

// ResponseLine is a response with one status.
type ResponseLine struct {
	Status  string
	Meaning []Piece
	Headers []string
	Body    *BodyLine // nil: it has none
}

// HeaderLine is a header that some of the responses have.
type HeaderLine struct {
	Name    string
	Meaning []Piece
}

// Describe returns the lines of an operation of the document.
func (d *Document) Describe(o *Operation) Lines {
	var p Lines
	for _, param := range o.Parameters {
		line := ParameterLine{Name: param.Name, In: param.In, Required: param.Required, Type: d.Parts.TypeOf(param.Schema, nil), Meaning: Pieces(param.Description)}
		if whole, seen := d.Parts.Follow(param.Schema, nil); whole != nil {
			line.Rules = d.Parts.RulesOf(whole, seen)
		}
		p.Parameters = append(p.Parameters, line)
	}
	if b := o.Body(); b != nil {
		p.Body = d.bodyLine(b)
		p.Body.Required, p.Body.Examples = o.RequestBody.Required, d.ExamplesOf(b.Value)
	}
	p.Responses, p.Headers = d.responseLines(o)
	return p
}

func (d *Document) bodyLine(m *Pair[Media]) *BodyLine {
	b := &BodyLine{Format: m.Key}
	if m.Value.Schema == nil {
		return b
	}
	b.Type = d.Parts.TypeOf(m.Value.Schema, nil)
	if whole, _ := d.Parts.Follow(m.Value.Schema, nil); whole != nil {
		b.Meaning = Pieces(whole.Description)
	}
	b.Rows, b.Cut = d.RowsOf(m.Value.Schema)
	return b
}

// responseLines returns the responses of an operation, and what their headers mean.
func (d *Document) responseLines(o *Operation) (lines []ResponseLine, headers []HeaderLine) {
	known := map[string]bool{}
	for _, r := range o.Responses {
		line := ResponseLine{Status: r.Key, Meaning: Pieces(r.Value.Description)}
		for _, h := range r.Value.Headers {
			line.Headers = append(line.Headers, h.Key)
			if !known[h.Key] {
				known[h.Key] = true
				headers = append(headers, HeaderLine{h.Key, Pieces(h.Value.Description)})
			}
		}
		if len(r.Value.Content) > 0 {
			line.Body = d.bodyLine(&r.Value.Content[0])
		}
		lines = append(lines, line)
	}
	return lines, headers
}
