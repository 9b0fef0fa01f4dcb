# make            what there is
# PYTHON=python3.12 make setup    with another Python

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SEEDS ?= 0-1999
N ?= 100000
JOBS ?= 4
CRASHES := $(patsubst %,tests/integration/test_%.py,backlog chaos delivery engine_choices \
  rebalance retention slots stop)
HOSPITALS := tests/simulation/test_simulation.py
YIELDS := nice -n 5
.DEFAULT_GOAL := help

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.dev ## a virtual environment in .venv, with everything in it
	@echo "ready: $(BIN)/radvigil --help"

check: $(VENV)/.dev ## ruff, mypy --strict, import-linter
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Four jobs at a time on two cores: crashes and edges mostly wait, and go first when they do not;
# core and hospitals take what is left. One core has them all in turn with JOBS=1.
test: warm ## the whole suite; what cannot run here is skipped with the reason (JOBS=4)
	@$(MAKE) --no-print-directory --keep-going --jobs=$(JOBS) core crashes edges hospitals

warm: $(VENV)/.dev ## every loop compiled, once and not by each of the jobs
	@$(BIN)/python -c 'from detectors.warm import warm_up; warm_up()'

core: $(VENV)/.dev ## the tests that need nothing else, but for the hospitals: unit, property
	$(YIELDS) $(BIN)/python -m pytest -ra --ignore=tests/integration --ignore=tests/browser \
	  --ignore=$(HOSPITALS)

hospitals: $(VENV)/.dev ## the first 200 simulated hospitals
	$(YIELDS) $(BIN)/python -m pytest -ra $(HOSPITALS)

sim: $(VENV)/.dev ## thousands of simulated hospitals, each from a seed (SEEDS=0-1999)
	$(BIN)/python -m tests.simulation $(SEEDS)

fuzz: $(VENV)/.dev ## broken messages to every translator of hospital standards (N=100000 a kind)
	$(BIN)/python -m tests.fuzz --n $(N)

integration: $(VENV)/.dev ## the tests on a broker, the real Kafka among them, and in a browser
	@$(MAKE) --no-print-directory --keep-going crashes edges

crashes: $(VENV)/.dev ## of them, those that take workers or the broker away, on a Kafka of their own
	RADVIGIL_TEST_PORTS=15000-22499 $(BIN)/python -m pytest -ra $(CRASHES)

edges: $(VENV)/.dev ## of them, all others
	RADVIGIL_TEST_PORTS=22500-29999 $(BIN)/python -m pytest -ra \
	  tests/integration tests/browser $(addprefix --ignore=,$(CRASHES))

bench: $(VENV)/.dev ## throughput, restore time, memory
	$(BIN)/python -m bench

demo: $(VENV)/.run ## a simulated hospital, watched in this terminal
	@$(BIN)/radvigil demo

$(VENV)/.run: pyproject.toml | $(BIN)/python
	@echo "installing radvigil into $(VENV), once; a minute or so"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "installing radvigil and its tools into $(VENV), once; a minute or two"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.run

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "radvigil needs Python 3.11 or newer; PYTHON=... names one" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }

.PHONY: help setup check test warm core hospitals sim fuzz integration crashes edges bench demo
