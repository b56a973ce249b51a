# Start with `make demo` or `make test`. Both install requirements.lock into .venv first.
PYTHON ?= $(shell for p in python3 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin

.PHONY: demo test test-all install lint docs lock clean

demo: install          ## run the whole pipeline on the embedded sample, in the folder demo/
	$(BIN)/bench demo

TEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: install          ## run the tests, two files at a time, without the slow ones
	$(TEST) -m "not slow"

test-all: install      ## run all tests
	$(TEST)

lint: install          ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: install          ## build the documentation in the folder site/; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

install: .venv/installed   ## create .venv with the versions of requirements.lock

.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || \
	  { echo "CrackBench needs Python 3.11 or newer: make install PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "installing some 6 GB of libraries into .venv: a minute or two with uv, a few minutes with pip"
	$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock
	@command -v uv > /dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --requirement .venv/uv.lock || true
	@if uv=$$(command -v uv || ls $(BIN)/uv 2> /dev/null); then \
	  $$uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes --requirement requirements.lock; \
	else $(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock; fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock:                  ## update requirements.lock, its hashes and docs/licences.md (needs uv); torch stays at the oldest supported version
	printf 'torch==2.11.0\ntorchvision==0.26.0\n' | uv pip compile pyproject.toml --constraints - --universal \
	  --fork-strategy fewest --python-version 3.11 --all-extras --no-annotate --no-header --generate-hashes \
	  --output-file requirements.lock
	$(MAKE) install
	$(BIN)/python .github/licences.py > docs/licences.md

clean:                 ## remove .venv, demo and caches; keep downloads and trainings
	rm -rf .venv demo site .mypy_cache .pytest_cache .ruff_cache .hypothesis
