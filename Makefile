# Two commands on a fresh machine (python3, make, a package index): `make packet` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ACCOUNT ?= data/sample
DATE ?= 2026-01-31
OUT ?= packets
ROWS ?= 5000000
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: packet test test-lab notebooks pictures lab score faults mutants bench bench-scale audit lock clean help

help:              ## this list
	@grep -E '^[a-z-]+: .*##' Makefile | sed 's/: .*## /	/'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt .ci/install.py | $(BIN)/python
	$(BIN)/python .ci/install.py bank
	@touch $@

$(VENV)/.test: $(VENV)/.core
	$(BIN)/python .ci/install.py bank test
	@touch $@

$(VENV)/.lab: $(VENV)/.core
	$(BIN)/python .ci/install.py bank lab
	@touch $@

packet: $(VENV)/.core ## set everything up and make the packet of the demo account (ACCOUNT=, DATE=, OUT= for another)
	@$(BIN)/recon packet $(ACCOUNT) --date $(DATE) --out $(OUT); code=$$?; \
	 if [ $$code -le 1 ]; then exit 0; else exit $$code; fi

test: $(VENV)/.test ## set everything up and run format, lint, types and tests
	@.ci/chromium
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile
	$(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=120 notebooks

test-lab: $(VENV)/.test $(VENV)/.lab ## the tests of the explore notebook in JupyterLab, with a real server, kernel and Chromium
	@.ci/chromium
	$(BIN)/python -m pytest tests/test_lab.py

notebooks: $(VENV)/.test ## run the notebooks on the demo account and keep the control totals that `make test` compares
	$(BIN)/python -m tests.notebooks

pictures: $(VENV)/.test $(VENV)/.lab ## make the pictures of the README anew
	@.ci/chromium
	$(BIN)/python -m tests.screenshots

lab: $(VENV)/.lab ## open JupyterLab in notebooks/
	$(BIN)/jupyter lab --notebook-dir notebooks

score: $(VENV)/.test ## recall and precision of every audit on random worlds with planted truth
	$(BIN)/python -m tests.world.score

faults: $(VENV)/.test ## kill packet, daily and case at 200 random moments and look at what the next run makes of it (long)
	$(BIN)/python -m tests.faults 200

mutants: $(VENV)/.test ## mutate the demo account 1,000 times: no traceback, no hang, no row lost (long)
	$(BIN)/python -m tests.mutants 1000

bench: $(VENV)/.core ## side by side with the floors and peers of ../shared/bench (long)
	bash bench/run.sh $(BIN)/python

bench-scale: $(VENV)/.core ## 200 small accounts with one and two workers, and a large account day after day (ROWS= a report; long)
	$(BIN)/python -m bench.many_accounts 200
	$(BIN)/python -m bench.large_account $(ROWS) 3

audit: $(VENV)/.test ## what is installed and pinned: in the lock, not withdrawn, no known weakness; the licences (3 = not all could be asked)
	@$(BIN)/python .ci/audit.py; code=$$?; [ $$code -eq 3 ] || exit $$code

lock: $(VENV)/.test ## make constraints.txt anew from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --python $(BIN)/python --universal --generate-hashes --no-header --no-annotate \
	  --all-extras --quiet pyproject.toml -o constraints.txt

clean:             ## remove what was made (never data/, never packets/)
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
