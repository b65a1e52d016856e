PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup demo serve test test-slow test-many test-sail clients oracle check format docs clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Metroon needs Python 3.11 or newer: make PYTHON=python3.11')"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable .
	touch $@

demo: setup
	$(BIN)/metroon demo arroyo_vista

# The portal of the invented city, which is built and run first when it is not there.
serve: setup
	test -d arroyo_vista/.metroon/lake/open || $(BIN)/metroon demo arroyo_vista
	$(BIN)/metroon serve arroyo_vista

test: setup
	$(BIN)/python -m pytest -n auto -rs -m "not slow and not sail"

# What takes longer, with other people's programs that read the portal; a browser and Lighthouse where they are.
test-slow: $(VENV)/.clients
	$(BIN)/python -m pytest -n auto -rs -m "slow and not sail and not alone"
	$(BIN)/python -m pytest -rs -m alone tests/serve/portal/test_lighthouse.py

# Many more examples of the properties of which one example takes long.
test-many: setup
	METROON_THOROUGH=1 $(BIN)/python -m pytest -n auto -rs -m "many and not sail"

clients: $(VENV)/.clients

$(VENV)/.clients: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group clients
	touch $@

# Another program that reads contracts: what it says of the same contracts and rows is compared with what is said here.
oracle: $(VENV)/oracle/.ready
	$(BIN)/python -m pytest -rs tests/conform/test_oracle.py

$(VENV)/oracle/.ready: $(VENV)/.ready
	test -x $(VENV)/oracle/bin/python || $(PYTHON) -m venv $(VENV)/oracle
	$(VENV)/oracle/bin/python -m pip install --quiet "datacontract-cli[duckdb]==1.2.8"
	touch $@

# The second engine, with the packages that only it needs.
test-sail: $(VENV)/.sail
	$(BIN)/python -m pytest -m sail tests/base tests/test_measures_on_sail.py

$(VENV)/.sail: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[sail]'
	touch $@

check: setup
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

format: setup
	$(BIN)/ruff format src tests
	$(BIN)/ruff check --fix src tests

docs: setup
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) build dist arroyo_vista
