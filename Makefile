# Every target sets up what it needs on a machine that has python3, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip -qq --disable-pip-version-check
# Tests, demo and benchmarks start many processes: each would compile our modules anew.
unexport PYTHONDONTWRITEBYTECODE
PHONE := kamailio kamailio-utils-modules kamailio-extra-modules sip-tester

.PHONY: demo test lint bench proofs lock clean

demo: $(VENV)/.run
	@$(BIN)/cthub demo $(ARGS)

test: $(VENV)/.dev
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
		{ apt-get update -qq && apt-get install -y -qq chromium; } >/dev/null || \
		{ echo "make test needs Chromium for the browser tests: install it."; exit 1; }
	@command -v chromium-headless-shell >/dev/null || \
		{ apt-get update -qq && apt-get install -y -qq chromium-headless-shell; } >/dev/null 2>&1 || true
	@command -v curl >/dev/null || { apt-get update -qq && apt-get install -y -qq curl; } >/dev/null || \
		{ echo "make test needs curl for the documented letter script: install it."; exit 1; }
	@{ { command -v kamailio || test -x /usr/sbin/kamailio; } && command -v sipp; } >/dev/null || \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $(PHONE); } >/dev/null 2>&1 || \
		{ echo "make test needs Kamailio and SIPp for the phone tests: install $(PHONE)."; exit 1; }
	@$(BIN)/pytest -n auto --dist worksteal $(ARGS)

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/.dev
	@command -v wrk >/dev/null || apt-get install -y -qq wrk >/dev/null || { echo "make bench needs wrk: install it."; exit 1; }
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || apt-get install -y -qq chromium >/dev/null || \
		{ echo "make bench needs Chromium: install it."; exit 1; }
	@$(BIN)/python -m bench $(NAME)

proofs: $(VENV)/.dev
	@$(BIN)/pytest tests/proofs $(if $(FULL),--full,-n auto --dist worksteal) $(ARGS); told=$$?; \
		$(if $(FULL),$(BIN)/python -m tests.proofs.results;) exit $$told

lock: $(VENV)/.dev
	@$(PIP) install uv
	@$(BIN)/uv pip compile pyproject.toml --extra build --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra build --extra test --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet --constraint requirements.lock \
		--output-file requirements-dev.lock

clean:
	rm -rf $(VENV) var bench/results

$(BIN)/python:
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the hub (once)..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing the hub and its test tools (once)..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run
