package apiv3

import (
	"errors"
	"net/http"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

var accessFields = shopperFields(api.Fields[service.AccessRequest]{
	"channel_id":   nullable(func(r *service.AccessRequest) *int64 { return &r.ChannelID }, texts.ReadID),
	"product_ids":  nullable(func(r *service.AccessRequest) *[]int64 { return &r.ProductIDs }, readIDs),
	"category_ids": nullable(func(r *service.AccessRequest) *[]int64 { return &r.CategoryIDs }, readIDs),
}, func(r *service.AccessRequest) *service.ShopperQuery { return &r.ShopperQuery })

type accessWire struct {
	Shopper    shopperWire          `json:"shopper"`
	Products   []productAccessWire  `json:"products"`
	Categories []categoryAccessWire `json:"categories"`
}

type productAccessWire struct {
	ProductID int64  `json:"product_id"`
	Allowed   bool   `json:"allowed"`
	Reason    string `json:"reason"`
}

type categoryAccessWire struct {
	CategoryID int64  `json:"category_id"`
	Allowed    bool   `json:"allowed"`
	Reason     string `json:"reason"`
}

func (h *handler) checkAccess(w http.ResponseWriter, r *api.Request) error {
	request, err := decodeBody(r, accessFields)
	if err != nil {
		return err
	}
	checked, err := h.svc.CheckAccess(r.Context(), r.Store.Key, request)
	if err != nil {
		return locateAccess(err)
	}
	wire := accessWire{toShopperWire(checked.Shopper), []productAccessWire{}, []categoryAccessWire{}}
	for i, d := range checked.Products {
		wire.Products = append(wire.Products, productAccessWire{request.ProductIDs[i], d.Allowed, d.Reason})
	}
	for i, d := range checked.Categories {
		wire.Categories = append(wire.Categories, categoryAccessWire{request.CategoryIDs[i], d.Allowed, d.Reason})
	}
	return writeSingle(w, wire)
}

// locateAccess adds the fields to the paths of errors about products and categories.
func locateAccess(err error) error {
	wrong, ok := errors.AsType[service.AccessErrors](err)
	if !ok {
		return err
	}
	var failed failures
	failed.add("product_ids", wrong.Products)
	failed.add("category_ids", wrong.Categories)
	return failed
}
