// Package client calls the BigCommerce REST Management API, as the vendor's service and as
// Cohort serve it: customer groups, customers and addresses of V2; customers with their
// attributes, form fields, consent, settings and metafields, segments and shopper profiles,
// price lists, their records and assignments, prices, channels, categories and their trees,
// brands, products with their variants, channels and categories, and webhooks of V3; and what
// Cohort adds.
//
//	c, err := client.New("abc123", token, client.WithBaseURL("http://127.0.0.1:8080"))
//	…
//	for g, err := range c.Groups.All(ctx, client.GroupFilter{NameLike: "whole"}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(g.ID, g.Name)
//	}
//
// The client is independent of the vendor. It needs the standard library and
// github.com/shopspring/decimal.
//
// # Fields
//
// An update has the fields to set as [Opt]: [Set] sets one, [Null] unsets it, and an absent
// one stays as it is. Amounts are exact decimals ([Amount]), and dates are [Time]. Both are
// read in every form that the API has; fields that the client does not know are ignored.
//
// # Errors
//
// A response with an error status is an [*Error]. errors.Is works with [ErrNotFound] and the
// like. A batch that was refused because of some items is a [*BatchError] with the errors of
// each item. A group that was stored without all of its effects (status 207) is returned
// beside a [*PartialError].
//
// # Quota, limits and retries
//
// The client reads the quota of the store from the responses. It waits for the next window
// before the quota is used up, and so gets no 429 as long as it is alone. Others may use the
// quota of the store at the same time: it leaves some requests for them ([WithQuotaFloor]),
// and after a 429 it waits as long as the server says. Requests beyond the concurrency limit
// of an operation wait for the client's own ones.
//
// [RetryPolicy] has the rules of retries: only what cannot happen twice is sent again.
// [WithIdempotencyKeys] makes that true for POST, with Cohort.
//
// # Lists
//
// All yields the rows of all pages and reads them as the loop goes on. An error is the last
// thing that it yields. These promises hold, also while others change the store and if the
// server counts wrongly:
//
//   - A list ends. A page that comes a second time is an [ErrRepeatedPage].
//   - A row that moves from one page to the next one is yielded once.
//   - Lists by cursor (V3 customers, form fields, metafields, price lists, records, assignments,
//     channels, categories, brands, products, variants) and V2 customers yield every row that
//     is there from the beginning to the end, once. Cohort has cursors; a service without them
//     is read by page number.
//   - Lists by page number (V2 groups, trees, and others) may miss a row if one before it is deleted
//     meanwhile.
//   - A row that comes or changes meanwhile may be there or not, as it was or as it is.
//
// The totals of a server decide nothing: after a full page another one is read.
//
// # Bounds
//
// The client reads at most 64 MiB of a response ([WithMaxResponse]) and 1 MiB of an error,
// follows no redirect, and ends an attempt after 90 s ([WithTimeout]). The context of a call
// bounds all of its attempts and waits.
package client
