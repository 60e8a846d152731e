# make demo      sets up, minifies an image that it makes itself, shows the summary; no daemon
# make test      sets up, then everything but the long tests
# make check     lint, format, types, unit tests: no daemon, under a minute
# make help      the rest

PYTHON ?= python3
VENV ?= .venv
# Under a name that no environment sets by chance.
PY = $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup demo check lint unit test test-all bench images clean

help:
	@echo 'make setup     .venv with minify and the tools to work on it; engines by apt-get, as root'
	@echo 'make demo      minify an image that the repository makes itself, with no daemon'
	@echo 'make check     lint, format, types, unit tests: no daemon, under a minute'
	@echo 'make test      setup and everything but the long tests'
	@echo 'make test-all  the long tests too'
	@echo 'make bench     sizes, times and peak memory on the test images; recall on real programs'
	@echo 'make images    build the test images, print where they are'
	@echo 'make clean     remove what make made in this directory'

setup: $(VENV)/installed $(VENV)/installed-dev
	@tools/install-system test

# minify alone: enough for the demo.
$(VENV)/installed: pyproject.toml
	@tools/install-system python
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -qq --disable-pip-version-check --editable .
	@touch $@

# Dependency groups came with pip 25.1; Debian 12 brings 23.0.
$(VENV)/installed-dev: $(VENV)/installed
	@$(PY) -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(PY) -m pip install -qq --disable-pip-version-check --group dev
	@touch $@

demo: $(VENV)/installed
	@$(PY) tools/demo.py

check: lint unit

lint: $(VENV)/installed-dev
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy

unit: $(VENV)/installed-dev
	$(PY) -m pytest -q -n auto -m 'not engine and not long'

# What needs no engine runs on every core; engines are shared by their tests, one after the other.
test: setup
	$(PY) -m pytest -n auto -m 'not engine and not long'
	$(PY) -m pytest -m 'engine and not long'
	@$(MAKE) --no-print-directory lint

test-all: setup
	$(PY) -m pytest -n auto -m 'not engine and not long'
	$(PY) -m pytest -m 'engine or long'
	@$(MAKE) --no-print-directory lint

bench: setup
	$(PY) tools/bench.py
	$(PY) tools/bench_registry.py

images: setup
	cd tests && ../$(PY) -m images

clean:
	rm -rf $(VENV) build-cache dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find minify tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
