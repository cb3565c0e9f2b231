package exchange_test

import "regexp"

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }
