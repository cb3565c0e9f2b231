package docsite

import (
	"fmt"
	"html"
	"math"
	"strings"
	"unicode/utf8"
)

// A diagram is a text of this form:
//
//	title: What the picture shows
//	[Client] [Browser]
//	[Server / one process]
//	Client -> Server: HTTP
//
// Each line of boxes is a row, from the top down. A slash with blanks around it begins a smaller
// line in a box; the first line is the name of the box. An arrow leads from the edge of one box to the
// edge of another, and must not cross a third.
type diagram struct {
	title  string
	boxes  map[string]*box
	rows   [][]*box
	arrows []arrow
}

type box struct {
	name       string
	lines      []string
	x, y, w, h float64 // of the left upper corner
}

type arrow struct {
	from, to *box
	label    string
}

// The measures of a picture, in pixels of its own.
const (
	charWidth  = 7.4
	lineHeight = 18.0
	boxGap     = 36.0
	rowGap     = 62.0
	border     = 8.0
	// maxBoxes bounds the boxes of a diagram.
	maxBoxes = 40
)

// parseDiagram reads a diagram.
func parseDiagram(text string) (*diagram, error) {
	d := &diagram{boxes: map[string]*box{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		var err error
		switch {
		case line == "":
		case strings.HasPrefix(line, "title: "):
			d.title = strings.TrimPrefix(line, "title: ")
		case strings.HasPrefix(line, "["):
			err = d.addRow(line)
		default:
			err = d.addArrow(line)
		}
		if err != nil {
			return nil, err
		}
	}
	if d.title == "" || len(d.rows) == 0 {
		return nil, fmt.Errorf("a diagram has a title and a row of boxes")
	}
	d.place()
	return d, d.check()
}

func (d *diagram) addRow(line string) error {
	var row []*box
	for part := range strings.SplitSeq(strings.TrimPrefix(line, "["), "[") {
		text, rest, ok := strings.Cut(part, "]")
		lines := strings.Split(text, " / ")
		name := lines[0]
		if !ok || strings.TrimSpace(rest) != "" || name == "" || d.boxes[name] != nil || len(d.boxes) == maxBoxes {
			return fmt.Errorf("diagram: %q is no row of at most %d boxes with different names", line, maxBoxes)
		}
		b := &box{name: name, lines: lines}
		d.boxes[name] = b
		row = append(row, b)
	}
	d.rows = append(d.rows, row)
	return nil
}

func (d *diagram) addArrow(line string) error {
	ends, label, _ := strings.Cut(line, ": ")
	from, to, ok := strings.Cut(ends, " -> ")
	if !ok || d.boxes[from] == nil || d.boxes[to] == nil || from == to {
		return fmt.Errorf("diagram: %q is no arrow between two boxes above it", line)
	}
	d.arrows = append(d.arrows, arrow{d.boxes[from], d.boxes[to], label})
	return nil
}

// place gives each box its size and its place. Rows are in the middle of the picture.
func (d *diagram) place() {
	y := border
	widest := 0.0
	for _, row := range d.rows {
		width, height := -boxGap, 0.0
		for _, b := range row {
			for _, line := range b.lines {
				b.w = max(b.w, charWidth*float64(utf8.RuneCountInString(line))+24)
			}
			b.h = lineHeight*float64(len(b.lines)) + 18
			width, height = width+b.w+boxGap, max(height, b.h)
		}
		x := 0.0
		for _, b := range row {
			b.x, b.y = x-width/2, y+(height-b.h)/2
			x += b.w + boxGap
		}
		y += height + rowGap
		widest = max(widest, width)
	}
	for _, b := range d.boxes {
		b.x += widest/2 + border
	}
}

func (b *box) middle() (x, y float64) { return b.x + b.w/2, b.y + b.h/2 }

// ends returns where an arrow begins and ends: at the edges of its boxes.
func (a arrow) ends() (x1, y1, x2, y2 float64) {
	fx, fy := a.from.middle()
	tx, ty := a.to.middle()
	x1, y1 = a.from.edge(tx, ty)
	x2, y2 = a.to.edge(fx, fy)
	return x1, y1, x2, y2
}

// edge returns where the line from the middle of the box to a point leaves the box.
func (b *box) edge(x, y float64) (ex, ey float64) {
	cx, cy := b.middle()
	dx, dy := x-cx, y-cy
	t := math.Inf(1)
	if dx != 0 {
		t = min(t, b.w/2/math.Abs(dx))
	}
	if dy != 0 {
		t = min(t, b.h/2/math.Abs(dy))
	}
	return cx + dx*t, cy + dy*t
}

// check finds arrows that cross a box.
func (d *diagram) check() error {
	for _, a := range d.arrows {
		x1, y1, x2, y2 := a.ends()
		for _, row := range d.rows {
			for _, b := range row {
				if b != a.from && b != a.to && b.crossed(x1, y1, x2, y2) {
					return fmt.Errorf("diagram: the arrow from %s to %s crosses %s", a.from.name, a.to.name, b.name)
				}
			}
		}
	}
	return nil
}

// crossed reports whether a line has a point in the box.
func (b *box) crossed(x1, y1, x2, y2 float64) bool {
	const steps = 200
	for i := range steps + 1 {
		t := float64(i) / steps
		x, y := x1+(x2-x1)*t, y1+(y2-y1)*t
		if x > b.x && x < b.x+b.w && y > b.y && y < b.y+b.h {
			return true
		}
	}
	return false
}

// svg returns the picture. Its colours are those of the style sheet.
func (d *diagram) svg() string {
	width, height := 0.0, 0.0
	for _, row := range d.rows {
		for _, b := range row {
			width, height = max(width, b.x+b.w+border), max(height, b.y+b.h+border)
		}
	}
	var s strings.Builder
	title := html.EscapeString(d.title)
	fmt.Fprintf(&s, `<figure class="diagram"><div class="scroll" tabindex="0" role="region" aria-label="Picture: %s"><svg viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="%s">`, title, width, height, width, height, title)
	s.WriteByte('\n')
	for _, a := range d.arrows {
		x1, y1, x2, y2 := a.ends()
		fmt.Fprintf(&s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/><polygon points="%s"/>`+"\n", x1, y1, x2, y2, head(x1, y1, x2, y2))
	}
	for _, row := range d.rows {
		for _, b := range row {
			b.write(&s)
		}
	}
	for _, a := range d.arrows {
		if a.label == "" {
			continue
		}
		x1, y1, x2, y2 := a.ends()
		x, y := (x1+x2)/2, (y1+y2)/2
		w := charWidth*float64(utf8.RuneCountInString(a.label)) + 8
		fmt.Fprintf(&s, `<rect class="label" x="%.1f" y="%.1f" width="%.1f" height="18"/><text x="%.1f" y="%.1f" class="label">%s</text>`+"\n", x-w/2, y-9, w, x, y+4.5, html.EscapeString(a.label))
	}
	s.WriteString("</svg></div><figcaption>" + title + "</figcaption></figure>\n")
	return s.String()
}

func (b *box) write(s *strings.Builder) {
	fmt.Fprintf(s, `<rect class="box" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="6"/>`, b.x, b.y, b.w, b.h)
	x, y := b.middle()
	y -= lineHeight * float64(len(b.lines)-1) / 2
	for i, line := range b.lines {
		class := "name"
		if i > 0 {
			class = "more"
		}
		fmt.Fprintf(s, `<text class="%s" x="%.1f" y="%.1f">%s</text>`, class, x, y+4.5+lineHeight*float64(i), html.EscapeString(line))
	}
	s.WriteByte('\n')
}

// head returns the corners of the head of an arrow.
func head(x1, y1, x2, y2 float64) string {
	const length, half = 9.0, 4.5
	l := math.Hypot(x2-x1, y2-y1)
	if l == 0 {
		l = 1
	}
	dx, dy := (x2-x1)/l, (y2-y1)/l
	bx, by := x2-dx*length, y2-dy*length
	return fmt.Sprintf("%.1f,%.1f %.1f,%.1f %.1f,%.1f", x2, y2, bx-dy*half, by+dx*half, bx+dy*half, by-dx*half)
}
