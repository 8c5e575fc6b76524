# `make demo` and `make test` set up what they need: Python 3.11 and make are enough to begin.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export PATH := $(CURDIR)/$(BIN):$(PATH)
export DO_NOT_TRACK := true
export DVC_NO_ANALYTICS := true
export GX_ANALYTICS_ENABLED := false
export MLFLOW_DISABLE_TELEMETRY := true
export PREFECT_SERVER_ANALYTICS_ENABLED := false

.PHONY: help setup demo test browser database lint retrain server stop clean

help: ## Show this list.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## Set up the environment, .venv.

demo: $(READY) ## Run the pipeline on the embedded sample; register the model; show the results.
	@dvc repro
	@san register
	@san results

test: lint browser database ## Set up if needed, then lint, check types and run the whole test suite.
	@OMP_NUM_THREADS=1 pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not gpu"

browser: ## As root on Debian, install Chromium, which tests open the evaluation's page in.
	@for name in chromium-headless-shell chromium google-chrome google-chrome-stable; do \
	  command -v $$name >/dev/null && exit; done; \
	{ test "$$(id -u)" = 0 && apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
	  apt-get -qq install -y --no-install-recommends chromium-headless-shell >/dev/null; } || \
	echo "tests in a browser need Chromium: as root, apt-get install chromium-headless-shell"

database: ## As root on Debian, install PostgreSQL, on which tests run MLflow's server.
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
	{ test "$$(id -u)" = 0 && apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
	  apt-get -qq install -y --no-install-recommends postgresql >/dev/null; } || \
	echo "tests on PostgreSQL need it: as root, apt-get install postgresql"

lint: $(READY) ## Check format, lint and types.
	@ruff format --check .
	@ruff check .
	@mypy

retrain: $(READY) ## Run the Prefect flow: all stages, then register.
	@python -m flows.retrain

server: $(READY) ## Start a Prefect server, a worker and an MLflow server on this machine.
	@python -m flows.server start

stop: ## Stop them.
	@python -m flows.server stop

clean: ## Remove the environment and every file that the pipeline can make again.
	rm -rf $(VENV) .san data/raw data/crops data/quarantine models reports

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[pipeline,server,openvino,serve,tensorrt,video,dev]"
	@touch $(READY)
