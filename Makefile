# make run     set up, create the demo, serve it on http://$HOST:$PORT
# make test    set up, check, test (ARGS="tests/test_text.py -x" goes to pytest)
# make test-long   what takes longer: several processes at once, whole lists and corpora, every screen
# make test-postgresql   all that touches a database once more, on PostgreSQL
# make check   ruff and mypy alone
# make lock    rewrite the two lock files after a change to pyproject.toml (UPGRADE=1: newest releases)
# make translations   bring the catalogues up to what readers read, list what they lack
# make pictures   take the README's pictures anew (a font for each of the demo's scripts makes them whole)
# make bench   the benchmarks in bench/
# make clean   remove what the others made, but never instance/ (another PYTHON: clean first)

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
# Each process counts rate limits by itself until REJOINDER_REDIS_URL is set.
WORKERS ?= 2
ARGS ?=
export HOST PORT

VENV_PYTHON := .venv/bin/python
PIP := $(VENV_PYTHON) -m pip --disable-pip-version-check
BABEL := $(VENV_PYTHON) -m babel.messages.frontend --quiet
UV := $(VENV_PYTHON) -m uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	$(if $(UPGRADE),--upgrade) pyproject.toml

# A .venv whose Python went away (an upgrade of the system) is made anew, so its stamps count for nothing.
ifneq ($(shell $(VENV_PYTHON) -c 'import sys, pip; print(sys.version_info >= (3, 11))' 2>/dev/null),True)
$(shell rm -f .venv/.run .venv/.test .venv/.bench)
endif

.PHONY: run test test-long test-postgresql check lock translations pictures bench clean chromium
.NOTPARALLEL:

run: .venv/.run
	@case "$(PORT)" in ''|*[!0-9]*|??????*|6553[6-9]|655[4-9]?|65[6-9]??|6[6-9]???|[7-9]????) echo "PORT is a number up to 65535, not \"$(PORT)\"." >&2; exit 1;; esac
	@$(VENV_PYTHON) -c 'import socket, sys; s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET); \
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((sys.argv[1], int(sys.argv[2])))' "$(HOST)" "$(PORT)" 2>/dev/null || { \
		echo "$(HOST):$(PORT) cannot be used: something listens there already. Choose another: make run PORT=8001" >&2; exit 1; }
	@$(VENV_PYTHON) -m flask setup
	@$(VENV_PYTHON) -m flask demo
	@$(VENV_PYTHON) -m flask worker --parent $$$$ & exec $(VENV_PYTHON) -m granian --interface wsgi --host "$(HOST)" --port "$(PORT)" \
		--workers $(WORKERS) --blocking-threads 4 --respawn-failed-workers --no-ws --log-level warning \
		wsgi:app

test: check chromium
	@$(VENV_PYTHON) -m pytest $(ARGS)

test-long: .venv/.test chromium
	@$(VENV_PYTHON) -m pytest -m long $(ARGS)

test-postgresql: .venv/.test
	@DATABASE=postgresql $(VENV_PYTHON) -m pytest -m "long or not long" -k postgresql $(ARGS)

check: .venv/.test
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m mypy

lock:
	$(make_venv)
	@$(PIP) install --quiet uv
	@$(COMPILE) --output-file requirements.lock
	@$(COMPILE) --group test --output-file requirements-test.lock

# No old translation is bent to fit a new text, and none is kept that nothing says any more.
translations: .venv/.test
	@mkdir -p build
	@$(BABEL) extract --mapping-file pyproject.toml --add-location file --sort-by-file --no-wrap \
		--project Rejoinder --output-file build/messages.pot .
	@$(BABEL) update --input-file build/messages.pot --output-dir service/translations \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --no-wrap
	@$(BABEL) compile --directory service/translations
	@$(VENV_PYTHON) tests/catalogues.py

pictures: .venv/.test chromium
	@SCREENSHOTS=docs $(VENV_PYTHON) -m pytest -q -n0 tests/browser/test_pictures.py

bench: .venv/.bench
	@set -e; for script in bench/*.py; do echo "$$script"; name=$${script#bench/}; $(VENV_PYTHON) -m "bench.$${name%.py}"; done

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pip is quiet, but tells what went wrong. The locks are complete: nothing is left for it to resolve.
.venv/.run: requirements.lock pyproject.toml
	$(make_venv)
	@echo "Installing the packages of requirements.lock into .venv; this may take a minute."
	@$(PIP) install --quiet --no-deps --requirement requirements.lock
	@PYTHONWARNINGS=ignore $(PIP) install --quiet --no-deps --editable .
	@touch $@

.venv/.test: requirements-test.lock .venv/.run
	@echo "Installing the packages of requirements-test.lock into .venv."
	@$(PIP) install --quiet --no-deps --requirement requirements-test.lock
	@touch $@

# What the benchmarks measure against, and nothing else needs.
.venv/.bench: .venv/.test
	@$(PIP) install --quiet uv
	@$(UV) pip install --quiet --python $(VENV_PYTHON) --group bench
	@touch $@

# Debian's Python comes without ensurepip; where there is a pip, it can fill the venv in its place.
define make_venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "Rejoinder needs Python 3.11 or newer, and $(PYTHON) is none. Name another: make PYTHON=python3.12" >&2; exit 1; }
@$(VENV_PYTHON) -c 'import pip' 2>/dev/null \
	|| $(PYTHON) -m venv --clear .venv >/dev/null 2>&1 \
	|| { $(PYTHON) -m venv --clear --without-pip .venv \
		&& $(PYTHON) -m pip --python $(VENV_PYTHON) install --quiet pip; } 2>/dev/null \
	|| { echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
endef

# The browser tests drive the system's Chromium and are left out where there is none.
chromium:
	@for name in "$$CHROMIUM" chromium chromium-browser google-chrome; do \
		command -v "$$name" >/dev/null 2>&1 && exit 0; done; \
	if [ -z "$$CI" ]; then \
		echo "No Chromium: the browser tests are left out. On Debian: apt-get install chromium. Elsewhere set CHROMIUM to its path."; \
		exit 0; \
	fi; \
	echo "Installing Chromium from the system's packages."; \
	export DEBIAN_FRONTEND=noninteractive; \
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-core; } \
		</dev/null >/dev/null \
		|| { echo "Chromium cannot be installed here. Install it and set CHROMIUM to its path." >&2; exit 1; }
