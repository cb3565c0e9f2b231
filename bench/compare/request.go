package main

import (
	"strconv"

	"cohort.example/cohort/bench/load"
)

const pageSize = 50

// A created group has a unique name, which no group of a filled database has, and the
// same size as all others. Every server gets the same group.
const (
	groupBefore = `{"name":"Resellers `
	groupAfter  = `","category_access":{"type":"specific","categories":[18,19]},"discount_rules":[` +
		`{"type":"all","method":"percent","amount":"5.0000"},` +
		`{"type":"category","category_id":18,"method":"price","amount":"12.5000"},` +
		`{"type":"product","product_id":77,"method":"fixed","amount":"3.0000"}],` +
		`"is_default":false,"is_group_for_guests":false}`

	renameBefore, renameAfter = `{"name":"Renamed `, `"}`
)

// changing is a source in which one of twenty requests is a change, which
// invalidates cached responses.
func changing(source, change load.Source) load.Source {
	return func(b []byte, n uint64) []byte {
		if n%20 == 0 {
			return change(b, n)
		}
		return source(b, n)
	}
}

// sendGroup appends the end of request n, which creates a group.
func sendGroup(c load.Client, b []byte, n uint64) []byte {
	b = c.Send(b, len(groupBefore)+digits+len(groupAfter))
	b = append(b, groupBefore...)
	return append(appendPadded(b, n), groupAfter...)
}

// sendName appends the end of request n, which changes the name of a group.
func sendName(c load.Client, b []byte, n uint64) []byte {
	b = c.Send(b, len(renameBefore)+digits+len(renameAfter))
	b = append(b, renameBefore...)
	return append(appendPadded(b, n), renameAfter...)
}

// digits is the number of digits that appendPadded writes.
const digits = 10

// appendPadded writes a number with ten digits.
func appendPadded(b []byte, n uint64) []byte {
	const least = 10_000_000_000 // eleven digits; the first is cut off
	end := len(b)
	b = strconv.AppendUint(b, least+n%least, 10)
	return append(b[:end], b[end+1:]...)
}

// pick returns a number from 1 to most. It yields all of them in turn as n
// counts up, with neighbours far apart.
func pick(n uint64, most int) uint64 {
	m := uint64(max(most, 1))
	return n*7919%m + 1
}

// mix chooses the kind of request n: of a hundred, 80 get a group, 10 list a
// page, 7 create and 3 update. Neighbours differ in kind.
func mix(n uint64, get, list, create, update load.Source) load.Source {
	const golden = 0x9E3779B97F4A7C15 // spreads neighbours far from each other
	switch kind := (n * golden >> 32) % 100; {
	case kind < 80:
		return get
	case kind < 90:
		return list
	case kind < 97:
		return create
	}
	return update
}
