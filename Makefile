# What a person types. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
# nextest where it is installed: each test in a process of its own, and a summary at the end.
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)

.PHONY: help run test check fmt certs release bench conformance fuzz-api prerequisites

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: prerequisites ## Build and serve https://localhost:8443 with the data in ./data
	$(CARGO) run --release -- serve

test: ## Everything that must pass
	@tests/prerequisites/check tests
ifeq ($(NEXTEST),yes)
	$(CARGO) nextest run
else
	$(CARGO) test --lib --bins --tests
endif
	$(CARGO) test --doc

check: prerequisites ## Formatting, lints, and licences and advisories where cargo-deny is installed
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	@tests/prerequisites/deny

certs: prerequisites ## Make or renew the development CA and the server's certificate in ./certs
	$(CARGO) run --release -- certs

release: prerequisites ## The optimised binary: target/release/rasterd
	$(CARGO) build --release --locked
	@ls -lh target/release/rasterd

bench: prerequisites ## Speed, as ratios to a bare handler in the same run
	$(CARGO) bench --bench ratios --bench pictures

conformance: prerequisites ## The official MCP conformance suite, both protocol eras (needs npm)
	tests/conformance/run

fuzz-api: prerequisites ## Two minutes of hostile requests, held against the OpenAPI document (needs Python)
	tests/fuzz_api/run

prerequisites:
	@tests/prerequisites/check
