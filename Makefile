# make demo: set up, run the service, distil, simulate, show.    make test: set up and pass the quick tests.
# Everything is installed into .venv of this folder; servers that tests need come from Debian's packages.

# Without its bytecode kept, every process that a test starts would compile the whole house anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/installed
DASHBOARD := app/web/dashboard
QUICK := not slow and not training and not service and not contract and not chaos and not compose

.PHONY: demo test test-training test-slow test-service test-chaos test-contract compose-test bench figures lint \
	dashboard dashboard-check services clean

demo: $(STAMP)
	$(BIN)/qstill demo

test: $(STAMP) services
	$(BIN)/pytest -m "$(QUICK)" -n auto --dist loadgroup

test-training: $(STAMP) services
	$(BIN)/pytest -m "training and not slow" -n auto --dist loadgroup tests/workers/distillation tests/workers/sweeps

test-slow: $(STAMP) services
	QSTILL_ALL_EXAMPLES=1 $(BIN)/pytest -m "slow or ($(QUICK))" -n auto --dist loadgroup

test-chaos: $(STAMP)
	$(BIN)/pytest -m chaos tests/chaos

test-service: $(STAMP) services
	$(BIN)/pytest -m service -n auto --dist loadgroup tests/test_*.py tests/browser tests/contract

test-contract: $(STAMP)
	$(BIN)/pytest -m contract -n auto tests/contract/test_openapi.py

compose-test: $(STAMP)
	$(BIN)/pytest -m compose tests/compose

bench: $(STAMP)
	$(BIN)/python -m benchmarks

figures: $(STAMP)
	$(BIN)/python examples/figures.py

# The dashboard's built files are committed, so that nobody needs Node to run it. Whoever changes its sources does.
dashboard: $(STAMP)
	$(BIN)/python -c "import json; from app.main import create_app; print(json.dumps(create_app().openapi()))" \
	  > $(DASHBOARD)/openapi.json
	cd $(DASHBOARD) && npm install --no-save --silent --no-audit --no-fund && npm run --silent types && npm run --silent check \
	  && npm run --silent build

dashboard-check: dashboard
	git diff --exit-code --stat -- app/web/built
	test -z "$$(git status --porcelain -- app/web/built)"

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

# Where they are missing and cannot be installed, the tests that need them are skipped and say so.
services:
	@missing=""; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing$$missing"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

clean:
	rm -rf .venv qstill-data build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
