# `make help` lists what can be made. Everything goes through the environment that `make env` makes.

# Environment: a directory, or `active` for the one that is active (nothing is installed there).
CTAP_ENV ?= .venv
# Interpreter that a new environment is made from; the first of python3, python3.13 ... that is new enough.
PYTHON ?=
# Processes of the tests: one a core, at most this many.
TEST_JOBS ?= 2
PYTEST_ARGS ?=

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# cd would go where the user's shell says.
unexport CDPATH

ifeq ($(CTAP_ENV),active)
READY := use-active
ENTER := true
else
READY := $(CTAP_ENV)/.ready
ENTER := case '$(CTAP_ENV)' in /*) . '$(CTAP_ENV)/bin/activate';; *) . '$(CURDIR)/$(CTAP_ENV)/bin/activate';; esac
endif

PYTEST := OMP_NUM_THREADS=1 python -m pytest -n auto --maxprocesses $(TEST_JOBS) --dist worksteal

.PHONY: help
help: ## this list
	@echo "make TARGET, where TARGET is one of"
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo "variables:"
	@echo "  CTAP_ENV=DIR     environment to make and use (now: $(CTAP_ENV)); CTAP_ENV=active: the one that is active"
	@echo "  PYTHON=PROGRAM   Python >= 3.10 to make it from"
	@echo "  TEST_JOBS=N      processes of the tests at most (now: $(TEST_JOBS))"
	@echo "  PYTEST_ARGS=...  more options of pytest, such as PYTEST_ARGS='-k ark -x'"

.PHONY: env
env: $(READY) ## make the environment with everything pinned (quick if nothing changed), and say what is there
	@$(ENTER); python tools/check_install.py

$(CTAP_ENV)/.ready: setup.py pyproject.toml tools/constraints.txt tools/setup_env.sh tools/fix_torchaudio.py
	@PYTHON="$(PYTHON)" tools/setup_env.sh "$(CTAP_ENV)"

.PHONY: use-active
use-active:
	@python tools/check_install.py >/dev/null || { python tools/check_install.py; exit 1; }

.PHONY: demo
demo: $(READY) ## from nothing to a trained model, voices, scores and pictures: the embedded corpus, stages 0-6
	@$(ENTER); cd egs/mini/ctap1 && ./run.sh

.PHONY: table1
table1: $(READY) ## the paper's Table 1 on the embedded corpus (docs/table1.md), after what `make demo` makes
	@$(ENTER); cd egs/mini/ctap1 && ./run.sh --stop_stage 7

.PHONY: test
test: $(READY) ## all tests but the slow ones
	@$(ENTER); $(PYTEST) -m "not slow" $(PYTEST_ARGS)

.PHONY: test-slow
test-slow: $(READY) ## the slow tests
	@$(ENTER); $(PYTEST) -m slow $(PYTEST_ARGS)

.PHONY: lint
lint: $(READY) ## ruff on Python, shellcheck on every shell script
	@$(ENTER); ruff check .
	@$(ENTER); ruff format --check .
	@$(ENTER); tools/shell_scripts.sh | xargs shellcheck --external-sources --source-path=. --source-path=utils

.PHONY: format
format: $(READY) ## bring Python files into form
	@$(ENTER); ruff check --fix-only --quiet .; ruff format .

.PHONY: bench
bench: ## list the benchmarks in tools/bench, and how to run one
	@shopt -s nullglob; \
	for file in $$(grep -l '^if __name__' tools/bench/*.py) tools/bench/*.sh; do printf '%-36s %s\n' "$$file" "$$(sed -n -E '/^("""|# )[A-Za-z`]/ { s/^("""|# )//; s/"""$$//; p; q; }' "$$file")"; done
	@echo "run one: $(if $(filter active,$(CTAP_ENV)),,. $(CTAP_ENV)/bin/activate && )python tools/bench/NAME.py --help"

.PHONY: clean
clean: ## remove caches and build products; environments, data and experiments stay
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +
