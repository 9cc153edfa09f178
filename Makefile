# Every command works from a bare clone on a machine with make and Python 3.11 or newer.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
# The newest interpreter that is found; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3 python python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
CODE := function_app.py orchestrators activities triggers domain gateway identity simulator localhost cli infra tests

# What fails beside others on a busy machine is asked once more alone: a rule that is broken fails twice.
SUITE = $(BIN)/python -m pytest -q -n 2 --dist worksteal
AGAIN = $(BIN)/python -m pytest -q --last-failed --last-failed-no-failures none

help: ## what can be asked for
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "failback needs Python 3.11 or newer; name it with PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/local.stamp: requirements-local.txt | $(BIN)/python
	$(INSTALL) -r requirements-local.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/local.stamp | $(BIN)/python
	$(INSTALL) -r requirements-dev.txt
	@touch $@

demo: $(VENV)/local.stamp ## fail one machine back on simulated Azure, and see every step
	@$(BIN)/python -m cli demo

up: $(VENV)/local.stamp ## the app on simulated Azure, until Ctrl-C
	@$(BIN)/python -m cli up

test: $(VENV)/dev.stamp ## the whole suite
	$(SUITE) || $(AGAIN)

lint: $(VENV)/dev.stamp ## style, types, who may know whom
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/lint-imports
	$(BIN)/basedpyright --level error

coverage: $(VENV)/dev.stamp ## the suite, with every branch of domain and orchestrators reached
	$(SUITE) --ignore tests/chaos --cov --cov-report= || $(AGAIN) --cov --cov-append --cov-report=
	$(SUITE) tests/chaos || $(AGAIN)
	$(BIN)/coverage report --include='domain/*,orchestrators/*' --show-missing --fail-under=100
	$(BIN)/coverage report

check: lint coverage ## what CI runs

format: $(VENV)/dev.stamp ## write the code as the formatter would
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

# The extras that others ask for stay in the pins: pip would look for newer releases of a name without them.
LOCK = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-header --upgrade

lock: | $(BIN)/python ## pin every requirement with its hashes, newest that fit
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) --constraint requirements.txt --extra local pyproject.toml -o requirements-local.txt
	$(LOCK) --constraint requirements-local.txt --extra local --group dev pyproject.toml -o requirements-dev.txt

# Tools that would not fit among our own requirements live each in a place of its own, in one version.
build/checkov/bin/checkov: | $(BIN)/python
	$(BIN)/python -m venv build/checkov
	build/checkov/bin/python -m pip install --quiet --disable-pip-version-check checkov==3.3.30

build/kusto/node_modules:
	@mkdir -p build/kusto
	npm install --silent --no-package-lock --prefix build/kusto @kusto/language-service-next@12.4.1

build/supply/bin/pip-audit: | $(BIN)/python
	$(BIN)/python -m venv build/supply
	build/supply/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1 \
		cyclonedx-bom==7.5.0 detect-secrets==1.5.0

infra-lint: $(VENV)/dev.stamp build/checkov/bin/checkov build/kusto/node_modules ## checkov, and Kusto's language service
	build/checkov/bin/checkov --directory infra --framework bicep --skip-download --compact --quiet
	$(BIN)/python -m pytest -q tests/infra

audit: build/supply/bin/pip-audit ## are there advisories for what is deployed?
	build/supply/bin/pip-audit --require-hashes --disable-pip --strict --requirement requirements.txt

sbom: build/supply/bin/pip-audit ## what is deployed, as CycloneDX under build/
	build/supply/bin/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible \
		--output-file build/sbom.json

# Tests hold made-up passwords and tokens: there only the formats that real services issue are looked for.
REAL_FORMATS = --disable-plugin KeywordDetector --disable-plugin BasicAuthDetector --disable-plugin JwtTokenDetector \
	--disable-plugin HexHighEntropyString --disable-plugin Base64HighEntropyString

secrets: build/supply/bin/pip-audit ## is a key or a password among the files?
	git ls-files | grep -vE '^(tests/|requirements)' | \
		xargs build/supply/bin/detect-secrets-hook --exclude-lines '= "simulator"|"hash": "'
	git ls-files tests | xargs build/supply/bin/detect-secrets-hook $(REAL_FORMATS)

docs: $(VENV)/local.stamp ## write the pages that are made from the code
	$(BIN)/python -m domain.settings > docs/configuration.md
	$(BIN)/python -m triggers.openapi > docs/api.md

bench: $(VENV)/dev.stamp ## measure hosts, doors and whole failbacks; JSON under build/, tables here
	@mkdir -p build
	$(BIN)/python bench/localhost.py build/bench-localhost.json
	$(BIN)/python bench/simulator.py build/bench-simulator.json
	$(BIN)/python bench/startup.py build/bench-startup.json
	$(BIN)/python bench/alerts.py build/bench-alerts.json
	$(BIN)/python bench/failbacks.py build/bench-failbacks.json

chaos: $(VENV)/dev.stamp ## the long randomized runs, and kills at every boundary; JUnit under build/
	@mkdir -p build
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m chaos --timeout 1800 --junit-xml build/chaos.xml

histories: $(VENV)/dev.stamp ## record the orchestrators' steps for a new version; ANEW=1 replaces the present one's
	$(BIN)/python -m tests.histories.recorder $(if $(ANEW),--anew)

clean: ## everything that can be made again
	rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage

.PHONY: help demo up test lint coverage check format lock docs infra-lint audit sbom secrets bench chaos histories clean
