package cohort

import (
	"slices"
	"strconv"
	"strings"
)

// ScopeDeliveryException is the scope of the hook that is told of failed deliveries. A token
// has one at most, with a destination that none of its other hooks has.
const ScopeDeliveryException = "store/hook/deliveryException"

// channelSegment stands for the id of a channel in the names of scopes.
const channelSegment = "{channel_id}"

// hookScopeNames has the ends of the names of scopes by their beginnings. Cohort fires a part
// of them. Those about orders, carts and others are known too, so that an application can
// create all of its hooks.
var hookScopeNames = map[string]string{
	"app":   "uninstalled",
	"brand": "created updated deleted metafield/created metafield/updated metafield/deleted",
	"cart": "created updated deleted couponApplied abandoned converted lineItem/created lineItem/updated lineItem/deleted " +
		"metafield/created metafield/updated metafield/deleted",
	"category": "created updated deleted metafield/created metafield/updated metafield/deleted",
	"channel":  "created updated metafield/created metafield/updated metafield/deleted",
	"channel/" + channelSegment: "cart/created cart/updated cart/deleted cart/couponApplied cart/abandoned cart/converted " +
		"cart/lineItem/created cart/lineItem/updated cart/lineItem/deleted category/created category/updated category/deleted " +
		"category/product/assigned category/product/unassigned categoryTree/updated email/templates/updated email/templates/deleted " +
		"notifications/abandonedCart/updated notifications/inventory/updated " +
		"order/created order/updated order/archived order/statusUpdated order/message/created order/refund/created " +
		"page/created page/updated product/assigned product/unassigned script/created script/updated socialMediaLinks/updated " +
		"theme/configuration/created theme/configuration/activated",
	"channel/" + channelSegment + "/settings": "SEO/updated catalog/updated category/updated checkout/updated currency/updated " +
		"customerPrivacy/updated defaultCustomerGroup/updated emailStatus/updated emailStatus/deleted favicon/image/updated " +
		"locale/added locale/updated locale/deleted logo/updated logo/image/updated product/updated profile/updated robots/updated " +
		"route/updated searchContextFilters/updated security/updated site/updated site/checkoutUrl/updated site/checkoutUrl/deleted",
	"customer": "created updated deleted address/created address/updated address/deleted channel/login/access/updated " +
		"payment/instrument/default/updated",
	"customerGroup": "created updated deleted member/added member/removed", // Cohort's own
	"hook":          "deliveryException",
	"information":   "updated",
	"inventory":     "location/created location/updated location/deleted location/metafield/created location/metafield/updated location/metafield/deleted",
	"metafield":     "created updated deleted",
	"modifier":      "updated",
	"option":        "updated",
	"order": "created updated archived statusUpdated message/created refund/created transaction/created transaction/updated " +
		"metafield/created metafield/updated metafield/deleted",
	"priceList": "created updated activated deactivated deleted record/created record/updated record/deleted " +
		"records/created records/updated records/deleted assignment/updated assignment/deleted",
	"priceLists": "deleted",
	"product": "created updated deleted inventory/updated inventory/order/updated metafield/created metafield/updated metafield/deleted " +
		"variant/metafield/created variant/metafield/updated variant/metafield/deleted",
	"settings": "SEO/updated catalog/updated category/updated checkout/updated customerPrivacy/updated defaultCustomerGroup/updated " +
		"emailStatus/updated emailStatus/deleted favicon/image/updated logo/updated logo/image/updated product/updated profile/updated " +
		"robots/updated searchContextFilters/updated security/updated",
	"shipment":   "created updated deleted",
	"sku":        "created updated deleted inventory/updated inventory/order/updated",
	"subscriber": "created updated deleted",
}

// hookScopes are all names of scopes, sorted.
var hookScopes = func() (names []string) {
	for area, ends := range hookScopeNames {
		for end := range strings.FieldsSeq(ends) {
			names = append(names, "store/"+area+"/"+end)
		}
	}
	slices.Sort(names)
	return names
}()

// HookScopes returns the names of all scopes, without wildcards, sorted. "{channel_id}" in a
// name stands for the id of any channel.
func HookScopes() []string { return slices.Clone(hookScopes) }

// IsHookScope reports whether a hook can have a scope: one of [HookScopes], or the beginning
// of one, up to a slash, with "*" for the rest. "store/*" is none.
func IsHookScope(scope string) bool {
	if strings.ContainsAny(scope, "{}") {
		return false
	}
	name := anyChannel(scope)
	if start, ok := strings.CutSuffix(name, "*"); ok {
		i, _ := slices.BinarySearch(hookScopes, start)
		return strings.HasSuffix(start, "/") && start != "store/" && i < len(hookScopes) && strings.HasPrefix(hookScopes[i], start)
	}
	_, known := slices.BinarySearch(hookScopes, name)
	return known
}

// anyChannel replaces the id of a channel in the name of a scope. 0 is the store itself.
func anyChannel(scope string) string {
	const start = "store/channel/"
	rest, ok := strings.CutPrefix(scope, start)
	if !ok {
		return scope
	}
	id, end, _ := strings.Cut(rest, "/")
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != id {
		return scope
	}
	return start + channelSegment + "/" + end
}

// Wants reports whether a hook is told what happens in a scope.
func (h Hook) Wants(scope string) bool {
	if start, ok := strings.CutSuffix(h.Scope, "*"); ok {
		return strings.HasPrefix(scope, start)
	}
	return h.Scope == scope
}
