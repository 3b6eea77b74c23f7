# Everything from a bare clone with python3 (3.11 to 3.13) and make. No key, no further step.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: chat test evals lint benchmark clean

chat: .venv/runtime  ## ask in the browser: builds the index of the default articles and prints the address
	$(BIN)/python -m ui

test: .venv/dev lint  ## lint, types and all tests (browser tests need Debian's chromium, else they are skipped)
	$(BIN)/python -m pytest

evals: .venv/runtime  ## score the answers to the reference questions; fails when they are worse than accepted
	$(BIN)/python -m evals --gate

benchmark: .venv/runtime  ## speed and memory beside a hand-written LlamaIndex pipeline: make benchmark PEER=path/to/python
	$(BIN)/python -m evals.benchmark $(if $(PEER),--peer $(PEER))

lint: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

clean:  ## removes .venv and out (scores, the peer of the benchmark)
	rm -rf .venv out

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo '$(PYTHON) is not Python 3.11 to 3.13: name one that is, as in make PYTHON=python3.12'; exit 2; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/runtime: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

.venv/dev: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@ .venv/runtime
