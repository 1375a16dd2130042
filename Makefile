# Everything a developer or operator types; `make help` lists it.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup run test check bench format client lock triage browser screenshots

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(READY) ## install everything locked into .venv

run: setup ## start database, web server and worker with the demo shop; Ctrl-C stops all of it
	@PORT=$(PORT) exec $(BIN)/makegood serve --demo --port $(PORT)

check: setup ## format, lint, types, import contracts, migrations, translations, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run --skip-checks
	$(BIN)/pytest -q tests/config/test_words.py tests/config/test_reference.py tests/house/test_links.py tests/house/test_reference_pages.py \
	  tests/house/test_commands_in_pages.py tests/house/test_texts.py tests/house/test_sizes.py tests/house/test_ledger_tables.py

test: setup browser ## the whole suite, on a throw-away PostgreSQL
	$(BIN)/pytest -n auto --dist loadfile

browser: # the browser of the page tests; where it cannot be installed they say why they are skipped
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; } || \
	echo "no chromium, and it cannot be installed here: tests of pages in a browser will be skipped" >&2

bench: setup ## measure the promised figures as ratios: text, and bench/results.json (docs/reference/figures.md)
	@$(BIN)/python -m bench

screenshots: setup browser ## pictures of every page in both languages, at phone and desk width and in the dark, into screenshots/
	$(BIN)/python -m tests.browser.screenshots

soak: setup ## four minutes of traffic over API and mail with cut connections and killed processes
	MAKEGOOD_SOAK_SECONDS=240 $(BIN)/python -m pytest tests/soaking -q -s -p no:cacheprovider

triage: setup ## train the model that reads messages again from its sentences (docs/explanation/triage.md)
	$(BIN)/python -m makegood.conversations.triage

format: setup ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

client: setup ## write the typed Python client from the OpenAPI document (clients/python)
	$(BIN)/python -m makegood.config.python_client

lock: ## renew requirements.lock (needs uv)
	uv pip compile --quiet --extra dev --generate-hashes --universal --python-version 3.11 --no-header --no-emit-index-url --no-emit-find-links pyproject.toml --output-file requirements.lock
