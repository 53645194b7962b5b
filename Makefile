# `make drill` and `make test` do all their set-up themselves.
SHELL := /bin/bash
.DEFAULT_GOAL := help
TSX := node --import tsx
# What was installed: compared by its content, as git gives a file that did not change another time.
INSTALLED := node_modules/.installed-lock.json

.PHONY: help drill drill-standby test faults faults-night attack bench up down env setup packages installed check format golden clean

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

down: installed ## stop the local cloud and remove its state
	@$(TSX) sandbox/cli.ts down --purge

env: installed ## print the environment for pulumi by hand; see README.md
	@$(TSX) sandbox/cli.ts env

setup: packages ## install and build what is pinned (cached outside git)
	@$(TSX) sandbox/toolchain/cli.ts setup

# npm's words go to standard error: what `make -s` prints may be evaluated. It empties node_modules first, a link's target too.
packages:
	@command -v node >/dev/null || { echo "Node.js >= 20.19 is missing: install it from your distribution or nodejs.org" >&2; exit 1; }
	@cmp -s package-lock.json $(INSTALLED) && exit; \
	if [ -L node_modules ]; then \
		echo "node_modules is a link to $$(readlink node_modules), which has other packages than package-lock.json, and installing would empty it: remove the link, then repeat" >&2; \
		exit 1; \
	fi; \
	{ echo "installing the packages of package-lock.json" && rm -f $(INSTALLED) && npm ci --no-fund --no-audit --loglevel=error && cp package-lock.json $(INSTALLED); } >&2

# What stops and shows the local cloud installs nothing: it was started with what is there.
installed:
	@[ -d node_modules/tsx ] || { echo "nothing is installed in this checkout: \`make up\` installs it and starts the local cloud" >&2; exit 1; }

check: packages ## lint, format and types
	npx biome ci . && npx tsc --noEmit

format: packages ## format and apply safe fixes
	npx biome check --write .

golden: packages ## rewrite tests/golden and generated docs; review the difference
	@UPDATE_GOLDEN=1 $(TSX) --test stacks/*.test.ts plan/alerts/*.test.ts plan/identities-page.test.ts jobs/lib/schemas.test.ts tests/runbook-index.test.ts

clean: ## remove what was built here (not the cache)
	rm -rf dist reports
