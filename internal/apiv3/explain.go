package apiv3

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

type explanationWire struct {
	ProductID  int64           `json:"product_id"`
	VariantID  int64           `json:"variant_id,omitempty"`
	Item       json.RawMessage `json:"reference_request"`
	Calculated amount          `json:"calculated_price"`
	Currency   string          `json:"currency"`
	Shopper    shopperWire     `json:"shopper"`
	Candidates []candidateWire `json:"candidates"`
	// Modifiers are those that the calculated price includes.
	Modifiers []modifierWire `json:"modifiers,omitempty"`
	// NotListed counts the losing candidates that are omitted, by source.
	NotListed map[cohort.PriceSource]int `json:"not_listed,omitempty"`
}

// candidateWire is a candidate for the price. Fields that it does not have are
// omitted.
type candidateWire struct {
	Source   cohort.PriceSource `json:"source"`
	ListID   int64              `json:"price_list_id,omitempty"`
	ListName string             `json:"price_list_name,omitempty"`
	Rule     *ruleWire          `json:"rule,omitempty"`
	Path     []categoryStep     `json:"path,omitempty"`
	Tier     *tierWire          `json:"tier,omitempty"`
	Base     *amount            `json:"base,omitempty"`
	Gives    optionalAmount     `json:"gives"`
	Won      bool               `json:"won"`
	Reason   string             `json:"reason"`
}

// modifierWire is a modifier's value in a price. Adds is null if it adds nothing, because
// its amount is in another currency.
type modifierWire struct {
	OptionID int64               `json:"option_id"`
	ValueID  int64               `json:"value_id"`
	Adjuster cohort.AdjusterKind `json:"adjuster"`
	Value    amount              `json:"adjuster_value"`
	Adds     optionalAmount      `json:"adds"`
}

type ruleWire struct {
	Type       cohort.RuleType `json:"type"`
	CategoryID int64           `json:"category_id,omitempty"`
	ProductID  int64           `json:"product_id,omitempty"`
	Method     cohort.Method   `json:"method"`
	Amount     amount          `json:"amount"`
}

type categoryStep struct {
	CategoryID int64  `json:"category_id"`
	Name       string `json:"name"`
}

func (h *handler) explainPrices(w http.ResponseWriter, r *api.Request) error {
	full, asOf, err := readExplain(r)
	if err != nil {
		return err
	}
	request, err := decodePriceRequest(r)
	if err != nil {
		return err
	}
	request.Full, request.AsOf = full, asOf
	explained, err := h.svc.ExplainPrices(r.Context(), r.Store.Key, request)
	if err != nil {
		return locate("items", err)
	}
	body, err := appendExplanations(r.Context(), explained)
	if err != nil {
		return err
	}
	api.WriteEncoded(w, http.StatusOK, body)
	return nil
}

// readExplain reads the parameters. It ignores others, like every operation that is not a
// list.
func readExplain(r *api.Request) (full bool, asOf time.Time, err error) {
	params, err := r.ParseQuery()
	if err != nil {
		return full, asOf, err
	}
	var failed failures
	for _, p := range params {
		switch p.Name {
		case "full":
			full = p.Value == "true"
			if !full && p.Value != "false" {
				failed.add(p.Name, cohort.Invalid("", "The value must be true or false."))
			}
		case "as_of":
			if asOf, err = readPastTime(p.Value); err != nil {
				failed.add(p.Name, err)
			}
		default:
			r.Unread.IgnoreParam(p.Name)
		}
	}
	return full, asOf, failed.err()
}

// appendExplanations encodes item by item, to avoid a second copy of the whole
// response and to stop when the request is canceled.
func appendExplanations(ctx context.Context, e service.PriceExplanation) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`{"data":[`)
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	for i, a := range e.Items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encoder.Encode(toExplanationWire(e, a)); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1) // the line break
	}
	b.WriteString(`],"meta":{}}`)
	return b.Bytes(), nil
}

func toExplanationWire(e service.PriceExplanation, a service.ItemPrice) explanationWire {
	item := append(appendItem([]byte{'{'}, a.Item), '}')
	w := explanationWire{
		ProductID: a.Item.ProductID, VariantID: a.VariantID, Item: item, Calculated: amount(a.Calculated.Decimal),
		Currency: e.Currency.Code, Shopper: toShopperWire(e.Shopper), Candidates: make([]candidateWire, len(a.Candidates)),
		NotListed: a.NotListed,
	}
	for i, c := range a.Candidates {
		w.Candidates[i] = toCandidateWire(c, e.CategoryNames)
	}
	for _, m := range a.Modifiers {
		w.Modifiers = append(w.Modifiers, modifierWire{m.OptionID, m.ValueID, m.Kind, amount(m.Amount), optionalAmount(m.Adds)})
	}
	return w
}

func toCandidateWire(c cohort.PriceCandidate, names map[int64]string) candidateWire {
	w := candidateWire{
		Source: c.Source, ListID: c.List.ID, ListName: c.List.Name, Base: amountOrNil(c.Base),
		Gives: optionalAmount(c.Gives), Won: c.Won, Reason: c.Reason,
	}
	if c.Rule.Type != "" {
		w.Rule = toRuleWire(c.Rule)
	}
	for _, id := range c.Path {
		w.Path = append(w.Path, categoryStep{id, names[id]})
	}
	if c.Source == cohort.SourceBulkTier {
		w.Tier = &tierWire{c.Tier.QuantityMin, c.Tier.QuantityMax, c.Tier.Method, amount(c.Tier.Amount)}
	}
	return w
}

func toRuleWire(r cohort.DiscountRule) *ruleWire {
	w := &ruleWire{Type: r.Type, Method: r.Method, Amount: amount(r.Amount)}
	switch r.Type {
	case cohort.RuleCategory:
		w.CategoryID = r.TargetID
	case cohort.RuleProduct:
		w.ProductID = r.TargetID
	case cohort.RuleAll, cohort.RulePriceList: // without a category or product
	}
	return w
}

// amountOrNil returns nil for a null amount.
func amountOrNil(d decimal.NullDecimal) *amount {
	if !d.Valid {
		return nil
	}
	a := amount(d.Decimal)
	return &a
}
