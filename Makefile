# Nothing needs to be done before any of these: what is missing is installed into .venv first.
#
#   make demo           a city, a county, townships and villages on this machine   (ARGS="--once --json" …)
#   make test           all tests but the browser's (Debian: libpangoft2-1.0-0)    (ARGS="tests/laws -k roster" …)
#   make test-postgres  the same, with every node's rows in PostgreSQL: takes about twice as long
#   make browser        the browser tests (Debian: chromium, fonts-noto-cjk)
#   make check          format, lint, types, import layers
#   make bench          measure the federation and the fleet
#   make migration      write the next migration: MSG="what changes"
#   make format         put the sources into shape
#   make install        only the program: .venv/bin/liandong

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
RUNTIME := $(VENV)/.runtime
TOOLS := $(VENV)/.tools

.PHONY: install demo test test-postgres browser check bench migration format clean

install: $(RUNTIME)

$(RUNTIME): pyproject.toml
	@test -n "$(PYTHON)" || { echo "需要 Python 3.11 或更新（Debian：apt-get install python3 python3-venv）"; exit 1; }
	@test -x $(BIN)/python || { echo "— 建立 $(VENV)（$(PYTHON)）"; $(PYTHON) -m venv $(VENV); }
	@echo "— 安装运行所需的包（一两分钟）"
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --editable .
	@touch $@

$(TOOLS): $(RUNTIME)
	@echo "— 安装测试与检查工具（一两分钟）"
	@$(PIP) install --editable '.[postgres,pdf]' --group dev
	@touch $@

demo: $(RUNTIME)
	@$(BIN)/liandong demo $(ARGS)

test: $(TOOLS)
	@$(BIN)/pytest --ignore=tests/browser --numprocesses=auto --maxprocesses=4 --dist=loadfile $(ARGS)

test-postgres: $(TOOLS)
	@$(MAKE) --no-print-directory test ARGS='--database=postgresql $(ARGS)'

browser: $(TOOLS)
	@$(BIN)/pytest tests/browser --numprocesses=auto --maxprocesses=2 --dist=loadfile --no-loadscope-reorder $(ARGS)

check: $(TOOLS)
	@failed=0; for tool in 'ruff format --check .' 'ruff check .' mypy 'lint-imports --no-logo'; do \
		echo "— $$tool"; $(BIN)/$$tool || failed=1; done; exit $$failed

bench: $(TOOLS)
	@$(BIN)/liandong bench $(ARGS)

migration: $(TOOLS)
	@test -n "$(MSG)" || { echo 'make migration MSG="what changes"'; exit 1; }
	@$(BIN)/python -m node.migrations "$(MSG)"
	@$(BIN)/ruff check --quiet --fix --unsafe-fixes node/migrations/versions
	@$(BIN)/ruff format --quiet node/migrations/versions
	@git status --short node/migrations/versions

format: $(TOOLS)
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
