# Everything runs in .venv, made from requirements.lock on first use.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test lint benchmark fmt docs picture clean

install: .venv/installed

demo: .venv/installed
	@$(BIN)/clearml-chatops demo

test: .venv/installed
	@$(BIN)/pytest $(PYTEST_ARGS)

lint: .venv/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

benchmark: .venv/installed
	@$(BIN)/python -m benchmarks.slack_acknowledgements
	@$(BIN)/python -m benchmarks.status_changes
	@$(BIN)/python -m benchmarks.notification_latency
	@$(BIN)/python -m benchmarks.gpu_reading
	@$(BIN)/python -m benchmarks.crash_recovery
	@$(BIN)/python -m benchmarks.burst_crashes

fmt: .venv/installed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: .venv/installed
	@$(BIN)/clearml-chatops commands --markdown > docs/commands.md

# Needs Chromium, best with the font Inter: apt-get install chromium fonts-inter
picture: .venv/installed
	@$(BIN)/python -m tests.support.screenshots docs
	@$(BIN)/clearml-chatops demo --script docs/terminal-tour.txt --picture docs/terminal.svg

clean:
	rm -rf .venv

.venv/installed: requirements.lock pyproject.toml
	@echo "Setting up .venv (about a minute, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "clearml-chatops needs Python 3.11 or newer; run: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
