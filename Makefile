# Everything runs from .venv/, which `make setup` creates and updates.
PORT ?= 8700
STAGE ?= prod
PYTHON ?= python3.11

BIN := .venv/bin
STAMP := .venv/.made
COMPILED := .venv/.compiled

.DEFAULT_GOAL := help
.PHONY: help setup up test coverage test-all bench corpus deploy lint fmt clean

help:
	@echo "make up       run the whole system on this machine (PORT=$(PORT), FRESH=1 starts empty)"
	@echo "make test     the tests of every change; make test-all the slow rest"
	@echo "make coverage what the tests of every change run, 90 % at least (a minute slower)"
	@echo "make bench    the benchmark table"
	@echo "make corpus   what is read right of public mails and calls (CORPORA=folder)"
	@echo "make deploy   foundation, functions, wiring (STAGE=$(STAGE))"
	@echo "make lint     ruff, mypy, cfn-lint; make fmt puts things in order"
	@echo "make clean    remove what was made (.venv, build, caches); .deskbell stays"

setup: $(STAMP)

# constraints.txt pins every package, so pip has nothing to resolve.
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --no-deps --no-compile
COMPILE := $(BIN)/python -m compileall -q -j 0
# Packages whose bytecode nothing needs, and those whose bytecode only tests and linters need.
NEVER := /(tests?|pip|setuptools|mypy|mypyc|mypy_boto3[^/]*|[^/]*-stubs)/
LATER := /(tests?|sympy|mpmath|networkx|mypy|mypyc|mypy_boto3[^/]*|[^/]*-stubs|moto|cfnlint|hypothesis|docker|graphql|pip|setuptools|coverage|_pytest|playwright|pyee|greenlet)/

$(STAMP): constraints.txt pyproject.toml
	@echo "setting up .venv (the first time takes a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "  packages"
	@grep == constraints.txt | xargs -P 2 -n 60 $(PIP)
	@$(PIP) --no-build-isolation -e .
	@echo "  bytecode"
	@$(COMPILE) -x '$(LATER)' .venv/lib || true
	@touch $@

$(COMPILED): $(STAMP)
	@$(COMPILE) -x '$(NEVER)' .venv/lib || true
	@touch $@

up: setup
	@$(BIN)/deskbell up --port $(PORT) $(if $(FRESH),--fresh)

test: setup $(COMPILED)
	$(BIN)/python -m pytest -n 3 --dist loadgroup -m "not slow"

coverage: setup $(COMPILED)
	$(BIN)/python -m pytest -n 3 --dist loadgroup -m "not slow" --cov --cov-report=term --cov-fail-under=90

test-all: setup $(COMPILED)
	$(BIN)/python -m pytest -n 3 --dist loadgroup -m slow

bench: setup $(COMPILED)
	$(BIN)/python -m infra.bench

corpus: setup
	@$(BIN)/python -m infra.bench.corpus $(CORPORA)

deploy: setup
	$(BIN)/deskbell deploy --stage $(STAGE)

lint: setup $(COMPILED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/python -m pip --disable-pip-version-check check
	$(BIN)/cfn-lint infra/templates/*.yaml

fmt: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage* .chalice/deployments
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
