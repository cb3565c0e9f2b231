package cohorttest_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"cohort.example/cohort/cohorttest"
)

// A test calls Start, which ends the server with the test. An example has no test, so it
// calls New.
func Example() {
	server, err := cohorttest.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	url := server.URL + "/stores/" + server.Store + "/v2/customer_groups"
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(`{"name":"Wholesale"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("X-Auth-Token", server.Token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	fmt.Println(res.Status, res.Header.Get("Location"))
	// Output: 200 OK /stores/test/v2/customer_groups/1
}

func ExampleRunScript() {
	server, err := cohorttest.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	const script = `
# A group is created.
POST /v2/customer_groups
send {"name":"Wholesale"}
code == 200
header Location == /stores/{store}/v2/customer_groups/<int>
let id = id

# It has the name that was sent.
GET /v2/customer_groups/{id}
code == 200
body contains "name":"Retail"
`
	err = cohorttest.RunScript(context.Background(), server.Target(), "groups.txt", script, func(x cohorttest.Exchange) {
		fmt.Println(x.Request.Method, x.Status, x.Comment)
		for _, failure := range x.Failures {
			fmt.Println(strings.Split(failure, "\n")[0])
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Output:
	// POST 200 A group is created.
	// GET 200 It has the name that was sent.
	// groups.txt:12: body contains "name":"Retail"
}
