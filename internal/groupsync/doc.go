// Package groupsync moves what belongs to customer groups between stores and a file: groups
// with their access and rules, price lists with their records and assignments, and the
// categories, products and channels that these name. The file is a seed, as package seed
// reads it, so that people can read, change and review it.
//
// A [Reader] reads a store through the API into a [Document]. [Write] and [Parse] are for
// files. [Compare] lists what has to change in a store for it to be as a document says, and
// [Apply] makes these changes. A store is known by a client of package client, whether it is
// a server or, with [Direct], a database of Cohort.
//
// Ids differ between stores. What a group refers to is found by its name: a category by its
// own name and those of its parents, a product by its SKU, else its name, a variant by its
// SKU.
package groupsync
