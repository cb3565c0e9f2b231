package mcp

import (
	"cmp"
	"context"
	"errors"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

func accessTools() []tool {
	return []tool{define(tool{
		name: "check_access", title: "Check what a shopper sees", operations: []string{"checkAccess"},
		description: "Whether a customer, a member of a group or a guest sees a product or a category, and the reason.",
	}, (*caller).checkAccess)}
}

type checkAccessInput struct {
	shopperInput
	Product  ref      `json:"product,omitempty" jsonschema:"id or exact name"`
	Category ref      `json:"category,omitempty" jsonschema:"instead of product: id or exact name"`
	Channel  positive `json:"channel,omitempty"`
}

// accessAnswer is the answer of check_access.
type accessAnswer struct {
	Sees     bool   `json:"sees"`
	Reason   string `json:"reason"`
	For      string `json:"for"`
	WhyGroup string `json:"why_group"`
}

func (c *caller) checkAccess(ctx context.Context, in checkAccessInput) (any, error) {
	r := service.AccessRequest{ChannelID: int64(cmp.Or(in.Channel, cohort.FirstChannelID))}
	if (in.Product != "") == (in.Category != "") {
		return nil, cohort.Invalid("product", "give either product or category")
	}
	var err error
	if r.ShopperQuery, err = c.shopper(ctx, in.shopperInput); err != nil {
		return nil, err
	}
	if in.Product != "" {
		p, err := c.product(ctx, "product", in.Product)
		if err != nil {
			return nil, err
		}
		r.ProductIDs = []int64{p.ID}
	} else {
		id, err := c.category(ctx, in.Category)
		if err != nil {
			return nil, err
		}
		r.CategoryIDs = []int64{id}
	}
	result, err := c.Service.CheckAccess(ctx, c.store.Key, r)
	if err != nil {
		return nil, accessError(err)
	}
	d := append(result.Products, result.Categories...)[0]
	return accessAnswer{d.Allowed, d.Reason, result.Shopper.String(), result.Shopper.Reason}, nil
}

// accessError returns the error of the only product or category of a question.
func accessError(err error) error {
	if wrong, ok := errors.AsType[service.AccessErrors](err); ok {
		return wrong.Unwrap()[0]
	}
	return err
}
