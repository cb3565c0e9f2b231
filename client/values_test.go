package client

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestOptHasThreeStates(t *testing.T) {
	type update struct {
		Name  Opt[string]   `json:"name,omitzero"`
		Rules Opt[[]string] `json:"rules,omitzero"`
	}
	for _, c := range []struct {
		value update
		text  string
	}{
		{update{}, `{}`},
		{update{Name: Set("")}, `{"name":""}`},
		{update{Name: Null[string](), Rules: Set([]string{})}, `{"name":null,"rules":[]}`},
		{update{Name: Set("x"), Rules: Set([]string{"a"})}, `{"name":"x","rules":["a"]}`},
	} {
		got, err := json.Marshal(c.value)
		if err != nil || string(got) != c.text {
			t.Errorf("%+v is %s (%v), want %s", c.value, got, err, c.text)
		}
		var back update
		if err := json.Unmarshal([]byte(c.text), &back); err != nil {
			t.Fatal(err)
		}
		if back.Name != c.value.Name || back.Rules.IsNull() != c.value.Rules.IsNull() || back.Rules.IsZero() != c.value.Rules.IsZero() {
			t.Errorf("%s is read as %+v, want %+v", c.text, back, c.value)
		}
	}
	var wrong Opt[int64]
	if err := json.Unmarshal([]byte(`"x"`), &wrong); err == nil || !wrong.IsZero() {
		t.Errorf("a text is read as a number: %+v", wrong)
	}
	if got := Null[int]().Or(5); got != 5 {
		t.Errorf("null or 5 is %d", got)
	}
	if got, ok := Set(7).Get(); got != 7 || !ok {
		t.Errorf("7 is %d, %t", got, ok)
	}
}

func TestAmounts(t *testing.T) {
	for text, want := range map[string]string{
		`5`: "5", `"5.0000"`: "5", `12.50`: "12.5", `"0.1"`: "0.1", `1e2`: "100", `"-3"`: "-3",
		`99999999999999999999.0001`: "99999999999999999999.0001",
	} {
		var a Amount
		if err := json.Unmarshal([]byte(text), &a); err != nil || !a.Equal(MustAmount(want).Decimal) {
			t.Errorf("%s is read as %s (%v), want %s", text, a, err, want)
		}
		back, err := json.Marshal(a)
		if err != nil || strings.ContainsAny(string(back), `"eE`) {
			t.Errorf("%s is sent as %s (%v)", text, back, err)
		}
	}
	for _, text := range []string{`"x"`, `""`, `{}`, `true`, `1e999999999`, `1e-99999`, `"NaN"`, `"` + strings.Repeat("9", 65) + `"`} {
		var a Amount
		if err := json.Unmarshal([]byte(text), &a); err == nil {
			t.Errorf("%.40s is read as an amount", text)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("MustAmount accepts a text that is no number")
		}
	}()
	MustAmount("five")
}

func TestTimes(t *testing.T) {
	want := time.Date(2023, 7, 17, 6, 30, 41, 0, time.UTC)
	for _, text := range []string{
		`"2023-07-17 06:30:41"`, `"Mon, 17 Jul 2023 06:30:41 +0000"`, `"2023-07-17T06:30:41Z"`, `"2023-07-17T06:30:41+00:00"`,
		`"2023-07-17T08:30:41+0200"`, `"2023-07-17T06:30:41.000Z"`, `"Mon, 17 Jul 2023 02:30:41 -0400"`,
	} {
		var got Time
		if err := json.Unmarshal([]byte(text), &got); err != nil || !got.Equal(want) {
			t.Errorf("%s is read as %v (%v)", text, got, err)
		}
	}
	for _, text := range []string{`null`, `""`} {
		got := Time{want}
		if err := json.Unmarshal([]byte(text), &got); err != nil || !got.IsZero() {
			t.Errorf("%s is read as %v (%v)", text, got, err)
		}
	}
	for _, text := range []string{`"yesterday"`, `7`, `{}`, `"` + strings.Repeat("2", 1000) + `"`} {
		var got Time
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%.40s is read as a date", text)
		}
	}
	if text, err := json.Marshal([]Time{{want}, {}}); err != nil || string(text) != `["2023-07-17T06:30:41Z",null]` {
		t.Errorf("times are sent as %s (%v)", text, err)
	}
}

func FuzzTime(f *testing.F) {
	for _, text := range []string{"2023-07-17 06:30:41", "Mon, 17 Jul 2023 06:30:41 +0000", "2023-07-17T06:30:41.5-07:00", "", "2023-02-30"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseTime(text)
		if err != nil {
			return
		}
		sent, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var back Time
		if err := json.Unmarshal(sent, &back); err != nil || !back.Equal(got.Time) {
			t.Errorf("%q is %v, sent as %s and read as %v (%v)", text, got, sent, back, err)
		}
	})
}

func FuzzAmount(f *testing.F) {
	for _, text := range []string{`5`, `"5.0000"`, `1e2`, `-0.1`, `"1e63"`, `null`, `"0x1"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var a, back Amount
		if json.Unmarshal([]byte(text), &a) != nil {
			return
		}
		sent, err := json.Marshal(a)
		if err != nil || len(sent) > 200 {
			t.Fatalf("%q is sent as %d bytes (%v)", text, len(sent), err)
		}
		if len(sent) <= maxAmountBytes {
			if err := json.Unmarshal(sent, &back); err != nil || !back.Equal(a.Decimal) {
				t.Errorf("%q is sent as %s and read as %s (%v)", text, sent, back, err)
			}
		}
	})
}
