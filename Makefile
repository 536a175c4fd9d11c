# The tasks of this repository. `make` alone lists them.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
SOURCES := operator trainer-image charts tests bench conftest.py

.PHONY: help
help: ## List what one can do
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

.PHONY: demo
demo: $(VENV)/.demo ## Run a real study here and now, to its ranked result
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/study run examples/digits-quick.yaml --folder build/demo

.PHONY: test
test: $(VENV)/.development ## Pass all tests, on a real control plane and a real Prometheus
	@$(BIN)/python -m tests.cluster.binaries > /dev/null
	$(BIN)/python -m pytest --numprocesses 2 --cov --cov-report=term $(ARGS)

.PHONY: test-fast
test-fast: $(VENV)/.development ## Pass the tests of the domain and the controller, in about a minute, without a cluster
	$(BIN)/python -m pytest -m "not cluster" tests/api tests/controller tests/results tests/samplers tests/space tests/findings tests/conclusions tests/rounds $(ARGS)

.PHONY: test-node
test-node: $(VENV)/.development ## Pass the node suite: images, chart and faults on a real kubelet (root; installs packages)
	$(BIN)/python -m tests.node $(ARGS)

.PHONY: check
check: $(VENV)/.development ## Check format, lint, types, layers and the generated files
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy operator/study_operator trainer-image/study_trainer trainer-image/digits bench
	$(BIN)/lint-imports
	$(BIN)/study crd --check --docs docs/resources.md
	$(BIN)/study crd $(CHART)/files/crds --check
	$(BIN)/python charts/reference.py --check

.PHONY: format
format: $(VENV)/.development ## Format the code, and mend what ruff can mend
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

CHART := charts/study-operator

.PHONY: generate
generate: $(VENV)/.development ## Write crds/, the chart's copies and README and the kustomize base anew
	$(BIN)/study crd --docs docs/resources.md
	$(BIN)/study crd $(CHART)/files/crds
	$(BIN)/python charts/reference.py
	helm="$$($(BIN)/python -m tests.cluster.binaries helm)" && "$$helm" template study-operator $(CHART) \
		--namespace study-operator --skip-tests --set crds.keep=false > gitops/base/operator.yaml

.PHONY: sbom
sbom: build/supply/bin/python ## Write build/sbom.json, the CycloneDX bill of what an operator consists of
	rm -rf build/supply/operator && $(PYTHON) -m venv --without-pip build/supply/operator
	build/supply/bin/python -m pip --python=build/supply/operator/bin/python install --quiet --disable-pip-version-check \
		--only-binary=:all: --constraint constraints.txt '.[exploitation]'
	build/supply/bin/cyclonedx-py environment build/supply/operator --output-reproducible --output-file build/sbom.json

.PHONY: audit
audit: build/supply/bin/python ## Ask an advisory service for known vulnerabilities of what constraints.txt pins (needs a network)
	build/supply/bin/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip

build/supply/bin/python:
	$(PYTHON) -m venv build/supply
	build/supply/bin/python -m pip install --quiet --disable-pip-version-check cyclonedx-bom pip-audit

VENDOR := operator/study_operator/report/vendor

.PHONY: vendor
vendor: ## Make the report's charting library anew from its npm package (needs npm)
	mkdir -p build/vendor && cp $(VENDOR)/package.json $(VENDOR)/entry.js build/vendor/
	cd build/vendor && npm install --silent --no-audit --no-fund --no-package-lock
	cd build/vendor && npx esbuild entry.js --bundle --minify --target=es2020 --format=iife --global-name=echarts \
		--legal-comments=none --outfile=echarts.js
	cp build/vendor/echarts.js $(VENDOR)/echarts.js
	for package in echarts zrender tslib; do \
		cp build/vendor/node_modules/$$package/LICENSE* $(VENDOR)/LICENSE-$$package; done
	cp build/vendor/node_modules/echarts/NOTICE $(VENDOR)/NOTICE-echarts
	cp build/vendor/node_modules/echarts/licenses/LICENSE-d3 $(VENDOR)/LICENSE-d3

.PHONY: bench
bench: $(VENV)/.development ## Measure against a bare loop on the same API server (about half an hour)
	$(BIN)/python -m bench $(ARGS)

.PHONY: lock
lock: ## Write constraints.txt anew, with the newest versions that pyproject.toml allows (Linux; CUDA's are 3 GB)
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --upgrade './trainer-image[digits]' 'jax[cuda12]' \
		'.[bench,exploitation,test,lint]'
	build/lock/bin/python -m pip freeze --exclude study-operator --exclude study-trainer > constraints.txt

.PHONY: clean
clean: ## Remove what the other tasks made here
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python >= 3.11 is needed, and none was found; name one with: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing; on Debian: apt install python3-venv" >&2; exit 1; }

$(VENV)/.demo: $(BIN)/python pyproject.toml trainer-image/pyproject.toml constraints.txt
	@echo "Installing study-operator and the digits trainer into $(VENV) ..."
	@$(INSTALL) --editable . --editable './trainer-image[digits]'
	@touch $@

$(VENV)/.development: $(BIN)/python pyproject.toml trainer-image/pyproject.toml constraints.txt
	@echo "Installing study-operator and everything that its tests need into $(VENV) ..."
	@$(INSTALL) --editable './trainer-image[digits]' --editable '.[bench,exploitation,test,lint]'
	@touch $@ $(VENV)/.demo
