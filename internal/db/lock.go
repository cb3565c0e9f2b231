package db

import "cohort.example/cohort/internal/txn"

// The classes of locks on parts of a store. The values are ASCII words.
const (
	flags        txn.LockClass = 0x666c6167 // "flag": the default and guest flags of groups
	categoryTree txn.LockClass = 0x74726565 // "tree"
	attributes   txn.LockClass = 0x61747472 // "attr": the number of attributes of customers
	channelNames txn.LockClass = 0x6368616e // "chan": the names and the number of channels
	brandNames   txn.LockClass = 0x6272616e // "bran": the names of brands
	// productChannels ("prch"): the channels of products.
	productChannels txn.LockClass = 0x70726368
	// catalog ("cata") is shared by transactions that write the catalog, and taken
	// exclusively by a transaction that begins an import.
	catalog txn.LockClass = 0x63617461
	// segments ("segm"): the segments, shopper profiles and memberships of a store; see
	// LockSegments.
	segments txn.LockClass = 0x7365676d
	// hooks ("hook"): the webhooks of a store; see LockHooks.
	hooks txn.LockClass = 0x686f6f6b
)
