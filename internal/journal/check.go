package journal

// Check is a check that the server makes of a request.
type Check string

// The checks, in the order in which the server makes them. Source: the order of docs/wire.md.
const (
	CheckRoute     Check = "route"     // the path and the method
	CheckToken     Check = "token"     // X-Auth-Token
	CheckScope     Check = "scope"     // the store of the token, and its scope
	CheckLimits    Check = "limits"    // the quota, the concurrency limit and the share of bodies
	CheckFormats   Check = "formats"   // Accept, Content-Type and Content-Encoding
	CheckFault     Check = "fault"     // the fault rules
	CheckBody      Check = "body"      // the body as it arrives
	CheckOperation Check = "operation" // the query, the fields and the rules of the operation
)

// Checks returns all checks in their order.
func Checks() []Check {
	return []Check{CheckRoute, CheckToken, CheckScope, CheckLimits, CheckFormats, CheckBody, CheckFault, CheckOperation}
}
