package db

import (
	"cohort.example/cohort"
)

func whereGroups(storeKey string, f cohort.GroupFilter) *where {
	w := whereStore(storeKey)
	w.name(f.Name, f.NameLike)
	w.flag("is_default", f.IsDefault)
	w.flag("is_group_for_guests", f.IsGroupForGuests)
	w.timeRange("date_created", f.DateCreated)
	w.timeRange("date_modified", f.DateModified)
	return w
}
