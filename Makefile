# `make drill` and `make test` do all their set-up themselves.
SHELL := /bin/bash
.DEFAULT_GOAL := help
TSX := node --import tsx

.PHONY: help drill drill-standby test faults faults-night attack bench up down env setup check format golden clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

drill: setup ## lose every region and bring the site back
	@$(TSX) drill/cli.ts

drill-standby: setup ## lose Google Cloud, serve from AWS and come back; KILLS=10: activated with ten deaths
	@$(TSX) drill/standby-cli.ts $(if $(KILLS),--small --brief --kills $(KILLS))

test: setup ## checks, unit and integration tests, a small drill, a brief one of the standby
	@$(TSX) tests/run.ts

faults-night: setup ## break backups, copies and restores on purpose
	@$(TSX) faults/cli.ts night

faults: setup ## break pods, clusters and regions under traffic
	@$(TSX) faults/cli.ts traffic

attack: setup ## try everything as everybody, wipe production, restore it
	@$(TSX) faults/cli.ts attack

bench: setup ## what a preview, a night's copy, a restore, a rebuild and an activation cost
	@$(TSX) bench/cli.ts
	@$(TSX) bench/night.ts
	@$(TSX) bench/restore.ts
	@$(TSX) drill/cli.ts --small --bounded
	@$(TSX) drill/standby-cli.ts --small --brief --bounded

up: setup ## start the local cloud and leave it running
	@$(TSX) sandbox/cli.ts up

down: node_modules/.package-lock.json ## stop the local cloud and remove its state
	@$(TSX) sandbox/cli.ts down --purge

env: node_modules/.package-lock.json ## print the environment for pulumi by hand; see README.md
	@$(TSX) sandbox/cli.ts env

setup: node_modules/.package-lock.json ## install and build what is pinned (cached outside git)
	@$(TSX) sandbox/toolchain/cli.ts setup

node_modules/.package-lock.json: package-lock.json
	@command -v node >/dev/null || { echo "Node.js >= 20.19 is missing: install it from your distribution or nodejs.org"; exit 1; }
	npm ci --no-fund --no-audit --loglevel=error
	@touch $@

check: node_modules/.package-lock.json ## lint, format and types
	npx biome ci . && npx tsc --noEmit

format: node_modules/.package-lock.json ## format and apply safe fixes
	npx biome check --write .

golden: node_modules/.package-lock.json ## rewrite tests/golden and generated docs; review the difference
	@UPDATE_GOLDEN=1 $(TSX) --test stacks/*.test.ts plan/alerts/*.test.ts plan/identities-page.test.ts jobs/lib/schemas.test.ts tests/runbook-index.test.ts

clean: ## remove what was built here (not the cache)
	rm -rf dist reports
