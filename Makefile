# Everything from a fresh machine: Python 3.11 or newer and make. `make help` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
APT = apt-get install -y -q
PYTHONS = 3.11 3.12 3.13 3.14
UV = UV_PYTHON_DOWNLOADS=never $(BIN)/uv
STAMP = $(VENV)/.installed

.POSIX:
.PHONY: help demo test lint types tests test-fast fuzz map docs golden test-browser test-engines test-coverage test-oldest test-pythons bench format clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile

demo: $(STAMP) ## analyze a documented experiment, and then all of them in one table
	@$(BIN)/abcx analyze experiments/buyakilt-product-filter/experiment.yaml
	@$(BIN)/abcx analyze experiments/*/experiment.yaml

test: lint types tests ## lint, types and tests

lint: $(STAMP) ## style and common mistakes
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .

types: $(STAMP) ## types, in strict mode
	@$(BIN)/mypy abcx tests docs/build.py docs/keys.py docs/demo.py docs/questions.py

tests: $(STAMP) ## the tests alone
	@$(BIN)/python -m pytest -q -n auto

test-fast: $(STAMP) ## the tests without those that are marked slow
	@$(BIN)/python -m pytest -q -n auto -m "not slow"

fuzz: $(STAMP) ## damage files in new ways for two minutes: the same numbers, or it is said
	@$(BIN)/python -m tests.laws --seconds 120

map: $(STAMP) ## the figures of the house: rooms, imports, circles, longest functions
	@$(BIN)/python -m tests.support.house

docs: $(STAMP) ## write what is generated of the docs and of README anew
	@$(BIN)/python docs/build.py && $(BIN)/python docs/keys.py && $(BIN)/python docs/demo.py && $(BIN)/python docs/questions.py

golden: docs ## write the golden readouts, the schema of results and the docs anew; read the diff before it is committed
	@$(BIN)/python -m tests.golden
	@$(BIN)/abcx schema --results -o docs/results.schema.json

test-browser: $(STAMP) ## every page in Chromium: quiet, self-contained, on a phone, printed, by axe-core; installs what is missing
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,browser]'
	@command -v chromium > /dev/null || $(APT) chromium > /dev/null
	@$(BIN)/python -m pytest -q -n auto tests/browser

test-engines: $(STAMP) ## the same spec on DuckDB, PostgreSQL and Spark; installs what is missing
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,spark,postgres]'
	@command -v java > /dev/null || $(APT) default-jre-headless
	@command -v initdb > /dev/null || ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || $(APT) postgresql
	@$(BIN)/python -m pytest -q tests/engines

test-coverage: $(STAMP) ## all tests, and the branches that they reach: not fewer than the floor in pyproject.toml
	@$(BIN)/python -m pytest -q -n auto --cov

test-oldest: $(BIN)/uv ## the tests that are not slow, with the oldest Python and packages that are supported
	@for version in $(PYTHONS); do \
	  $(UV) python find --system $$version > /dev/null 2>&1 && break; \
	done; \
	$(UV) venv --quiet --clear --python $$version $(VENV)-oldest
	@$(UV) pip install --quiet --python $(VENV)-oldest --resolution lowest-direct --editable '.[dev]'
	@$(VENV)-oldest/bin/python -m pytest -q -n auto -m "not slow"

test-pythons: $(BIN)/uv ## the tests that are not slow on every Python; where one is not installed, whether wheels are there
	@failed=0; for version in $(PYTHONS); do \
	  if $(UV) python find --system $$version > /dev/null 2>&1; then \
	    if $(UV) venv --quiet --clear --python $$version $(VENV)-$$version \
	      && $(UV) pip install --quiet --python $(VENV)-$$version --editable '.[dev]' \
	      && $(VENV)-$$version/bin/python -m pytest -q -n auto -m "not slow"; \
	    then echo "Python $$version: tests pass"; else echo "Python $$version: FAILED"; failed=1; fi; \
	  elif $(UV) pip compile --quiet --python-version $$version --only-binary :all: --extra dev pyproject.toml > /dev/null; \
	  then echo "Python $$version: not installed; all dependencies have wheels"; \
	  else echo "Python $$version: not installed; FAILED, wheels are missing"; failed=1; fi; \
	done; exit $$failed

bench: $(STAMP) ## start-up costs
	@$(BIN)/python benchmarks/startup.py

format: $(STAMP) ## format the sources
	@$(BIN)/ruff check --fix-only -q . && $(BIN)/ruff format .

clean: ## remove the environments and all caches
	rm -rf $(VENV) $(VENV)-* .coverage .coverage.* build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The environment; made anew where it is broken, and completed whenever pyproject.toml changes.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "abcx needs Python 3.11 or newer; $(PYTHON) is missing or older. Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { \
	  echo "$(PYTHON) has no venv module. Install it (Debian, Ubuntu: apt install python3-venv) and try again." >&2; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing abcx and its tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

# What makes other environments and finds their packages; the targets that need it install it.
$(BIN)/uv: $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $(BIN)/uv
