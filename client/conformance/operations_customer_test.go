package conformance

import (
	"context"
	"errors"

	"cohort.example/cohort/client"
)

// operationsOfCustomerData are the methods about form fields, consent, settings and metafields.
func operationsOfCustomerData() []operation {
	type consent struct {
		Allow []string `json:"allow"`
		Deny  []string `json:"deny"`
	}
	return []operation{
		newOperation("GET /v3/customers/form-field-values", list(func(c *client.Client, ctx context.Context, f client.FormFieldFilter, p client.Page) ([]client.FormField, error) {
			return c.FormFields.List(ctx, f, p)
		})),
		newOperation("PUT /v3/customers/form-field-values", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.FormField) ([]client.FormField, error) {
			return c.FormFields.Put(ctx, in)
		})),
		newOperation("GET /v3/customers/{id}/consent", plain(func(c *client.Client, ctx context.Context, ids []int64) (client.Consent, error) {
			return c.Consents.Get(ctx, ids[0])
		})),
		newOperation("PUT /v3/customers/{id}/consent", send(func(c *client.Client, ctx context.Context, ids []int64, in consent) (client.Consent, error) {
			return c.Consents.Set(ctx, ids[0], in.Allow, in.Deny)
		})),
		newOperation("GET /v3/customers/settings", plain(func(c *client.Client, ctx context.Context, _ []int64) (client.CustomerSettings, error) {
			return c.CustomerSettings.Get(ctx)
		})),
		newOperation("PUT /v3/customers/settings", send(func(c *client.Client, ctx context.Context, _ []int64, in client.CustomerSettings) (client.CustomerSettings, error) {
			return c.CustomerSettings.Update(ctx, in)
		})),
		newOperation("GET /v3/customers/settings/channels/{id}", plain(func(c *client.Client, ctx context.Context, ids []int64) (client.ChannelCustomerSettings, error) {
			return c.CustomerSettings.GetOfChannel(ctx, ids[0])
		})),
		newOperation("PUT /v3/customers/settings/channels/{id}", send(func(c *client.Client, ctx context.Context, ids []int64, in client.ChannelCustomerSettings) (client.ChannelCustomerSettings, error) {
			return c.CustomerSettings.UpdateOfChannel(ctx, ids[0], in)
		})),
		newOperation("GET /v3/customers/metafields", list(func(c *client.Client, ctx context.Context, f client.MetafieldFilter, p client.Page) ([]client.Metafield, error) {
			return c.Metafields.List(ctx, f, p)
		})),
		newOperation("POST /v3/customers/metafields", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.MetafieldCreate) ([]client.Metafield, error) {
			return c.Metafields.CreateMany(ctx, in)
		})),
		newOperation("PUT /v3/customers/metafields", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.MetafieldChange) ([]client.Metafield, error) {
			return c.Metafields.UpdateMany(ctx, in)
		})),
		newOperation("DELETE /v3/customers/metafields", deleteMetafields),
		newOperation("GET /v3/customers/{id}/metafields", func(ctx context.Context, c *client.Client, in call) (any, error) {
			f, page, err := filterOf[client.MetafieldFilter](in.query)
			if err != nil {
				return nil, err
			}
			return c.Metafields.ListOf(ctx, in.ids[0], f, page)
		}),
		newOperation("POST /v3/customers/{id}/metafields", send(func(c *client.Client, ctx context.Context, ids []int64, in client.MetafieldUpdate) (client.Metafield, error) {
			return c.Metafields.Create(ctx, ids[0], in)
		})),
		newOperation("GET /v3/customers/{id}/metafields/{id}", plain(func(c *client.Client, ctx context.Context, ids []int64) (client.Metafield, error) {
			return c.Metafields.Get(ctx, ids[0], ids[1])
		})),
		newOperation("PUT /v3/customers/{id}/metafields/{id}", send(func(c *client.Client, ctx context.Context, ids []int64, in client.MetafieldUpdate) (client.Metafield, error) {
			return c.Metafields.Update(ctx, ids[0], ids[1], in)
		})),
		newOperation("DELETE /v3/customers/{id}/metafields/{id}", remove(func(c *client.Client, ctx context.Context, ids []int64) error {
			return c.Metafields.Delete(ctx, ids[0], ids[1])
		})),
	}
}

func deleteMetafields(ctx context.Context, c *client.Client, in call) (any, error) {
	f, _, err := filterOf[struct {
		IDs []int64 `query:"id:in"`
	}](in.query)
	if err != nil || len(f.IDs) == 0 {
		return nil, errInexpressible
	}
	deleted, err := c.Metafields.DeleteMany(ctx, f.IDs...)
	if batch, ok := errors.AsType[*client.BatchError](err); ok && len(deleted)+len(batch.Items) != len(f.IDs) {
		return nil, errors.New("the ids that were deleted and those that were not are not all ids")
	}
	return deleted, err
}

// operationsOfSegments are the methods about segments and shopper profiles.
func operationsOfSegments() []operation {
	return []operation{
		newOperation("GET /v3/segments", list(func(c *client.Client, ctx context.Context, f client.SegmentFilter, p client.Page) ([]client.Segment, error) {
			return c.Segments.List(ctx, f, p)
		})),
		newOperation("POST /v3/segments", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.SegmentCreate) ([]client.Segment, error) {
			return c.Segments.Create(ctx, in)
		})),
		newOperation("PUT /v3/segments", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.SegmentUpdate) ([]client.Segment, error) {
			return c.Segments.Update(ctx, in)
		})),
		newOperation("DELETE /v3/segments", removeTexts(func(c *client.Client, ctx context.Context, _ string, ids ...string) error {
			return c.Segments.Delete(ctx, ids...)
		})),
		newOperation("GET /v3/segments/{uuid}/shopper-profiles", pageOf(func(c *client.Client, ctx context.Context, segment string, p client.Page) ([]client.ShopperProfile, error) {
			return c.Segments.ListMembers(ctx, segment, p)
		})),
		newOperation("POST /v3/segments/{uuid}/shopper-profiles", func(ctx context.Context, c *client.Client, in call) (any, error) {
			add := send(func(c *client.Client, ctx context.Context, _ []int64, profiles []string) ([]client.ShopperProfile, error) {
				return c.Segments.AddMembers(ctx, in.text, profiles)
			})
			return add(ctx, c, in)
		}),
		newOperation("DELETE /v3/segments/{uuid}/shopper-profiles", removeTexts(func(c *client.Client, ctx context.Context, segment string, ids ...string) error {
			return c.Segments.RemoveMembers(ctx, segment, ids...)
		})),
		newOperation("GET /v3/shopper-profiles", pageOf(func(c *client.Client, ctx context.Context, _ string, p client.Page) ([]client.ShopperProfile, error) {
			return c.ShopperProfiles.List(ctx, p)
		})),
		newOperation("POST /v3/shopper-profiles", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.ShopperProfileCreate) ([]client.ShopperProfile, error) {
			return c.ShopperProfiles.Create(ctx, in)
		})),
		newOperation("DELETE /v3/shopper-profiles", removeTexts(func(c *client.Client, ctx context.Context, _ string, ids ...string) error {
			return c.ShopperProfiles.Delete(ctx, ids...)
		})),
		newOperation("GET /v3/shopper-profiles/{uuid}/segments", pageOf(func(c *client.Client, ctx context.Context, profile string, p client.Page) ([]client.Segment, error) {
			return c.ShopperProfiles.ListSegments(ctx, profile, p)
		})),
	}
}
