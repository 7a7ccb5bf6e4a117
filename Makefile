# `make demo` and `make test` work from a fresh clone. They need only make and Python 3.11 or newer.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
WORKERS ?= 2
# `make test POOLER=1` goes through a real PgBouncer that pools transactions.
POOLER ?=
POOLED := $(if $(POOLER),-p tests.support.pooled_run)
# The interpreters of `make matrix`, by name on the PATH or by path.
PYTHONS ?= python3.11 python3.12 python3.13

# Keep bytecode: the project starts many processes, and each would compile its modules again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-slow coverage lint bench fuzz chaos screenshots examples dist matrix setup clean

setup: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev]'
	# Compile with all cores, where pip would use one. Template files that are not Python may fail.
	$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	touch $@

demo: $(INSTALLED)
	$(BIN)/python -m shipcrowd.embedded run --instance demo -- $(BIN)/python manage.py demo $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive couriers couriers_ekart couriers_delhivery couriers_velocity webhooks shipcrowd sandbox
	@if git rev-parse --git-dir >/dev/null 2>&1; then \
	    git ls-files -z --cached --others --exclude-standard \
	        | xargs -0 -P 2 -n 200 $(BIN)/detect-secrets-hook --baseline .secrets.json; \
	else echo "not in a checkout: no scan for secrets"; fi
	$(BIN)/lint-imports --no-cache
	DATABASE_URL=postgres://lint@127.0.0.1/lint REDIS_URL=redis://127.0.0.1 SECRET_KEY=lint FERNET_KEYS=lint $(BIN)/mypy

PYTEST := $(BIN)/python -m pytest $(POOLED) -n $(WORKERS) --dist worksteal

test: lint
	$(PYTEST) -m "not slow" $(ARGS)

# What takes long: browsers, kills and restarts, upgrades, crawls over every page, many random examples.
# With `make test` it is every test. `.ci/run` runs both.
test-slow: $(INSTALLED)
	$(PYTEST) -m slow $(ARGS)

# The pictures of docs/operations.md, taken anew in Chromium.
screenshots: $(INSTALLED)
	SCREENSHOTS=docs/images $(BIN)/python -m pytest tests/browser/test_pictures.py

# The examples of the API's documentation, recorded anew from real exchanges.
examples: $(INSTALLED)
	RECORD_EXAMPLES=1 $(BIN)/python -m pytest tests/api/test_examples.py -k new_run

# The same tests, with the share of the code that they run. It takes half as long again.
coverage: $(INSTALLED)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term-missing:skip-covered $(ARGS)

# The whole suite with each Python that is found, in a virtualenv of its own. One that is not found is
# named at the end, and so is one whose tests fail; only the latter is an error.
matrix:
	@said=; failed=0; for python in $(PYTHONS); do \
	    if ! version=$$($$python -c 'import platform; print(platform.python_version())' 2>/dev/null); then \
	        said="$$said$$python: not found, not run\n"; continue; \
	    fi; \
	    venv=$(VENV)/matrix/$${python##*/}; \
	    if $(MAKE) --no-print-directory setup PYTHON=$$python VENV=$$venv \
	        && $$venv/bin/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS); \
	    then said="$$said$$python ($$version): passed\n"; \
	    else said="$$said$$python ($$version): FAILED\n"; failed=1; fi; \
	done; printf "\n$$said"; exit $$failed

# Both sdists and wheels in dist/, built in virtualenvs of their own as a release is.
dist: $(INSTALLED)
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m build --outdir dist sandbox
	$(BIN)/python -m twine check --strict dist/*

bench: $(INSTALLED)
	$(BIN)/python -m shipcrowd.embedded run --instance bench -- $(BIN)/python -m benchmarks $(ARGS)

# Thousands of requests made from the OpenAPI schema: some EXAMPLES at each operation by a company, by
# staff and by nobody, and one for each constraint of the schema. It takes about ten minutes.
EXAMPLES ?= 50
fuzz: $(INSTALLED)
	FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/api/test_fuzz.py -k many \
	    -o faulthandler_timeout=7200 $(ARGS)

# Bookings with Ekart, or with another courier: `make chaos COURIER=delhivery`. ARGS=failover, inbox and
# outbox are other runs (tests/chaos/__main__.py).
COURIER ?=
chaos: $(INSTALLED)
	$(BIN)/python -m tests.chaos $(if $(COURIER),bookings $(COURIER)) $(ARGS)

clean:
	rm -rf $(VENV) .embedded staticfiles media dist
