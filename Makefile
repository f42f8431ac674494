# Needed beforehand: Python 3.11 or newer, git and make.  Everything else is installed below this
# folder, at the versions of uv.lock: uv itself in .uv/, straggle and its packages in .venv/.

PYTHON ?= python3
UV ?= .uv/bin/uv

VERSION := $(shell { $(PYTHON) -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])'; } 2>/dev/null)
# Stamps of what .venv holds.  They carry the version, so that another PYTHON installs anew.
RUN := .venv/.run-$(VERSION)
TEST := .venv/.test-$(VERSION)
NIGHT := .venv/.night-$(VERSION)
SITE := .venv/.site-$(VERSION)
LOCKED := pyproject.toml uv.lock $(filter .uv/bin/uv,$(UV))
BROWSERS := chromium chromium-browser google-chrome
# Inexact: a race after the tests keeps the packages that only the tests need.
SYNC = $(UV) sync --frozen --inexact --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"

export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
unexport VIRTUAL_ENV
# Hundreds of tests start a Python: none should compile the packages' sources again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help race paper paper-full test lowest nightly mutants soak bench regimes gate lint types contracts docs site notebooks stubs reference refresh check clean python browser
.NOTPARALLEL:

help: ## List what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'PYTHON=python3.13 chooses another Python, UV=uv a uv that is already installed.'

race: $(RUN) ## Race four tuned methods on ten unequal workers with costly uploads
	.venv/bin/straggle compare scenarios/race.toml --levels 100,190

paper: $(TEST) ## Tune and race the methods on one of the paper's panels, reduced: five minutes
	.venv/bin/straggle compare paper/reacher --tune paper-settings --seeds 1-3 \
		--set stop.seconds=8000 --set evaluation.every_seconds=320 --out results/paper/reacher-short

paper-full: $(TEST) ## Tune and race the methods on all of the paper's panels: hours, resumable
	.venv/bin/python docs/panels.py

test: $(TEST) browser ## Run all tests
	.venv/bin/pytest -n auto --dist loadfile --no-loadscope-reorder

lowest: $(filter .uv/bin/uv,$(UV)) browser | python ## Run all tests with the lowest versions that pyproject.toml allows
	$(UV) venv --quiet --clear --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv-lowest
	$(UV) pip install --python .venv-lowest --resolution lowest-direct --editable '.[mujoco,notebook,video]' --group dev
	.venv-lowest/bin/pytest -n auto --dist loadfile

nightly: $(NIGHT) browser ## Run all tests, also those marked nightly: STRAGGLE_KILLS, STRAGGLE_FUZZ_CASES, STRAGGLE_EXAMPLES
	XLA_FLAGS= .venv/bin/pytest -n auto --dist loadfile -m ''

mutants: $(TEST) ## Plant mutants and see that the tests find them
	.venv/bin/python tests/mutants.py

soak: $(TEST) ## Run random scenarios for MINUTES=60, verify each, and watch the memory
	.venv/bin/python tests/soak.py --minutes $(or $(MINUTES),60)

bench: $(TEST) ## Measure how fast it is on this machine: BENCH="--quick", or names
	PYTHONPATH=tests .venv/bin/python -m benchmarks $(BENCH)

regimes: $(RUN) ## Check the published rankings of four regimes
	.venv/bin/straggle check regimes

gate: $(RUN) ## Check that schedules, learning curves and claims are what they were
	.venv/bin/straggle check stragglers $(CHECK)

lint: $(TEST) ## Check style, format and prose
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/python docs/prose.py

types: $(TEST) ## Check types
	.venv/bin/mypy

contracts: $(TEST) ## Check that imports go one way
	.venv/bin/lint-imports

docs: $(TEST) ## Check the documents: links, examples, scenarios, commands
	.venv/bin/pytest tests/test_docs.py

site: $(SITE) ## Build the documentation as a site in docs/_build
	.venv/bin/sphinx-build -W --keep-going -b html docs docs/_build

notebooks: $(TEST) ## Run the notebooks on small settings
	.venv/bin/python notebooks/execute.py

stubs: $(TEST) ## Write the types of the public names anew
	.venv/bin/python tests/stubs.py

reference: $(TEST) ## Write the generated parts of the documents anew
	.venv/bin/python docs/generate.py

refresh: $(TEST) ## Run the notebooks at full size and write what they show
	.venv/bin/python notebooks/execute.py --refresh

check: lint types contracts test gate site notebooks ## Check everything

clean: ## Remove all that was installed, built or cached; results stay
	rm -rf .uv .venv .venv-lowest dist docs/_build
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'straggle needs Python 3.11 or newer, but $(PYTHON)' \
			'$(if $(VERSION),is $(VERSION),cannot be run); name another, for example:' \
			'make race PYTHON=python3.13' >&2; \
		exit 1; }

# Tests open reports in a browser; only apt is known here as a way to install one.
browser:
	@for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
	command -v apt-get >/dev/null || exit 0; \
	echo 'Installing the browser chromium for the tests of reports'; \
	root=; [ "$$(id -u)" = 0 ] || root='sudo -n'; \
	{ $$root apt-get -qq update && $$root env DEBIAN_FRONTEND=noninteractive \
		apt-get -qqy install --no-install-recommends chromium; } >/dev/null || \
		echo 'chromium cannot be installed; the tests of reports will fail without a browser' >&2

.uv/bin/uv: | python
	@echo 'Installing uv in .uv'
	@$(PYTHON) -m venv .uv || { \
		echo 'Python cannot make a virtual environment; install the package python3-venv,' \
			'or name a uv that is already installed: make race UV=uv' >&2; \
		exit 1; }
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

$(RUN): $(LOCKED) | python
	$(SYNC) --no-dev
	@touch $@

$(TEST): $(LOCKED) | python
	$(SYNC)
	@touch $@ $(RUN)

$(NIGHT): $(LOCKED) | python
	$(SYNC) --group nightly
	@touch $@ $(TEST) $(RUN)

$(SITE): $(LOCKED) | python
	$(SYNC) --extra docs
	@touch $@ $(TEST) $(RUN)
