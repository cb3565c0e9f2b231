package groupsync

import (
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort/client"
)

// pruneAssignments deletes the assignments of lists in the document, and to groups that stay,
// which the document has not. Those of deleted lists and groups go with them.
func (p *Plan) pruneAssignments() {
	wanted, lists := map[place]bool{}, p.want.listsByKey()
	for _, l := range p.want.doc.Lists {
		for _, a := range l.Assignments {
			wanted[p.want.placeOf(a)] = true
		}
	}
	groups := invert(p.want.groups)
	for _, l := range p.have.doc.Lists {
		if named, ok := lists[fold(l.Name)]; !ok || named.Assignments == nil {
			continue
		}
		for _, a := range l.Assignments {
			at := p.have.placeOf(a)
			_, stays := groups[at.group]
			if !wanted[at] && (stays || a.Group == 0 || p.want.doc.Groups == nil) {
				p.add(Change{Action: Delete, Kind: KindAssignment, Name: p.have.placeText(l.Name, a), id: a.ID, item: a})
			}
		}
	}
}

func (p *Plan) pruneRecords() {
	lists := p.want.listsByKey()
	for _, l := range p.have.doc.Lists {
		named, ok := lists[fold(l.Name)]
		if !ok || named.Records == nil {
			continue
		}
		wanted := p.want.recordsByKey(named)
		for _, r := range l.Records {
			key := recordKey{p.have.variantOf(r), r.Currency}
			if _, ok := wanted[key]; !ok {
				p.add(Change{Action: Delete, Kind: KindRecord, Name: recordName(l, key), id: l.ID, item: r, list: fold(l.Name)})
			}
		}
	}
}

// pruneGroups deletes groups, and counts their members.
func (p *Plan) pruneGroups(ctx context.Context, c *client.Client) error {
	if p.want.doc.Groups == nil {
		return nil
	}
	wanted := invert(p.want.groups)
	var gone []Group
	for _, g := range p.have.doc.Groups {
		if _, ok := wanted[fold(g.Name)]; !ok {
			gone = append(gone, g)
		}
	}
	members := map[int64]int64{}
	for part := range slices.Chunk(gone, idsInRequest) {
		var groups []int64
		for _, g := range part {
			groups = append(groups, g.ID)
		}
		for one, err := range customersOf(ctx, c, client.CustomerV3Filter{GroupIDs: groups}) {
			if err != nil {
				return fmt.Errorf("count the members of the groups to delete: %w", err)
			}
			members[one.Group]++
		}
	}
	for _, g := range gone {
		p.add(Change{Action: Delete, Kind: KindGroup, Name: g.Name, id: g.ID, item: g, Members: members[g.ID]})
	}
	return nil
}

func (p *Plan) pruneLists() {
	if p.want.doc.Lists == nil {
		return
	}
	wanted := p.want.listsByKey()
	for _, l := range p.have.doc.Lists {
		if _, ok := wanted[fold(l.Name)]; !ok {
			p.add(Change{Action: Delete, Kind: KindList, Name: l.Name, id: l.ID, item: l})
		}
	}
}
