# The commands of the project; README.md explains the first two.
.PHONY: demo test bench needs lint unit scenarios products images help
.DEFAULT_GOAL := help
# The steps of a command build on one another.
.NOTPARALLEL:
export PYTHONDONTWRITEBYTECODE := 1
export RUST_BACKTRACE := 0

help: ## Show these commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

demo: needs products ## Deploy a fleet to three real hosts, and one configuration that cuts its own network
	cargo lab image trixie
	cargo run --quiet --package lab --example demo

test: needs lint unit scenarios ## Everything: rules, format, lints, unit tests, scenarios on real hosts

bench: needs products images ## Measure; ONLY=area for one area
	cargo build --quiet --release --package cli
	cargo xtask bench $(ONLY)

needs:
	@scripts/needs

lint: ## The repository's rules, the format, the lints
	cargo xtask tidy
	cargo xtask no-lock-out --check
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings

unit: ## All tests that need no host
	cargo nextest run --profile ci --workspace -E 'not binary(scenarios)'
	python3 -m unittest discover --quiet --start-directory lab/os/loader/tests
	python3 -m unittest discover --quiet --start-directory lab/os/switch/tests

products: ## lockstep and the static agent that it brings to hosts
	cargo build --quiet --package cli --package lab
	scripts/agent

images:
	cargo lab image

scenarios: products ## All tests on real hosts; skipped with a reason where no lab can run, but never in CI
	@scripts/scenarios
