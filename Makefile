# Thin: one line per target, each calls the `workbench` command.  Every target is restartable.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# Nothing but set-up uses the network; passive waiting keeps idle threads from stealing a measured core.
export HF_HUB_OFFLINE = 1
export TRANSFORMERS_OFFLINE = 1
export OMP_WAIT_POLICY = PASSIVE

.PHONY: book test quick lab serve demo refresh setup doctor clean help
.DEFAULT_GOAL := help

book: setup            ## every experiment through papermill, then the site in _build/html
	$(BIN)/workbench run --profile cpu
	$(BIN)/workbench build

test: setup            ## prove it: lint, outputs against nbval, exercises, the site in a real browser
	$(BIN)/ruff check -q . && $(BIN)/ruff format -q --check .
	$(BIN)/workbench exercises generate --check
	$(BIN)/workbench verify
	$(BIN)/workbench run --profile smoke
	$(BIN)/workbench build
	$(BIN)/pytest -n 2 --dist loadfile

quick: setup           ## at most 3 minutes: lint, unit tests, changed chapters at smoke size
	$(BIN)/ruff check -q . && $(BIN)/ruff format -q --check .
	$(BIN)/pytest -q -m "not slow and not browser"
	$(BIN)/workbench run --profile smoke --changed

lab: setup             ## JupyterLab, opened on the first chapter
	$(BIN)/jupyter lab --LabApp.app_settings_dir=binder/lab notebooks/00_run_your_first_experiment.ipynb

serve: book            ## the site on http://127.0.0.1:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

demo: setup            ## ask the manuals on a small page, on this machine only
	$(BIN)/workbench demo

refresh: setup         ## run changed chapters and write their outputs back: the diff is yours to review
	$(BIN)/workbench refresh

doctor: setup          ## is this machine ready?
	$(BIN)/workbench doctor

setup: $(READY)        ## the environment, then models, data and browser assets, each checked by its SHA-256
	@$(BIN)/workbench fetch

$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"error: Python {v[0]}.{v[1]} is too old — install 3.11 or newer, or: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@echo "setting up $(VENV): about three minutes and 3 GB, once"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -r requirements.txt -c constraints.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

clean:                 ## remove what was built; models, data and your exercises stay
	rm -rf _build

help:                  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12
