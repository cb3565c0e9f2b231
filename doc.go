// Package cohort holds the nouns of a customer-group service and their rules.
//
// A [Store] is a merchant's store. Its [Token]s say who may call and for what.
// A [Group] says which customers belong together, which product categories
// they may see ([CategoryAccess]) and what they pay ([DiscountRule]).
//
// The package is pure: it does no I/O and imports nothing else of this module.
// How the nouns look on the wire is the business of the dialects
// (internal/apiv2), and how they are kept is that of internal/db.
package cohort
