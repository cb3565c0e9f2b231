package country

// All returns all countries, by name.
func All() []Country { return theDirectory().all }
