// A module of its own: programs that call the API need neither the databases nor the
// server of Cohort. The tests with a server are in the module conformance.
module cohort.example/cohort/client

go 1.26.0

require github.com/shopspring/decimal v1.6.0
