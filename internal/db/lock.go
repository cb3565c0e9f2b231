package db

import "cohort.example/cohort/internal/txn"

// The classes of locks on parts of a store.
const (
	flags        txn.LockClass = 0x666c6167 // which groups are default and guest group: "flag"
	categoryTree txn.LockClass = 0x74726565 // "tree"
	// catalog is shared by transactions that write the catalog; an import that begins
	// takes it exclusively: "cata".
	catalog txn.LockClass = 0x63617461
)
