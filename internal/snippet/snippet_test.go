package snippet

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hostile has what each language has to quote.
var hostile = Request{
	Method: "PUT", URL: "http://127.0.0.1/it's?a=b", Header: []Header{{"X-Auth-Token", "$TOKEN"}, {"Content-Type", "application/json"}},
	Body: `{"name":"It's \\ \"#{1}\" ${x} $y <é>","is-set":true,"none":null,"list":[1.50,[],{}]}`,
}

func TestLanguages(t *testing.T) {
	want := map[string]string{
		"curl": `curl -X PUT 'http://127.0.0.1/it'\''s?a=b' \
  -H "X-Auth-Token: $TOKEN" \
  -H 'Content-Type: application/json' \
  -d '{"name":"It'\''s \\ \"#{1}\" ${x} $y <é>","is-set":true,"none":null,"list":[1.50,[],{}]}'
`,
		"Node.js": `const response = await fetch('http://127.0.0.1/it\'s?a=b', {
  method: 'PUT',
  headers: {
    'X-Auth-Token': '$TOKEN',
    'Content-Type': 'application/json',
  },
  body: JSON.stringify({
    name: 'It\'s \\ "#{1}" ${x} $y <é>',
    'is-set': true,
    none: null,
    list: [1.50, [], {}],
  }),
});
console.log(response.status, await response.text());
`,
		"Python": `import requests

response = requests.request(
    "PUT",
    "http://127.0.0.1/it's?a=b",
    headers={"X-Auth-Token": "$TOKEN"},
    json={
        "name": "It's \\ \"#{1}\" ${x} $y <é>",
        "is-set": True,
        "none": None,
        "list": [1.50, [], {}],
    },
)
print(response.status_code, response.text)
`,
		"PHP": `<?php
$curl = curl_init('http://127.0.0.1/it\'s?a=b');
curl_setopt_array($curl, [
    CURLOPT_CUSTOMREQUEST => 'PUT',
    CURLOPT_HTTPHEADER => [
        'X-Auth-Token: $TOKEN',
        'Content-Type: application/json',
    ],
    CURLOPT_POSTFIELDS => json_encode([
        'name' => 'It\'s \\ "#{1}" ${x} $y <é>',
        'is-set' => true,
        'none' => null,
        'list' => [1.50, [], new stdClass()],
    ]),
    CURLOPT_RETURNTRANSFER => true,
]);
$body = curl_exec($curl);
echo curl_getinfo($curl, CURLINFO_RESPONSE_CODE), ' ', $body, "\n";
`,
		"Ruby": `require 'json'
require 'net/http'

uri = URI('http://127.0.0.1/it\'s?a=b')
request = Net::HTTP::Put.new(uri)
request['X-Auth-Token'] = '$TOKEN'
request['Content-Type'] = 'application/json'
request.body = JSON.generate({
  name: 'It\'s \\ "#{1}" ${x} $y <é>',
  'is-set' => true,
  none: nil,
  list: [1.50, [], {}]
})
response = Net::HTTP.start(uri.hostname, uri.port) { |http| http.request(request) }
puts "#{response.code} #{response.body}"
`,
		"Go": "package main\n\nimport (\n\t\"io\"\n\t\"log\"\n\t\"net/http\"\n\t\"os\"\n\t\"strings\"\n)\n\nfunc main() {\n" +
			"\treq, err := http.NewRequest(\"PUT\", \"http://127.0.0.1/it's?a=b\", strings.NewReader(`{\n" +
			"\t  \"name\": \"It's \\\\ \\\"#{1}\\\" ${x} $y <é>\",\n\t  \"is-set\": true,\n\t  \"none\": null,\n\t  \"list\": [1.50, [], {}]\n\t}`))\n" +
			"\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\treq.Header.Set(\"X-Auth-Token\", \"$TOKEN\")\n\treq.Header.Set(\"Content-Type\", \"application/json\")\n" +
			"\tres, err := http.DefaultClient.Do(req)\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\tdefer res.Body.Close()\n\tlog.Print(res.Status)\n" +
			"\tif _, err := io.Copy(os.Stdout, res.Body); err != nil {\n\t\tlog.Fatal(err)\n\t}\n}\n",
	}
	for _, l := range Languages() {
		if diff := cmp.Diff(want[l.Name], l.Write(hostile)); diff != "" {
			t.Errorf("%s: -want +got\n%s", l.Name, diff)
		}
	}
}

func TestShorten(t *testing.T) {
	for text, want := range map[string]struct {
		short string
		cut   bool
	}{
		`[1,2]`:                 {`[1, 2]`, false},
		`[1,2,3]`:               {`[1, 2]`, true},
		`{"a":[{"b":[1,2,3]}]}`: {`{"a": [{"b": [1, 2]}]}`, true},
		`"a"`:                   {`"a"`, false},
		`{}`:                    {`{}`, false},
	} {
		if short, cut := Shorten(text, 2); short != want.short || cut != want.cut {
			t.Errorf("%s: %s, %v", text, short, cut)
		}
	}
}
