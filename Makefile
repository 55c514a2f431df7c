# Two commands do all set-up: `make run` and `make test`. `make` alone explains the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PORT ?= 8501
OUT ?= out
SECONDS ?= 300
PLATFORM ?= all
PYTHONS ?= 3.11 3.12 3.13
PYTHON ?= python3
QUICK := not slow and not db and not cluster and not browser and not offline
UV := $(shell command -v uv || echo .tools/bin/uv)
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
# trust what the machine trusts: on an intranet the registry may be behind a certificate of the house
export UV_SYSTEM_CERTS ?= true
# what Python compiles is kept: else each process of the app, of a command and of the tests compiles it all again
unexport PYTHONDONTWRITEBYTECODE
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable

.PHONY: help run test test-quick study check bench bench-quick data bundle format fuzz

help:  ## explain the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: .tools/run  ## install, then start the app at localhost:8501 (PORT=8502 for another port)
	@$(UV) run --no-sync geo-cluster app --port $(PORT) $(if $(CI)$(HEADLESS),--headless)

test: .tools/dev browser  ## install, then run every test
	@$(UV) run --no-sync pytest -n 3 --dist loadfile --no-loadscope-reorder

test-quick: .tools/dev  ## what a change most often breaks, without browsers and what is slow
	@$(UV) run --no-sync pytest -n 2 --dist loadfile --no-loadscope-reorder -m "$(QUICK)"

study: .tools/run  ## run the default scenario into OUT=out
	@$(UV) run --no-sync geo-cluster study --out $(OUT) --profile

check: .tools/dev  ## lint, format, types, import contracts, data
	@$(UV) run --no-sync ruff check .
	@$(UV) run --no-sync ruff format --check .
	@$(UV) run --no-sync mypy
	@$(UV) run --no-sync lint-imports
	@$(UV) run --no-sync geo-cluster check-data

format: .tools/dev  ## put the code in shape
	@$(UV) run --no-sync ruff check --fix-only . && $(UV) run --no-sync ruff format .

# ratios.py runs first; matching.py asks for a problem; matching_suite.py takes hours; the others only help
APART := $(addprefix %/,$(addsuffix .py,ratios matching matching_suite matching_files matching_instances own_sites))
bench: .tools/dev  ## measure against peers and the last release (minutes; prints ratios, keeps them in benchmarks/results)
	@$(SYNC) --group dev --group data --group cluster --group bench
	@failed=; $(UV) run --no-sync python benchmarks/ratios.py --peers --keep || failed=" benchmarks/ratios.py"; \
	for file in $(filter-out $(APART),$(wildcard benchmarks/*.py)); do \
	  echo "== $$file"; $(UV) run --no-sync python $$file || failed="$$failed $$file"; done; \
	  test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

bench-quick: .tools/dev  ## the same in a minute, without peers: ends with 1 where something is half as fast as in the last release
	@$(UV) run --no-sync python benchmarks/ratios.py --check

fuzz: .tools/dev  ## hand changed files to every reader, for SECONDS=300
	@$(UV) run --no-sync python -m tests.fuzzing --seconds $(SECONDS)

data: .tools/dev  ## rebuild data/geo from data/facts and pinned packages
	@$(UV) run --no-sync python scripts/make_data.py

bundle: .tools/dev  ## archives that install without a network (PLATFORM=linux PYTHONS=3.12 for one of them), into dist/
	@$(UV) run --no-sync python scripts/make_bundle.py --platform $(PLATFORM) --python $(PYTHONS)

# ---- set-up ---------------------------------------------------------------------------------------------------

# uv would compile every file there is, with a minute for each, and fail: the data packages of `make data` are large
# Python files that nobody imports. Importing what the app needs compiles that and no more.
SYNC = $(UV) sync --frozen --quiet --no-compile-bytecode

.tools/run: pyproject.toml uv.lock | $(UV)
	@$(SYNC) --inexact
	@$(UV) run --no-sync python -c "import streamlit.web.cli, geo_cluster.export.bundle"
	@$(UV) run --no-sync python -m geo_cluster.compiling
	@mkdir -p .tools && touch $@

.tools/dev: .tools/run
	@$(SYNC) --inexact --group dev --group data --group cluster
	@touch $@

# uv, when the machine has none: into .tools, with whatever Debian's bare python3 lacks for that
.tools/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit("geo_cluster needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .tools/venv >/dev/null 2>&1 || { \
	  command -v apt-get >/dev/null || { echo "python3 has no venv module: install it, or install uv"; exit 1; }; \
	  $(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -y -qq python3-venv && \
	  rm -rf .tools/venv && $(PYTHON) -m venv .tools/venv; }
	@.tools/venv/bin/pip install --quiet --disable-pip-version-check "uv>=0.8"
	@mkdir -p .tools/bin && ln -sf ../venv/bin/uv $@

# a real browser for tests/browser, with a Chinese font for it to draw, and a real proxy before the app
NEEDS = $(if $(strip $(foreach name,$(BROWSERS),$(shell command -v $(name)))),,chromium fonts-noto-cjk)
NEEDS += $(if $(shell PATH="$$PATH:/usr/sbin" command -v nginx),,nginx-light)

.PHONY: browser
browser:
	@[ -n "$(strip $(NEEDS))" ] || exit 0; \
	command -v apt-get >/dev/null || { echo "tests/browser need $(NEEDS): install them and put them on the PATH"; exit 1; }; \
	$(AS_ROOT) apt-get update -qq && $(AS_ROOT) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(NEEDS) >/dev/null
