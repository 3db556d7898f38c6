# Everything runs in .venv, made from requirements.lock on first use, and anew for another PYTHON.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The name of the Python is part of the file that says that the environment is complete.
INSTALLED := $(VENV)/installed-$(shell $(PYTHON) -c 'import sys; print("python%d.%d" % sys.version_info[:2])')

.PHONY: install demo test lint benchmark fmt docs picture clean

install: $(INSTALLED)

demo: $(INSTALLED)
	@$(BIN)/clearml-chatops demo

test: $(INSTALLED)
	@$(BIN)/pytest $(PYTEST_ARGS)

lint: $(INSTALLED)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

benchmark: $(INSTALLED)
	@$(BIN)/python -m benchmarks.slack_acknowledgements
	@$(BIN)/python -m benchmarks.status_changes
	@$(BIN)/python -m benchmarks.notification_latency
	@$(BIN)/python -m benchmarks.gpu_reading
	@$(BIN)/python -m benchmarks.crash_recovery
	@$(BIN)/python -m benchmarks.burst_crashes

fmt: $(INSTALLED)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(INSTALLED)
	@$(BIN)/clearml-chatops commands --markdown > docs/commands.md

# Needs Chromium, best with the font Inter: apt-get install chromium fonts-inter
picture: $(INSTALLED)
	@$(BIN)/python -m tests.support.screenshots docs
	@$(BIN)/clearml-chatops demo --script docs/terminal-tour.txt --picture docs/terminal.svg

clean:
	rm -rf $(VENV)

$(INSTALLED): requirements.lock pyproject.toml
	@echo "Setting up $(VENV) (about a minute, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "clearml-chatops needs Python 3.11 or newer; run: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
