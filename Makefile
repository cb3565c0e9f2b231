# `make` before every push; `make help` lists the rest.

GO       = go
LINT     = $(GO) tool -modfile=tools/go.mod golangci-lint
# How often each fuzz target runs. A count, not a time: Go before 1.27 may fail
# a target when its time is up (go.dev/issue/75804).
FUZZTIME = 100000x

.NOTPARALLEL:
.PHONY: all build run fmt lint test cover bench fuzz help

all: fmt lint test ## Format, lint and test (what `make` alone does)

build: ## Build bin/cohort
	$(GO) build -o bin/cohort ./cmd/cohort

run: ## Serve on this machine, with a store and a token to try things with
	$(GO) run ./cmd/cohort serve --dev

fmt: ## Format the code
	$(LINT) fmt

lint: ## Check format, vet, and the rules of .golangci.yml
	$(LINT) run ./...
	cd bench && $(GO) tool -modfile=../tools/go.mod golangci-lint run ./...

# The race detector needs cgo, which Go turns off where there is no C compiler.
test: ## Run the tests, with the race detector if there is a C compiler
	@if [ "$$($(GO) env CGO_ENABLED)" = 1 ]; then \
		echo "Testing with the race detector."; \
		$(GO) test -race ./...; \
	else \
		echo "Testing without the race detector: no C compiler found."; \
		$(GO) test ./...; \
	fi

cover: ## Say how much of the code the tests reach; bin/cover.out has the details
	@mkdir -p bin
	$(GO) test -coverpkg=./... -coverprofile=bin/cover.out ./...
	$(GO) tool cover -func=bin/cover.out | tail -n 1

bench: ## Run the benchmarks
	cd bench && $(GO) test -run '^$$' -bench . ./...

# go test fuzzes one target of one package at a time.
fuzz: ## Fuzz every decoder, FUZZTIME times each
	@for file in $$(grep -rl --include='*_test.go' '^func Fuzz' .); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
			echo "$$file: $$target"; \
			(cd "$$(dirname "$$file")" && $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x .) || exit 1; \
		done; \
	done

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile
