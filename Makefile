# Everything that is run here and in CI. `make` lists it.
.DEFAULT_GOAL := help
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
UV := $(PYTHON) -m uv

.PHONY: help demo test lint lock bench clean setup

help:  ## list what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: .venv/installed  ## make .venv from requirements.lock

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Eutectic needs Python 3.11 or newer; name one with PYTHON=..."; exit 2; }
	@$(PYTHON) -c 'import uv' 2>/dev/null || $(PYTHON) -m pip install --quiet uv 2>/dev/null || \
		$(PYTHON) -m pip install --quiet --user --break-system-packages uv
	$(UV) venv --quiet --clear --python $(PYTHON) .venv
	$(UV) pip sync --quiet --require-hashes --python .venv requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation --python .venv --editable .
	@touch $@

demo: setup  ## fuse two recordings that ship; results in ./demo
	$(BIN)/eutectic demo

test: setup  ## run every test
	$(BIN)/python -m pytest

lint: setup  ## style, types and layering
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/pyright

lock:  ## write requirements.lock anew from pyproject.toml
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url \
		--upgrade --extra dev pyproject.toml -o requirements.lock

bench: setup  ## time the engine's parts against each other
	$(BIN)/eutectic bench

clean:  ## remove what was built and made here
	rm -rf .venv demo dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find server tests -name __pycache__ -type d -prune -exec rm -rf {} +
