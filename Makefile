# Run `make` before every push; `make help` lists the other targets.

GO       = go
LINT     = $(GO) tool -modfile=tools/go.mod golangci-lint
# The number of inputs for each fuzz target. A count, not a time: Go before 1.27
# may fail a target when its time is up (go.dev/issue/75804).
FUZZTIME = 100000x

.NOTPARALLEL:
.PHONY: all build run docs fmt lint test test-full race cover browser pictures bench crash soak abuse fuzz snapshot release module-path help

all: fmt lint test ## Format, lint and test (what `make` alone does)

build: ## Build bin/cohort
	$(GO) build -o bin/cohort ./cmd/cohort

run: ## Serve on this machine, with a store and a token to try things with
	$(GO) run ./cmd/cohort serve --dev

docs: ## Write the documentation site into bin/docs, after a check of its links
	$(GO) run ./cmd/docs

fmt: ## Format the code
	$(LINT) fmt

lint: ## Check format, vet, and the rules of .golangci.yml
	$(LINT) run ./...
	cd bench && $(GO) tool -modfile=../tools/go.mod golangci-lint run ./...
	cd bench/pocketbase && $(GO) tool -modfile=../../tools/go.mod golangci-lint run ./...
	cd testcontainers && $(GO) tool -modfile=../tools/go.mod golangci-lint run ./...
	cd client && $(GO) tool -modfile=../tools/go.mod golangci-lint run ./...
	cd client/conformance && $(GO) tool -modfile=../../tools/go.mod golangci-lint run ./...
	cd browser && $(GO) tool -modfile=../tools/go.mod golangci-lint run ./...

# testrun is go test, with a list of the skipped tests at its end.
TESTRUN  = $(GO) run ./internal/testrun

test: ## Run the tests in their short form, about a minute
	$(TESTRUN) ./...

test-full: ## Run the tests in full, many minutes: all repetitions, a million lines
	COHORT_TEST_FULL=1 $(TESTRUN) -timeout 30m ./...

# The detector does not watch SQLite itself: it is translated from C, starts no goroutines,
# and would take most of the time.
UNWATCHED = -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false
race: ## Run the tests in their short form with the race detector, which needs a C compiler
	CGO_ENABLED=1 $(TESTRUN) -race $(UNWATCHED) -timeout 30m ./...

cover: ## Print how much of the code the tests reach; bin/cover.out has the details
	@mkdir -p bin
	$(GO) test -coverpkg=./... -coverprofile=bin/cover.out ./...
	$(GO) tool cover -func=bin/cover.out | tail -n 1

browser: ## Test the console and the documentation in Chromium; COHORT_SCREENSHOTS names a folder for pictures
	$(GO) -C browser test -count 1 -timeout 10m ./...

# The pictures of docs/pictures, each a page that the browser tests visit.
PICTURES = requests-live prices
pictures: ## Take the pictures of the documentation again
	@folder=$$(mktemp -d) && COHORT_SCREENSHOTS=$$folder $(GO) -C browser test -count 1 -timeout 10m . && \
		for p in $(PICTURES); do cp $$folder/$$p-1280-light.png docs/pictures/$$p.png; done; rm -rf $$folder

bench: ## Measure Cohort beside others and itself, for some minutes; bench/README.md explains
	cd bench && $(GO) run ./compare

KILLS    = 200
crash: ## Kill the server KILLS times under load, and fill its disk; nothing acknowledged may be lost
	COHORT_TEST_FULL=1 COHORT_CRASH_KILLS=$(KILLS) $(GO) test -count 1 -timeout 30m -v -run 'Killed|DiskFull' ./cmd/cohort

SOAK     = 1m
PACE     = 0s
soak: ## Load a server on each engine with good and bad clients for SOAK, each of which waits PACE before a request; nothing may grow
	COHORT_TEST_FULL=1 COHORT_SOAK=$(SOAK) COHORT_SOAK_PACE=$(PACE) $(GO) test -count 1 -timeout 120m -v -run 'Soak|Overload|SlowLoris' ./cmd/cohort

ABUSE    = 2m
abuse: ## Attack the server with hostile clients for about ABUSE; it has to hold
	COHORT_TEST_FULL=1 COHORT_ABUSE=$(ABUSE) $(GO) test -count 1 -timeout 30m -v -run 'TestAbuse' ./cmd/cohort

# go test fuzzes one target of one package at a time, here FUZZJOBS of them at once.
FUZZJOBS = 1
fuzz: ## Fuzz every decoder, FUZZTIME times each
	@grep -r --include='*_test.go' '^func Fuzz' . | sed 's|/[^/]*:func \(Fuzz[A-Za-z0-9_]*\)(.*| \1|' | \
		xargs -n 2 -P $(FUZZJOBS) sh -c 'cd "$$0" && \
			out=$$($(GO) test -run "^$$" -fuzz "^$$1\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x . 2>&1) || \
			{ echo "$$0 $$1: FAIL"; echo "$$out"; exit 255; }; echo "$$0 $$1: $$(echo "$$out" | tail -n 1)"'

# The tools are built again when they change; the first time takes minutes.
bin/tools/goreleaser: tools/release/go.mod
	$(GO) -C tools/release build -o ../../bin/tools/ tool
	@touch $@

# The image needs a running Docker. goreleaser finds the program of the sboms in the PATH.
CONFIG   = .goreleaser.yaml
RELEASE  = PATH="$(CURDIR)/bin/tools:$$PATH" goreleaser release --clean --config $(CONFIG)

DOCKER   = $(shell docker info >/dev/null 2>&1 && echo yes)
snapshot: bin/tools/goreleaser ## Build the files of a release into bin/dist, of this commit without a tag
	$(RELEASE) --snapshot $(if $(DOCKER),,--skip=docker)

release: bin/tools/goreleaser ## Build the files of a release into bin/dist, of the tag of this commit; docs/releases.md explains
	$(RELEASE) --skip=publish

MODULE   =
module-path: ## Give the module the path MODULE, such as example.org/team/cohort, in every file
	$(GO) run ./internal/modulepath $(MODULE)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile
