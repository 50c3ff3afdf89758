# One vocabulary of tasks, the same by hand and in CI. Each target sets up what it needs from `python3` (3.11 to 3.13) and make.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
TRIAGE := $(BIN)/triage
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-all check format bench bench-serving lock clean

help: ## what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## simulate a service desk, train, mine, ask the service: the whole way in one command
	$(TRIAGE) demo

serve: $(VENV)/.run ## serve what the demo (or `triage train`) left
	$(TRIAGE) serve

test: $(VENV)/.dev ## the tests, in minutes
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

test-all: $(VENV)/.dev ## the tests, the long ones too
	$(BIN)/python -m pytest

check: $(VENV)/.dev ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev ## put the code in its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## all experiments and benchmarks, each with a JSON result (hours; SMOKE=--smoke for minutes)
	$(BIN)/python -m experiments run all $(SMOKE)

bench-serving: $(VENV)/.dev ## load the service, a bare FastAPI app and MLflow's server with wrk
	$(BIN)/python -m experiments run 0201

lock: $(VENV)/.dev ## write the pins again from pyproject.toml
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	cd requirements && for set in run:train,serve,postgres,excel dev:train,serve,postgres,excel,semantic,search,hygiene,dev; do \
	  ../$(VENV)/lock/bin/uv pip compile ../pyproject.toml --quiet --universal --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate $$(echo $${set#*:} | tr , '\n' | sed 's/^/--extra /') pins.in -o $${set%%:*}.txt; done

clean: ## remove what the targets made, not your data
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist

# The interpreter is checked first: an old python3 would fail much later, with a riddle.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "triage-ml needs Python 3.11 to 3.13, and $(PYTHON) is %d.%d: try make PYTHON=python3.12" % v)'
	$(PYTHON) -m venv $(VENV)

# The pins first, each checked against its hash; then the project itself, with nothing left to resolve.
$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run
