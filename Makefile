# make setup     .venv with mobilebench and all four toolkits
# make demo      the main job: export, verify, measure, leaderboard
# make test      lint, types and tests
# make test-all  the slow tests as well

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: setup demo lint test test-all schema clean

setup: $(READY)

$(READY): requirements.txt requirements-timm.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "mobilebench is set up with Python 3.11, and $(PYTHON) is " + sys.version.split()[0] + "; run: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-timm.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

demo: setup
	$(BIN)/mobilebench demo --out demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Two processes at a time, whole files each; `pytest` by itself runs one after the other.
test: lint
	$(BIN)/pytest -n 2 --dist loadfile

test-all: lint
	$(BIN)/pytest -m "not device"

schema: setup
	$(BIN)/python -m mobilebench.schema

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache
