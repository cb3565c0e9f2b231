package exchange

// Fake returns a function that returns the fakes of one recording.
func Fake() func(string) string { return newFaker().fake }

// FakeNumber is Fake for numbers.
func FakeNumber() func(string) string { return newFaker().number }
