package db

import (
	"fmt"
	"maps"
	"slices"

	"cohort.example/cohort"
)

// CategoriesOfProducts is [Tx.CategoriesOfProducts] for the past.
func (p *PastPrices) CategoriesOfProducts(storeKey string, productIDs []int64, left *Budget) (ofProduct map[int64][]int64, all []int64, err error) {
	ofProduct, now, err := p.tx.CategoriesOfProducts(storeKey, productIDs, left)
	if err != nil {
		return nil, nil, err
	}
	seen := make(map[int64]bool, len(now))
	for _, product := range productIDs {
		list := ofProduct[product]
		if c := p.categories[product]; c != nil {
			if list, err = c.list(product, list); err != nil {
				return nil, nil, err
			}
			ofProduct[product] = list
		}
		for _, id := range list {
			seen[id] = true
		}
	}
	all = slices.Sorted(maps.Keys(seen))
	return ofProduct, all, left.take(max(0, len(all)-len(now)))
}

// list returns the categories of a product, which has some now.
func (c *pastCategories) list(product int64, now []int64) ([]int64, error) {
	if c.unknown {
		return nil, cohort.Invalid("as_of", fmt.Sprintf("The events do not say what the categories of product %d were at that time.", product))
	}
	list := now
	if c.known {
		list = c.ids
	}
	list = slices.Concat(list, c.added)
	slices.Sort(list)
	return slices.Compact(list), nil
}

// CategoriesAbove is [Tx.CategoriesAbove] for the past. It reads again where the path of
// that time leaves that of now.
func (p *PastPrices) CategoriesAbove(storeKey string, ids []int64, left *Budget) (map[int64]cohort.Category, error) {
	now, asked := map[int64]cohort.Category{}, map[int64]bool{}
	above := map[int64]cohort.Category{}
	for len(ids) > 0 {
		more, err := p.tx.CategoriesAbove(storeKey, ids, nil)
		if err != nil {
			return nil, err
		}
		maps.Copy(now, more)
		for _, id := range ids {
			asked[id] = true
		}
		var next []int64
		for _, id := range ids {
			missing, err := p.climb(id, now, asked, above, left)
			if err != nil {
				return nil, err
			}
			if missing != 0 {
				next = append(next, missing)
			}
		}
		slices.Sort(next)
		ids = slices.Compact(next)
	}
	return above, nil
}

// climb adds a category and those above it. It returns the first one of which it is not
// known what it is now; 0: none.
func (p *PastPrices) climb(id int64, now map[int64]cohort.Category, asked map[int64]bool, above map[int64]cohort.Category, left *Budget) (missing int64, err error) {
	for id != 0 {
		c, exists := now[id]
		if _, done := above[id]; done {
			return 0, nil
		}
		if !exists && !asked[id] {
			return id, nil
		}
		if r := p.resources[pastKey{pastType: pastCategory, id: id}]; r != nil {
			if exists = r.exists; exists {
				if err := r.intoCategory(&c); err != nil {
					return 0, err
				}
			}
		}
		if !exists {
			return 0, nil
		}
		c.ID = id
		if err := left.take(1); err != nil {
			return 0, err
		}
		above[id] = c
		id = c.ParentID
	}
	return 0, nil
}

func (r *pastResource) intoCategory(c *cohort.Category) error {
	if err := r.into("parent_id", &c.ParentID); err != nil {
		return err
	}
	return r.into("name", &c.Name)
}
