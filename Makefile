# What a person types. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
# nextest where it is installed: each test in a process of its own, and a summary at the end.
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)
# Half as many again as there are processors, since tests with servers and browsers wait for a third of their time.
export NEXTEST_TEST_THREADS ?= $(shell echo $$(( ($$(nproc) * 3 + 1) / 2 )))

# In a checkout the development certificate is beside the sources; installed, it is in the data directory.
export RASTERD__TLS__DIR ?= certs

.PHONY: help setup setup-packaging run dev test test-fast check fmt certs release reproducible source deb image wheel npm airgap packaging bench conformance \
        clients examples metrics offline proxies fuzz fuzz-api pictures proofs torture web-large week

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26

setup: ## Install what the build, the tests and the checks need (as root on Debian), and say so first
	@config/setup install build tests tools

setup-packaging: ## Install the crates that `make release`, `make deb` and `make airgap` need
	@config/setup install packaging

run: ## Build and serve https://localhost:8443 with the data in ./data
	@config/setup ensure build
	$(CARGO) run --release -- serve

dev: ## The same without optimisation, with styles and scripts read from the sources
	@config/setup check build
	$(CARGO) run -- serve

test: ## Everything that must pass, but for what has a target of its own
	@config/setup ensure build tests
ifeq ($(NEXTEST),yes)
	$(CARGO) nextest run --no-run
	@tests/leaves_nothing $(CARGO) nextest run
else
	$(CARGO) test --lib --bins --tests --no-run
	@tests/leaves_nothing $(CARGO) test --lib --bins --tests
endif
	$(CARGO) test --doc

# These wait for half of their time.
test-fast: export NEXTEST_TEST_THREADS := $(shell echo $$(( $$(nproc) * 2 )))
test-fast: ## The tests without the browser, the large pictures and the kills
	@config/setup check build tests
	$(CARGO) nextest run --no-run
	@tests/leaves_nothing $(CARGO) nextest run --profile fast

check: ## Formatting, lints, unused crates, licences, advisories, and the types of the scripts
	@config/setup check build
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	@tests/web/check_scripts
	@config/setup audit

fmt: ## Format the sources
	$(CARGO) fmt
	@tests/web/check_scripts --write

certs: ## Make or renew the development CA and the server's certificate in ./certs
	@config/setup check build
	$(CARGO) run --release -- certs

release: ## The binary to hand out, optimised as a whole: target/packages/rasterd, its symbols and its checksum beside it
	@config/setup check build
	@config/packaging/release

reproducible: ## Builds the release in two folders, and compares the bytes (about an hour)
	@config/setup check build
	@tests/packaging/reproducible

source: ## The sources with all crates, to build without a network: target/packages (needs a network itself)
	@mkdir -p target/packages
	config/packaging/source target/packages

# What the packages are made from; without a release, RASTERD_BINARY=FILE names another binary.
BINARY := $(or $(RASTERD_BINARY),target/packages/rasterd)
RELEASE := $(if $(RASTERD_BINARY),,release)

deb: $(RELEASE) ## The package for Debian and its kin, with the unit for systemd: target/packages (needs cargo-deb)
	@config/packaging/debian/build $(BINARY) target/packages

image: $(RELEASE) ## The container image, as an archive for docker load or podman load: target/packages (needs root)
	@config/packaging/image/build $(BINARY) target/packages

wheel: $(RELEASE) ## The Python package for tests, with the binary inside: target/packages
	python3 config/clients/python/build_wheel.py $(BINARY) target/packages

npm: $(RELEASE) ## The npm package for tests, with the binary inside: target/packages (needs npm)
	node config/clients/npm/build.mjs $(BINARY) target/packages

airgap: deb image wheel npm ## One archive with all of these, for a machine without a network: target/packages (needs strace)
	RASTERD_BINARY=$(BINARY) tests/offline/run
	@config/packaging/airgap/build $(BINARY) target/packages target/packages

packaging: ## Installs the packages in fresh systems without a network, as the units would start them (needs root)
	tests/packaging/run

bench: ## Speed, as ratios to a bare handler in the same run
	@config/setup check build
	$(CARGO) bench --bench ratios --bench pictures

pictures: ## The pictures of the README, in .github (needs Chromium)
	@config/setup check build tests
	$(CARGO) test --test readme_pictures

web-large: ## A library of a hundred thousand assets in a browser: nodes, long tasks, requests, bytes (needs Chromium)
	@config/setup check build tests
	$(CARGO) test --test large_library

proofs: ## What must not compile, with the expected errors (builds every crate again, for more than twenty minutes the first time)
	@config/setup check build
	$(CARGO) test --test compile_fail

conformance: ## The official MCP conformance suite, both protocol eras (needs npm)
	tests/conformance/run

clients: ## Some forty real clients against a server (needs npm and PyPI; about ten minutes the first time)
	tests/clients/run

examples: ## Tests of others with rasterd inside, in each language (needs npm and PyPI)
	tests/examples/run

proxies: ## The guide's snippets for nginx, Caddy and Traefik, tried (needs PyPI; nginx and Caddy where they are installed)
	tests/proxies/run

offline: ## The proof that the server calls nowhere: its main work without a network, traced (needs strace): target/offline/summary.txt
	@config/setup check build
	tests/offline/run

metrics: ## A real Prometheus scrapes a server; the alerts, and every query of the dashboard (needs prometheus)
	@config/setup check build
	tests/metrics/run

torture: ## Ten thousand power cuts, and times that must not differ; as root also full and failing disks, for some fifteen minutes
	@config/setup check build
	tests/torture/run

week: ## A week of use in an hour: the clock moves, the requests, backups and restarts are real (RASTERD_WEEK_MINUTES=10 for less)
	@config/setup check build
	RASTERD_WEEK_MINUTES=$${RASTERD_WEEK_MINUTES:-60} $(CARGO) test --test api week:: -- --nocapture

fuzz: ## Each fuzz target for a minute (needs a nightly compiler and cargo-fuzz; builds every crate again)
	@tests/fuzz/run

fuzz-api: ## Two minutes of hostile requests, held against the OpenAPI document (needs Python)
	tests/fuzz_api/run
