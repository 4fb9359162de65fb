# Two commands matter: `make demo` and `make test`. Each sets itself up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo test verify bench lint lock licences clean

setup: $(READY)

# One locked environment: names, versions and hashes; nothing is installed outside .venv.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 14), "Crossdock needs Python 3.11 to 3.13 (make PYTHON=python3.11 ...)"'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.lock)
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $(READY)

demo: $(READY)
	$(BIN)/crossdock demo $(ARGS)

# A process per core; what shares a server or a build stays together (tests/conftest.py).
PYTEST := $(BIN)/python -m pytest -q -n logical --maxprocesses 4 --dist loadgroup

# Fast tests first, then the slow ones; the long proofs are `make verify`. With ARGS one of the two may select nothing (5).
test: $(READY)
	$(PYTEST) -m "not verify and not slow" $(ARGS) $(if $(ARGS),|| [ $$? -eq 5 ])
	$(PYTEST) -m "slow and not verify" $(ARGS) $(if $(ARGS),|| [ $$? -eq 5 ])

verify: $(READY)
	-$(MAKE) --no-print-directory .venv-proxy/.ready
	$(PYTEST) -m verify --timeout 1500 $(ARGS)

# The reverse proxy of docs/deploying.md's test; where it cannot be had, that test says that it was skipped.
.venv-proxy/.ready: requirements-proxy.lock
	$(PYTHON) -m venv .venv-proxy
	$(BIN)/uv pip install --quiet --python .venv-proxy/bin/python --require-hashes -r requirements-proxy.lock
	touch $@

# The benchmarks' peers live in an environment of their own.
.venv-bench/.ready: requirements-bench.lock pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check uv==$$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.lock)
	.venv-bench/bin/uv pip install --quiet --compile-bytecode --python .venv-bench/bin/python --require-hashes -r requirements-bench.lock
	.venv-bench/bin/uv pip install --quiet --compile-bytecode --python .venv-bench/bin/python --no-deps --no-build-isolation -e .
	touch $@

bench: .venv-bench/.ready
	@.venv-bench/bin/python -m benchmarks $(if $(ONLY),--only $(ONLY))

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models

# Names, versions and hashes only: no address of any index.
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -c constraints.txt
lock: $(READY)
	$(COMPILE) --extra dev pyproject.toml -o requirements.lock
	$(COMPILE) --extra dev --extra bench pyproject.toml -o requirements-bench.lock
	$(COMPILE) --group proxy -o requirements-proxy.lock

licences: $(READY)
	$(BIN)/python docs/build_licences.py

clean:
	rm -rf $(VENV) .venv-bench .venv-proxy .demo dbt_project/target dbt_project/logs
