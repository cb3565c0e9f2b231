package conformance

import (
	"context"

	"cohort.example/cohort/client"
)

func operationsV3() []operation {
	type credentials struct {
		Email    string `json:"email"`
		Password string `json:"password"`
		Channel  int64  `json:"channel_id"`
	}
	type login struct {
		IsValid    bool  `json:"is_valid"`
		CustomerID int64 `json:"customer_id"`
	}
	type target struct {
		Group   int64 `json:"customer_group_id"`
		Channel int64 `json:"channel_id"`
	}
	type include struct {
		Include []string `query:"include"`
	}
	return []operation{
		newOperation("GET /v3/customers", list(func(c *client.Client, ctx context.Context, f client.CustomerV3Filter, p client.Page) ([]client.CustomerV3, error) {
			return c.CustomersV3.List(ctx, f, p)
		})),
		newOperation("POST /v3/customers", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.CustomerV3Create) ([]client.CustomerV3, error) {
			return c.CustomersV3.Create(ctx, in)
		})),
		newOperation("PUT /v3/customers", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.CustomerV3Update) ([]client.CustomerV3, error) {
			return c.CustomersV3.Update(ctx, in)
		})),
		newOperation("DELETE /v3/customers", removeIDs(func(c *client.Client, ctx context.Context, ids ...int64) error {
			return c.CustomersV3.Delete(ctx, ids...)
		})),
		newOperation("POST /v3/customers/validate-credentials", send(func(c *client.Client, ctx context.Context, _ []int64, in credentials) (login, error) {
			id, ok, err := c.CustomersV3.CheckCredentials(ctx, in.Email, in.Password, in.Channel)
			return login{ok, id}, err
		})),
		newOperation("GET /v3/customers/addresses", list(func(c *client.Client, ctx context.Context, f client.AddressV3Filter, p client.Page) ([]client.AddressV3, error) {
			return c.AddressesV3.List(ctx, f, p)
		})),
		newOperation("POST /v3/customers/addresses", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.AddressV3Create) ([]client.AddressV3, error) {
			return c.AddressesV3.Create(ctx, in)
		})),
		newOperation("PUT /v3/customers/addresses", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.AddressV3Update) ([]client.AddressV3, error) {
			return c.AddressesV3.Update(ctx, in)
		})),
		newOperation("DELETE /v3/customers/addresses", removeIDs(func(c *client.Client, ctx context.Context, ids ...int64) error {
			return c.AddressesV3.Delete(ctx, ids...)
		})),
		newOperation("GET /v3/customers/attributes", list(func(c *client.Client, ctx context.Context, f client.AttributeFilter, p client.Page) ([]client.Attribute, error) {
			return c.Attributes.List(ctx, f, p)
		})),
		newOperation("POST /v3/customers/attributes", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.AttributeCreate) ([]client.Attribute, error) {
			return c.Attributes.Create(ctx, in)
		})),
		newOperation("PUT /v3/customers/attributes", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.AttributeUpdate) ([]client.Attribute, error) {
			return c.Attributes.Update(ctx, in)
		})),
		newOperation("DELETE /v3/customers/attributes", removeIDs(func(c *client.Client, ctx context.Context, ids ...int64) error {
			return c.Attributes.Delete(ctx, ids...)
		})),
		newOperation("GET /v3/customers/attribute-values", list(func(c *client.Client, ctx context.Context, f client.AttributeValueFilter, p client.Page) ([]client.AttributeValue, error) {
			return c.AttributeValues.List(ctx, f, p)
		})),
		newOperation("PUT /v3/customers/attribute-values", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.AttributeValuePut) ([]client.AttributeValue, error) {
			return c.AttributeValues.Put(ctx, in)
		})),
		newOperation("DELETE /v3/customers/attribute-values", removeIDs(func(c *client.Client, ctx context.Context, ids ...int64) error {
			return c.AttributeValues.Delete(ctx, ids...)
		})),
		newOperation("GET /v3/pricelists", list(func(c *client.Client, ctx context.Context, f client.PriceListFilter, p client.Page) ([]client.PriceList, error) {
			return c.PriceLists.List(ctx, f, p)
		})),
		newOperation("GET /v3/pricelists/{id}", plain(func(c *client.Client, ctx context.Context, ids []int64) (client.PriceList, error) {
			return c.PriceLists.Get(ctx, ids[0])
		})),
		newOperation("POST /v3/pricelists", send(func(c *client.Client, ctx context.Context, _ []int64, in client.PriceListUpdate) (client.PriceList, error) {
			return c.PriceLists.Create(ctx, in)
		})),
		newOperation("PUT /v3/pricelists/{id}", send(func(c *client.Client, ctx context.Context, ids []int64, in client.PriceListUpdate) (client.PriceList, error) {
			return c.PriceLists.Update(ctx, ids[0], in)
		})),
		newOperation("DELETE /v3/pricelists/{id}", remove(func(c *client.Client, ctx context.Context, ids []int64) error {
			return c.PriceLists.Delete(ctx, ids[0])
		})),
		newOperation("DELETE /v3/pricelists", removeIDs(func(c *client.Client, ctx context.Context, ids ...int64) error {
			return c.PriceLists.DeleteMany(ctx, ids...)
		})),
		newOperation("GET /v3/pricelists/{id}/records", func(ctx context.Context, c *client.Client, in call) (any, error) {
			f, page, err := filterOf[client.PriceRecordFilter](in.query)
			if err != nil {
				return nil, err
			}
			return c.PriceRecords.List(ctx, in.ids[0], f, page)
		}),
		newOperation("POST /v3/pricelists/{id}/records", done(func(c *client.Client, ctx context.Context, ids []int64, in []client.PriceRecordPut) error {
			return c.PriceRecords.Create(ctx, ids[0], in)
		})),
		newOperation("PUT /v3/pricelists/{id}/records", done(func(c *client.Client, ctx context.Context, ids []int64, in []client.PriceRecordPut) error {
			return c.PriceRecords.Put(ctx, ids[0], in)
		})),
		newOperation("POST /v3/pricelists/records", done(func(c *client.Client, ctx context.Context, _ []int64, in []client.PriceRecordPut) error {
			return c.PriceRecords.CreateOfLists(ctx, in)
		})),
		newOperation("PUT /v3/pricelists/records", done(func(c *client.Client, ctx context.Context, _ []int64, in []client.PriceRecordPut) error {
			return c.PriceRecords.PutOfLists(ctx, in)
		})),
		newOperation("DELETE /v3/pricelists/{id}/records", removeBy(func(c *client.Client, ctx context.Context, ids []int64, d client.PriceRecordDeletion) error {
			return c.PriceRecords.DeleteMany(ctx, ids[0], d)
		})),
		newOperation("GET /v3/pricelists/{id}/records/{id}/{currency}", func(ctx context.Context, c *client.Client, in call) (any, error) {
			return c.PriceRecords.Get(ctx, in.ids[0], in.ids[1], in.text)
		}),
		newOperation("PUT /v3/pricelists/{id}/records/{id}/{currency}", func(ctx context.Context, c *client.Client, in call) (any, error) {
			set := send(func(c *client.Client, ctx context.Context, ids []int64, r client.PriceRecordPut) (client.PriceRecord, error) {
				return c.PriceRecords.Set(ctx, ids[0], ids[1], in.text, r)
			})
			return set(ctx, c, in)
		}),
		newOperation("DELETE /v3/pricelists/{id}/records/{id}/{currency}", func(ctx context.Context, c *client.Client, in call) (any, error) {
			return nil, c.PriceRecords.Delete(ctx, in.ids[0], in.ids[1], in.text)
		}),
		newOperation("GET /v3/pricelists/assignments", list(func(c *client.Client, ctx context.Context, f client.AssignmentFilter, p client.Page) ([]client.Assignment, error) {
			return c.Assignments.List(ctx, f, p)
		})),
		newOperation("POST /v3/pricelists/assignments", done(func(c *client.Client, ctx context.Context, _ []int64, in []client.AssignmentCreate) error {
			return c.Assignments.Create(ctx, in)
		})),
		newOperation("PUT /v3/pricelists/{id}/assignments", send(func(c *client.Client, ctx context.Context, ids []int64, in target) (client.Assignment, error) {
			return c.Assignments.Put(ctx, ids[0], in.Group, in.Channel)
		})),
		newOperation("DELETE /v3/pricelists/assignments", removeBy(func(c *client.Client, ctx context.Context, _ []int64, d client.AssignmentDeletion) error {
			return c.Assignments.Delete(ctx, d)
		})),
		newOperation("POST /v3/pricing/products", send(func(c *client.Client, ctx context.Context, _ []int64, in client.PriceRequest) ([]client.Price, error) {
			return c.Prices.Get(ctx, in)
		})),
		newOperation("GET /v3/channels", list(func(c *client.Client, ctx context.Context, f client.ChannelFilter, p client.Page) ([]client.Channel, error) {
			return c.Channels.List(ctx, f, p)
		})),
		newOperation("GET /v3/channels/{id}", func(ctx context.Context, c *client.Client, in call) (any, error) {
			f, _, err := filterOf[include](in.query)
			if err != nil {
				return nil, err
			}
			return c.Channels.Get(ctx, in.ids[0], f.Include...)
		}),
		newOperation("POST /v3/channels", send(func(c *client.Client, ctx context.Context, _ []int64, in client.ChannelUpdate) (client.Channel, error) {
			return c.Channels.Create(ctx, in)
		})),
		newOperation("PUT /v3/channels/{id}", send(func(c *client.Client, ctx context.Context, ids []int64, in client.ChannelUpdate) (client.Channel, error) {
			return c.Channels.Update(ctx, ids[0], in)
		})),
		newOperation("GET /v3/hooks", list(func(c *client.Client, ctx context.Context, f client.HookFilter, p client.Page) ([]client.Hook, error) {
			return c.Hooks.List(ctx, f, p)
		})),
		newOperation("GET /v3/hooks/{id}", plain(func(c *client.Client, ctx context.Context, ids []int64) (client.Hook, error) {
			return c.Hooks.Get(ctx, ids[0])
		})),
		newOperation("POST /v3/hooks", send(func(c *client.Client, ctx context.Context, _ []int64, in client.HookUpdate) (client.Hook, error) {
			return c.Hooks.Create(ctx, in)
		})),
		newOperation("PUT /v3/hooks/{id}", send(func(c *client.Client, ctx context.Context, ids []int64, in client.HookUpdate) (client.Hook, error) {
			return c.Hooks.Update(ctx, ids[0], in)
		})),
		newOperation("DELETE /v3/hooks/{id}", remove(func(c *client.Client, ctx context.Context, ids []int64) error {
			return c.Hooks.Delete(ctx, ids[0])
		})),
	}
}

func operationsOfCohort() []operation {
	type clone struct {
		Name   string `json:"name"`
		DryRun bool   `json:"dry_run"`
	}
	return []operation{
		newOperation("POST /cohort/v1/members/move", send(func(c *client.Client, ctx context.Context, _ []int64, in client.MemberMove) (client.MovedMembers, error) {
			return c.Cohort.MoveMembers(ctx, in)
		})),
		newOperation("POST /cohort/v1/groups/{id}/delete", send(func(c *client.Client, ctx context.Context, ids []int64, in client.GroupDeletion) (client.Affected, error) {
			return c.Cohort.DeleteGroup(ctx, ids[0], in)
		})),
		newOperation("POST /cohort/v1/groups/{id}/clone", send(func(c *client.Client, ctx context.Context, ids []int64, in clone) (client.GroupClone, error) {
			return c.Cohort.CloneGroup(ctx, ids[0], in.Name, in.DryRun)
		})),
		newOperation("POST /cohort/v1/prices/explain", func(ctx context.Context, c *client.Client, in call) (any, error) {
			f, _, err := filterOf[struct {
				Full bool `query:"full"`
			}](in.query)
			if err != nil {
				return nil, err
			}
			in.query = nil
			explain := send(func(c *client.Client, ctx context.Context, _ []int64, p client.PriceRequest) ([]client.PriceExplanation, error) {
				return c.Cohort.ExplainPrices(ctx, p, client.ExplainOptions{Full: f.Full})
			})
			return explain(ctx, c, in)
		}),
		newOperation("POST /cohort/v1/access/check", send(func(c *client.Client, ctx context.Context, _ []int64, in client.AccessRequest) (client.Access, error) {
			return c.Cohort.CheckAccess(ctx, in)
		})),
	}
}
