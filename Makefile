# Reemio's everyday commands. `make` alone lists them; everything they make lies in .venv/ and .reemio/.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
HOST ?= 127.0.0.1
export PORT HOST
export PIP_DISABLE_PIP_VERSION_CHECK = 1

RUN := .venv/bin/python
PIP := $(RUN) -m pip install -q -c requirements.lock
FUZZ_REQUESTS ?= 2000
TRACKER_VERSION = $(shell sed -n 's/^const VERSION = "\(.*\)";/\1/p' static/reemio/source/1-basics.js)

.DEFAULT_GOAL := help
.PHONY: help demo test check fuzz endurance benchmarks format run worker beat migrate openapi tracker screenshots lock stop clean

help: ## Show this list
	@echo "Reemio. Usage: make <what>"
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{printf "%-12s %s\n", $$1, $$2}'
	@echo
	@echo "Variables: PORT (8000), HOST (127.0.0.1), and all of docs/settings.md."

# --- Use it ------------------------------------------------------------------------------------------------------
demo: .venv/.runtime ## Start everything, with a demo shop to look at: PORT=8011 make demo
	@exec $(RUN) manage.py demo

run: .venv/.runtime ## Start the web process alone, reachable at HOST:PORT
	@PATH="$(CURDIR)/.venv/bin:$$PATH" exec deploy/start web

worker: .venv/.runtime ## Start the worker alone
	@PATH="$(CURDIR)/.venv/bin:$$PATH" exec deploy/start worker

beat: .venv/.runtime ## Start beat, which wakes the periodic tasks, alone
	@PATH="$(CURDIR)/.venv/bin:$$PATH" exec deploy/start beat

migrate: .venv/.runtime ## Bring the tables up to date
	@$(RUN) manage.py migrate

# --- Work on it --------------------------------------------------------------------------------------------------
test: .venv/.dev ## Run all tests, on two processes
	@$(RUN) -m pytest -n 2 --dist loadgroup

check: .venv/.dev ## Lint, types, import line, dependencies, migrations, OpenAPI document, documentation
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy .
	$(RUN) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-cache
	$(RUN) -m deptry .
	$(RUN) manage.py check --fail-level WARNING
	$(RUN) -m pytest -q tests/house/test_house.py tests/house/test_docs.py

fuzz: .venv/.dev ## Send FUZZ_REQUESTS (2000) made-up requests to the API, and compare each answer with its schema
	@REEMIO_FUZZ_REQUESTS=$(FUZZ_REQUESTS) $(RUN) -m pytest -q tests/house/test_contract.py

endurance: .venv/.dev ## The tests of "nobody is mailed twice", for longer: more people, more kills, more time zones
	@REEMIO_ENDURANCE=1 $(RUN) -m pytest -q tests/campaigns/test_survival.py tests/campaigns/test_other_campaigns.py

benchmarks: .venv/.dev ## Measure every budget, in databases of their own: WITHOUT="growth" leaves one out
	@$(RUN) -m benchmarks.all $(if $(WITHOUT),--without $(WITHOUT))

format: .venv/.dev ## Format the code
	@$(RUN) -m ruff format . && $(RUN) -m ruff check --fix .

openapi: .venv/.dev ## Write docs/openapi.yaml anew
	@$(RUN) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

tracker: .venv/.dev ## Write static/reemio/reemio-<version>.js anew, from its sources
	@{ printf '/*! Reemio $(TRACKER_VERSION), tracker and lists for a storefront: docs/tracker.md; its source: source/. MIT */\n(()=>{"use strict";\n'; \
		cat static/reemio/source/*.js; printf '})();\n'; } | $(RUN) -m rjsmin -b > static/reemio/reemio-$(TRACKER_VERSION).js

screenshots: .venv/.dev ## Take the pictures of docs/images/ anew, from the demo that runs at PORT
	@$(RUN) docs/images/make.py
	@$(RUN) docs/screenshots.py http://localhost:$(PORT)

lock: ## Write requirements.lock anew, from the newest versions that pyproject.toml allows
	@rm -rf .venv/lock && $(PYTHON) -m venv .venv/lock
	@.venv/lock/bin/python -m pip install -q -e '.[dev,observability,spark]'
	@.venv/lock/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' | sort -f > requirements.lock
	@rm -rf .venv/lock

# --- Tidy up -----------------------------------------------------------------------------------------------------
stop: ## Stop the private PostgreSQL and Redis; their data stays
	@if [ -x $(RUN) ]; then $(RUN) manage.py embedded stop; fi

clean: stop ## Stop the private servers and remove .reemio/ with all its data
	@rm -rf .reemio

# --- The environment: made once, and again when the dependencies change --------------------------------------------
.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Python 3.11 or newer is needed. On Debian or Ubuntu: apt install python3.11 python3.11-venv"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv is missing. On Debian or Ubuntu: apt install python3.11-venv"; exit 1; }
	@echo "Making .venv/ with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.runtime: .venv/.made pyproject.toml requirements.lock
	@echo "Installing what Reemio needs into .venv/ (once; a few minutes)"
	@$(PIP) -e .
	@touch $@

.venv/.dev: .venv/.runtime
	@echo "Installing what tests and checks need into .venv/ (once)"
	@$(PIP) -e '.[dev,observability,spark]'
	@touch $@
