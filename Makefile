# `make run` and `make test` are all that is needed; both set up whatever is missing first.
PYTHON ?= python3
BIN := .venv/bin
PAGES := src/tallystick/web/pages/index.html
PAGE_SOURCES := $(shell find web -path web/node_modules -prune -o -type f -print)

.PHONY: run demo test fuzz oracle soak check bench setup senders clean

run: setup
	@$(BIN)/tallystick serve

demo: setup
	@$(BIN)/tallystick demo

# So many files of tests at a time. Real daemons and browsers on a busy machine may be late: what failed beside others
# is tried once more by itself, and both outcomes are shown. Whatever passes only then has a race, and is to be mended.
# Only failed tests (status 1) are: after a run that was broken off, those of the run before would stand for all.
TEST_WORKERS ?= 2
test: setup .venv/.developer senders
	@$(BIN)/tallystick compile
	$(BIN)/pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder || \
		{ [ $$? -eq 1 ] && echo "Trying what failed once more, by itself:" && $(BIN)/pytest --last-failed --last-failed-no-failures none; }
	cd web && npm test

# Tests of properties on other examples each time; `make test` draws the same ones. Every parser that is registered is
# tried with FUZZ_EXAMPLES mutations of what its senders send, and once more with every access to an array checked.
FUZZ_EXAMPLES ?= 3000
fuzz: setup .venv/.developer
	$(BIN)/pytest --hypothesis-profile=default tests/property tests/model
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/pytest --timeout=0 --hypothesis-profile=default tests/property/test_any_bytes.py
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) NUMBA_BOUNDSCHECK=1 $(BIN)/pytest --timeout=0 --hypothesis-profile=default tests/property/test_any_bytes.py

# What graphite-web answers, recorded anew for tests/differential, in an environment of its own; then ORACLE_TARGETS
# other random targets are compared with it live. Needs libcairo2.
ORACLE_TARGETS ?= 2000
oracle: setup .venv/.developer .oracle/.installed
	.oracle/bin/python tools/record_oracle.py
	.oracle/bin/python tools/record_http.py
	.oracle/bin/python tools/record_carbon_rules.py
	ORACLE_SEED=$$(date +%s) ORACLE_TARGETS=$(ORACLE_TARGETS) $(BIN)/pytest --timeout=0 tests/differential/live_oracle.py

.oracle/.installed:
	@echo "Installing graphite-web into .oracle ..."
	@$(PYTHON) -m venv .oracle
	@.oracle/bin/python -m pip install --quiet graphite-web==1.1.10 carbon==1.1.10 msgpack
	@touch $@

# Power cuts of random lives of a store, for SOAK_S seconds; failing seeds are kept in tests/crash/seeds.txt. Then all
# protocols at once against a server that is killed and stopped, for MIXED_S seconds.
soak: setup .venv/.developer
	PYTHONPATH=tests $(BIN)/python -m soak
	PYTHONPATH=tests:. $(BIN)/python -m mixed

check: setup .venv/.developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check src tests bench tools
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd web && npm run check

bench: setup .venv/.developer
	$(BIN)/python -m bench

setup: .venv/.installed $(PAGES)

# The senders that the end-to-end tests run for real, and a browser; without root the tests say which they skip.
senders:
	@tools/install-senders

.venv/.installed: pyproject.toml
	@$(PYTHON) tools/check_python.py
	@echo "Installing Python packages into .venv ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --editable ".[server]"
	@$(BIN)/python -m compileall -q src
	@touch $@

.venv/.developer: pyproject.toml .venv/.installed
	@echo "Installing tools for developers into .venv ..."
	@$(BIN)/python -m pip install --quiet --editable ".[server]" --group dev
	@touch $@

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@echo "Installing packages for the pages ..."
	@cd web && npm ci --silent --no-audit --no-fund
	@touch $@

$(PAGES): web/node_modules/.package-lock.json $(PAGE_SOURCES)
	@echo "Building the pages ..."
	@cd web && npm run --silent build
	@touch $@

clean:
	rm -rf .venv .oracle .senders web/node_modules src/tallystick/web/pages
