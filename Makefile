# `make demo` and `make test` set up all they need, once; the set-up is done again when
# pyproject.toml or constraints.txt change, or when the checkout was copied or moved.

SHELL := /bin/sh
export PATH := $(PATH):/usr/sbin:/sbin

PYTHON := .venv/bin/python
READY := .venv/.ready

# What pymeshlab and cadquery load, vtk needs to draw without a display, and fonts are found by: library:Debian package.
LIBRARIES := libGL.so.1:libgl1 libOpenGL.so.0:libopengl0 libEGL.so.1:libegl1 libX11.so.6:libx11-6 libxcb.so.1:libxcb1 \
	libfontconfig.so.1:libfontconfig1

# The browser that the tests open the review page in, and the Debian package that it is in; nothing else needs it.
BROWSER := chromium

# Prints the first Python from 3.11 to 3.13 that can make a virtual environment.
FIND_PYTHON = for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
		&& { command -v $$python; break; }; done

# The slicer that the tests let loose on a print file, and the Debian package that it is in; nothing else needs it.
SLICER := prusa-slicer

# Installs the packages in $$missing where we may; else names the command and stops.
INSTALL_MISSING = \
	if [ "$$(id -u)" = 0 ]; then root=; elif sudo -n true 2>/dev/null; then root="sudo -n"; else root=none; fi; \
	if [ "$$root" = none ] || ! command -v apt-get >/dev/null; then \
		echo "guidegen needs these system packages, which are missing:$$missing" >&2; \
		echo "To install them: sudo apt-get install --no-install-recommends$$missing" >&2; exit 1; fi; \
	echo "Installing the system packages$$missing"; \
	$$root apt-get update -q && $$root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y --no-install-recommends $$missing

.PHONY: demo test bench soak clean libraries slicer browser

demo: $(READY)
	.venv/bin/guidegen demo

test: $(READY) slicer browser
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest -q -n 2 --dist worksteal

bench: $(READY)
	$(PYTHON) benchmarks/run.py

# What takes too long for the tests: about a quarter of an hour for each on an idle machine, or less.
soak: $(READY)
	$(PYTHON) benchmarks/bad_inputs.py
	$(PYTHON) benchmarks/orientations.py
	$(PYTHON) benchmarks/fuzz_intake.py --count 3000
	$(PYTHON) benchmarks/kill_run.py --count 1000
	$(PYTHON) benchmarks/kill_review.py --count 1000
	$(PYTHON) benchmarks/kill_release.py --count 1000
	$(PYTHON) benchmarks/review_sequences.py --count 5000
	$(PYTHON) benchmarks/flipped_bits.py --count 100

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# A copied or moved checkout would otherwise run the code of the old one.
ifneq ($(shell cat $(READY) 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
endif

$(READY): pyproject.toml constraints.txt | libraries $(PYTHON)
	@echo "Installing guidegen and its libraries into .venv; the first time takes some minutes"
	$(PYTHON) -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@echo "$(CURDIR)" > $@

$(PYTHON):
	@[ -n "$$($(FIND_PYTHON))" ] || { missing=" python3-venv"; $(INSTALL_MISSING); }
	@python=$$($(FIND_PYTHON)); \
	[ -n "$$python" ] || { echo "guidegen needs Python 3.11, 3.12 or 3.13 with venv; found: $$(python3 --version 2>&1)" >&2; \
		echo "To install it on Debian 12: sudo apt-get install python3-venv" >&2; exit 1; }; \
	"$$python" -m venv --clear .venv || { rm -rf .venv; exit 1; }

slicer:
	@command -v $(SLICER) >/dev/null || { missing=" $(SLICER)"; $(INSTALL_MISSING); }

browser:
	@command -v $(BROWSER) >/dev/null || { missing=" $(BROWSER)"; $(INSTALL_MISSING); }

libraries:
	@command -v ldconfig >/dev/null || exit 0; \
	known=$$(ldconfig -p); missing=; \
	for pair in $(LIBRARIES); do \
		case "$$known" in *"$${pair%%:*} "*) ;; *) missing="$$missing $${pair#*:}";; esac; \
	done; \
	[ -z "$$missing" ] || { $(INSTALL_MISSING); }
