# Everything that is run here and in CI. `make` lists it.
.DEFAULT_GOAL := help
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
# uv from the PATH, or of this Python, or of a private environment made for it
UV = $$(command -v uv || $(PYTHON) -c 'import uv; print(uv.find_uv_bin())' 2>/dev/null \
	|| echo .uv/$(notdir $(BIN))/uv)

# One thread an engine, and a file's tests one after another, so that they can share a daemon
PARALLEL = OMP_NUM_THREADS=1 $(BIN)/python -m pytest \
	--numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# Of tests chosen by ARGS, either half may have none
OR_NONE = $(if $(ARGS),|| [ $$? = 5 ])

define get_uv
[ -x "$(UV)" ] || { $(PYTHON) -m venv .uv && .uv/$(notdir $(BIN))/python -m pip install --quiet uv; } \
	|| { echo "Eutectic's set-up needs uv, or Python's venv (Debian: apt install python3-venv)"; exit 2; }
endef

.PHONY: help demo quick test lint lock protocol docs max bench clean setup

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/installed  ## make .venv from requirements.lock

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Eutectic needs Python 3.11 or newer; name one with PYTHON=..."; exit 2; }
	@$(get_uv)
	$(UV) venv --quiet --clear --python $(PYTHON) .venv
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python .venv requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation --python .venv --editable .
	$(BIN)/python -m compileall -q server
	@touch $@

demo: setup  ## fuse two recordings that ship; results in ./demo
	$(BIN)/eutectic demo

# ARGS are pytest's options: make quick ARGS="-k fade -n0", make test ARGS=--lf
quick: setup  ## run the tests that start no process and train nothing
	$(PARALLEL) -m "not process and not realtime and not training" $(ARGS)

test: setup  ## run every test
	$(PARALLEL) -m "not realtime" $(ARGS) $(OR_NONE)
	$(BIN)/python -m pytest -m realtime $(ARGS) $(OR_NONE)

lint: setup  ## style, types and layering
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/pyright

COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--group pyproject.toml:engine pyproject.toml
IN_IMAGE = --extra cloud --extra kuberay --extra parquet

lock:  ## write requirements.lock, the engine's and the image's lock anew from pyproject.toml
	@$(get_uv)
	$(COMPILE) --upgrade --extra dev -o requirements.lock
	$(COMPILE) --constraints requirements.lock -o server/eutectic/engine.lock
	$(COMPILE) --upgrade --constraints requirements.lock $(IN_IMAGE) -o docs/containers/image.lock

protocol: setup  ## write the list of OSC messages anew
	$(BIN)/python -c 'from eutectic.osc.protocol import protocol_markdown as text; print(text(), end="")' \
		> plugin_bridge/PROTOCOL.md

docs: setup  ## build the site in dist/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --config-file docs/make/mkdocs.yml

max: setup  ## write the Max package anew
	$(BIN)/python plugin_bridge/make_max

bench: setup  ## time the engine's parts against each other
	$(BIN)/eutectic bench

clean:  ## remove what was built and made here
	rm -rf .venv .uv demo dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find server tests -name __pycache__ -type d -prune -exec rm -rf {} +
