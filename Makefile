# Each target works from a bare clone: it makes its own environment first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# lm-eval has copies of these, which an editable install makes once
TASK_FILES := $(wildcard harness_adapters/lm_eval/privacy_collapse/*.yaml)
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.PHONY: help demo test lint types layers bench bench-memory bench-judge bench-logprob bench-compare bench-submission clean

help: ## show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 15

demo: $(VENV)/runtime ## run the agentic task offline, with reference models and the lexical judge
	$(BIN)/privacy-tasks demo

test: $(VENV)/dev ## run the whole test suite
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/dev ## ruff: style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev ## mypy, strict
	$(BIN)/mypy

layers: $(VENV)/dev ## judges <- privacy_tasks <- harness_adapters
	$(BIN)/lint-imports

bench: $(VENV)/dev ## wall time, CPU and memory against a bare Inspect task
	$(BIN)/python -m tests.bench

bench-memory: $(VENV)/dev ## time and memory of the memory task with 490 and 2,450 samples
	$(BIN)/python -m tests.bench.memory_growth

bench-judge: $(VENV)/dev ## the judge pass in lm-eval, against the ideal and one call at a time
	$(BIN)/python -m tests.bench.judge_pass

bench-logprob: $(VENV)/dev ## requests and tokens of log-likelihood probes, against stock multiple_choice
	$(BIN)/python -m tests.bench.logprob

bench-compare: $(VENV)/dev ## time and memory of compare, with 4 × 1,000 and 4 × 10,000 samples
	$(BIN)/python -m tests.bench.compare

bench-submission: $(VENV)/dev ## time, memory and size of submit and verify, with 5,000 samples in 5 epochs
	$(BIN)/python -m tests.bench.submission

clean: ## remove the environment
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "privacy-tasks needs Python 3.11 or later; call make PYTHON=python3.11, say"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime: pyproject.toml constraints.txt $(TASK_FILES) | $(VENV)/bin/python
	@echo "Installing privacy-tasks into $(VENV) (a few minutes the first time) …"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/dev: pyproject.toml constraints.txt $(TASK_FILES) | $(VENV)/bin/python
	@echo "Installing privacy-tasks and what the tests need into $(VENV) (a few minutes the first time) …"
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@# by itself, as every inspect command would load it, which takes seconds
	@$(PIP) install -c constraints.txt --no-deps --upgrade --target $(VENV)/standard-benchmarks/site-packages inspect-evals
	@# likewise: its validator checks exported records; it declares a later Python than it needs for that
	@$(PIP) install -c constraints.txt --no-deps --ignore-requires-python --upgrade --target $(VENV)/every-eval-ever/site-packages every-eval-ever
	@touch $@ $(VENV)/runtime
