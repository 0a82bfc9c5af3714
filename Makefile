# Every step a person needs is a target here; `make help` prints them from the comments behind the double hash.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# Tests start hundreds of processes: where bytecode is not written, each compiles all of Exemplar again.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --upgrade --quiet \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

.PHONY: help setup demo test benchcheck check format bench faults schemas lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with everything in it (Python 3.11 or later is all it needs)

$(READY): requirements/dev.txt pyproject.toml
	@set -eu; \
	for python in python3.11 python3.12 python3.13 python3.14 python3 python; do \
		"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		test -x $(BIN)/python || "$$python" -m venv $(VENV); break; \
	done; \
	test -x $(BIN)/python || { echo "make setup: found no Python 3.11 or later with the venv module" >&2; exit 1; }
	@echo "setting up $(VENV) (a minute or so, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## load a made-up year and serve it (EXEMPLAR_PORT, by default 8000)
	@$(BIN)/exemplar demo --port $${EXEMPLAR_PORT:-8000}

test: setup ## run all tests
	@$(BIN)/pytest --ignore=tests/benchmarks

benchcheck: setup ## see that each benchmark runs and prints its rows
	@$(BIN)/pytest tests/benchmarks

check: setup ## lint, formatting, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup ## put the code into its one format, with safe fixes
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

bench: setup ## measure throughput and latency, beside a peer (docs/benchmarks.md)
	@$(BIN)/python -m benchmarks

faults: setup ## break everything that can break, under load, and look for what was lost (docs/reliability.md)
	@$(BIN)/python -m tests.faults

schemas: setup ## write the checked-in schemas anew from the code
	@$(BIN)/python -m services.events.catalog.schemas
	@$(BIN)/python -m services.graphql > schema.graphql

lock: setup ## resolve and hash the requirements anew
	@$(LOCK) --output-file requirements/runtime.txt
	@$(LOCK) --extra dev --constraint requirements/runtime.txt --output-file requirements/dev.txt

clean: ## remove .venv and what builds, tests and tools left (not exemplar-data)
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
