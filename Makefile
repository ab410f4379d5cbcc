# make run [DOC=path]   the workbench on a document (default: a bundled page)
# make test             all tests
# make fonts            the full font set (optional, for training)

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

.PHONY: run test slow fonts lint clean

run: $(READY)
	@$(PY) main.py $(if $(DOC),"$(DOC)")

test: $(READY)
	QT_QPA_PLATFORM=offscreen $(PY) -m pytest -q tests

slow: $(READY)
	QT_QPA_PLATFORM=offscreen $(PY) -m pytest -q -m slow tests

fonts: $(READY)
	$(PY) -m core.fonts.install

lint: $(READY)
	$(PY) -m ruff check .

# Set up once, and again whenever the pinned dependencies change. The marker is written last, so a
# broken install is tried again. torch first, by its own name: some indexes offer a CPU build for it.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12"; exit 1; }
	@sh .ci/system-libraries
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $(READY)

clean:
	rm -rf $(VENV) build *.egg-info
