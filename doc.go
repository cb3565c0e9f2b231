// Package cohort is the domain model of a customer-group service: its types and their
// rules.
//
//   - Stores and access: [Store] with its [Plan] and [CatalogMode], [Token] with its
//     [Scope]s.
//   - Customers: [Customer], [Address], and [Group], which has members, limits the
//     product categories that they see ([CategoryAccess], [Access]) and sets what they
//     pay ([DiscountRule]).
//   - Catalog: [Category], [Product], [Variant], [BulkTier], [Currency]. A
//     [CatalogItem] is a line of an import.
//   - Price lists: [PriceList], [PriceRecord], [PriceListAssignment].
//   - Prices: [NewPricer] makes a [Pricer] from [PriceTerms], and its Product method a
//     [ProductPricer]. Price and Explain return a [Price], which names its [PriceSource]
//     and, if explained, each [PriceCandidate].
//   - Lists: a filter for each type, such as [GroupFilter], and a [Page].
//   - Changes: an update for each type, such as [GroupUpdate]. Fields that are nil stay
//     as they are. Each type has a Validate method.
//   - Errors: an [Error] has a [Kind], which [KindOf] returns. [ItemErrors] holds the
//     errors of a request with several items.
//
// To run a server in a test, see package cohorttest.
//
// The package does no I/O and imports no other package of this module. The packages
// internal/apiv2 and internal/apiv3 say how the types look on the wire, and internal/db
// how they are stored.
package cohort
