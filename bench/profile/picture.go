package main

import (
	"fmt"
	"strings"
)

// picture is the file of the picture in the folder of the documentation.
const picture = "pictures/time.svg"

// colors are those of the layers. The runtime and the kernel are grey.
var colors = []string{
	"#9aa5b1", "#7b61c9", "#3f6fd1", "#2a9d8f", "#8ab17d", "#e9c46a", "#f4a261", "#c3cad2", "#d8dde3", "#e9ecef",
}

// The sizes of the picture, in pixels.
const (
	pictureWidth = 900
	barLeft      = 110
	barWidth     = pictureWidth - barLeft - 20
	barHeight    = 34
	barStep      = 48
	legendTop    = 24
	perLine      = 5 // layers in a line of the legend
)

// svg is the picture: a bar for each kind of request, divided into the layers.
func (t table) svg() string {
	var b strings.Builder
	bars := legendTop + 24*((len(layers)+perLine-1)/perLine)
	height := bars + barStep*len(t) + 10
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">
<title>The share of each layer in the processor time of a request</title>
<rect width="100%%" height="100%%" fill="#ffffff"/>
`, pictureWidth, height, pictureWidth, height)
	for i, layer := range layers {
		x, y := 20+(i%perLine)*(pictureWidth-40)/perLine, legendTop+24*(i/perLine)
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="13" height="13" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n",
			x, y-11, colors[i], x+19, y, layer)
	}
	for j, c := range t {
		top := bars + barStep*j
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", barLeft-10, top+barHeight/2+5, c.name)
		c.bar(&b, top)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// bar draws the layers of one kind of request. Rounded shares do not sum up to 100, so
// they are drawn in proportion to their sum.
func (c column) bar(b *strings.Builder, top int) {
	sum, left := 0.0, float64(barLeft)
	for _, s := range c.shares {
		sum += s
	}
	for i, s := range c.shares {
		width := s / max(sum, 1) * barWidth
		fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"><title>%s: %.0f %%</title></rect>`+"\n",
			left, top, width, barHeight, colors[i], layers[i], s)
		if s >= 4 { // narrower ones have no room for a figure
			fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%.0f</text>`+"\n", left+width/2, top+barHeight/2+5, s)
		}
		left += width
	}
}
