# Everything a person or CI does with this checkout. Each target is a script, so that each can be read, run and tested by itself.
.DEFAULT_GOAL := help
.PHONY: help setup demo stack-up stack-down stack-status check test test-all prove bench
MAKEFLAGS += --no-print-directory


help: ## this list
	@printf 'make demo first shows it all: it sets up, starts the stack and deploys to it under load.\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## Python environment, collection link, Docker Engine with Compose; quick when it is all there
	@tools/setup

demo: setup ## the whole story in a few minutes: deploys, a bad release, a rollback, under load
	@demo/run

stack-up: setup ## start the demo stack and wait until it is healthy
	@tools/stack-up

stack-down: ## remove the demo stack and every trace of it
	@demo/down

stack-status: ## what runs, what is live, on which ports
	@demo/status

check: setup ## lint and unit tests, under three minutes
	@tools/check

test: ## everything CI runs, on a stack of its own
	@tools/test

test-all: ## test, and what takes minutes (tests/long): for before an issue is resolved
	@tools/test --all

prove: setup ## the full campaigns; results go to a dated file in results/
	@tests/prove

bench: setup ## timings; results go to a dated file in results/
	@tests/bench/run
