# The two that matter: `make run` and `make test`. `make help` lists all.
PYTHON ?= python3
PORT ?= 7860
DATA ?= ../shared/data/ehrsql-2024
OUT ?= ../planner-training
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

.PHONY: help setup run test lint bench train planner clean
.DEFAULT_GOAL := help

help:  ## List the targets
	@sed -n 's/^\([a-z]*\):.*##/\1:/p' $(MAKEFILE_LIST) | column -t -s:

setup: .venv/.ready  ## Make .venv with everything in it (minutes the first time, nothing after)

run: setup  ## Make the demo hospital, answer one example, start the app (PORT=7860)
	@$(BIN)/chartroom serve --example --port $(PORT)

test: .venv/.ready-dev  ## Run all tests
	@$(BIN)/python -m pytest

lint: .venv/.ready-dev  ## Check style and types
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/pyright

bench: .venv/.ready-bench  ## Run the benchmarks that need no other data (docs/benchmarks.md has all)
	@for name in questions latency charts followups; do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

train: .venv/.ready-train  ## Train the bundled planner anew; goes on where it stopped (DATA=… OUT=…)
	@test -s $(OUT)/questions.jsonl || $(BIN)/python -m benchmarks.ehrsql_expressiveness \
	    --data $(DATA) --split train --out $(OUT)/questions.jsonl
	@$(BIN)/python -m agent.bundled.training --questions $(OUT)/questions.jsonl \
	    --questions agent/bundled/training/unanswerable.jsonl --store $(DATA)/mimic_iv.sqlite --out $(OUT)
	@echo 'make planner OUT=$(OUT) puts it into agent/bundled and calibrates it'

planner: .venv/.ready-train  ## Put a trained planner into agent/bundled and calibrate it (DATA=… OUT=…)
	@cp $(OUT)/planner.gguf $(OUT)/planner.sha256 $(OUT)/planner.words.tsv \
	    $(OUT)/planner.calls.tsv agent/bundled/
	@$(BIN)/python -m agent.bundled.calibrate --questions $(OUT)/questions.jsonl --ids $(OUT)/apart.txt \
	    --questions agent/bundled/training/calibration.jsonl --store $(DATA)/mimic_iv.sqlite --write

clean:  ## Remove the environment and everything that was built (records and models stay)
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready: pyproject.toml
	@$(PYTHON) agent/doctor.py --setup
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) --quiet 'setuptools>=77'
	@echo 'Installing torch ...' && $(PIP) --quiet torch==2.13.0
	@$(BIN)/python -c 'import llama_cpp' 2>/dev/null || echo 'Compiling llama.cpp with $(CORES) cores: about 5 minutes on 2 cores ...'
	@CMAKE_BUILD_PARALLEL_LEVEL=$(CORES) $(PIP) --quiet 'llama-cpp-python>=0.3.35'
	@echo 'Installing the rest ...' && $(PIP) --quiet --no-build-isolation --editable .
	@touch $@

.venv/.ready-dev: .venv/.ready
	@$(PIP) --quiet --no-build-isolation --editable '.[dev,train]' && touch $@

.venv/.ready-bench: .venv/.ready
	@$(PIP) --quiet --no-build-isolation --editable '.[bench]' && touch $@

.venv/.ready-train: .venv/.ready
	@$(PIP) --quiet --no-build-isolation --editable '.[train]' && touch $@
