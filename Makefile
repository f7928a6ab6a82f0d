# make demo   the main job in a minute, offline after installation
# make test   lint, types, architecture, tests, and the built wheel
# Both set up .venv by themselves; they need Python 3.11-3.13, pip and make.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python,\
	$(shell $(p) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 && echo $(p))))
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo install test lint unit wheel bench-retrieval clean

demo: $(VENV)/.base
	$(BIN)/merl demo

install: $(VENV)/.dev

test: lint unit wheel

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m "not wheel"  # a process a core; threads of theirs would fight

wheel: $(VENV)/.dev
	$(BIN)/python -m pytest -m wheel

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "no Python 3.11-3.13 found; install one or call make PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.base: $(VENV)/.python pyproject.toml constraints.txt
	@echo "installing into $(VENV), some minutes the first time"
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(INSTALL) --editable ".[dev,local-llm,readers,sources]"
	@touch $@

bench-retrieval: $(VENV)/.dev
	$(BIN)/python benchmarks/retrieval/check_gold.py
	$(BIN)/python benchmarks/retrieval/run.py

clean:
	rm -rf $(VENV) dist build
