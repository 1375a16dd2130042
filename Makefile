# Everything a developer or operator types; `make help` lists it.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup run test check bench format lock

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(READY) ## install everything locked into .venv

lock: ## renew requirements.lock (needs uv)
	uv pip compile --quiet --extra dev --generate-hashes --universal --python-version 3.11 --no-header --no-emit-index-url --no-emit-find-links pyproject.toml --output-file requirements.lock
