# Each target sets up what it needs: a fresh machine needs Python 3.11, 3.12 or 3.13 with venv, make, and nothing by hand.
# Variables: PYTHON (interpreter; the first of those that runs), LOCK (envs/gpu.lock on a GPU machine), TORCH_INDEX (package index of another
# build of torch than pip would choose), ARGS (further arguments for snakemake or pytest).

FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# Tried, not looked up: a shim of pyenv is there for versions that do not run.
PYTHON ?= $(shell for one in python3.11 python3.12 python3.13 python3; do \
	$$one -c '$(FITS)' 2>/dev/null && echo $$one && break; done)
LOCK ?= envs/cpu.lock
TORCH_INDEX ?=
ARGS ?=

# One thread a process: two stages run side by side on two cores, and sums keep their order.
export OMP_NUM_THREADS := 1
export OMP_WAIT_POLICY := PASSIVE
# DeepSpeed's kernels are compiled when first used, if ever, not while installing.
export DS_BUILD_OPS := 0
unexport PYTHONPATH

# The stamp carries what the environment was made of, and where: its scripts hold absolute paths.
# Of pyproject.toml only what comes before the tools' settings matters.
STAMP := .venv/made-of-$(shell (cat envs/cpu.lock $(LOCK); sed '/^\[tool\./,$$d' pyproject.toml; pwd) | \
	$(shell command -v sha256sum || echo shasum -a 256) | cut -c1-16)
IN_VENV := . .venv/bin/activate &&
PIP := .venv/bin/python -m pip --disable-pip-version-check install --quiet
# flock, not Snakemake's own lock, keeps two runs apart: a killed run leaves no lock behind.
define snakemake
@mkdir -p .snakemake
@$(IN_VENV) flock --nonblock --conflict-exit-code 75 .snakemake/make.lock \
	snakemake --nolock --profile profiles/default --config settings=$(1) $(ARGS) || { code=$$?; \
	[ $$code -ne 75 ] || echo "error: make run or make real is at work in this folder: wait for it, or stop it" >&2; \
	exit $$code; }
endef

ABLATIONS := $(sort $(basename $(notdir $(wildcard config/ablations/*.yaml))))

.PHONY: setup run real ablations seeds test machines bench bench-data bench-train check

setup: $(STAMP)

$(STAMP):
	@[ "$$(uname -sm)" = "Linux x86_64" ] || { echo "error: make works on Linux on x86-64 only: pynini, by which numbers" \
	"are read out, has no wheels for $$(uname -sm); take a container or a virtual machine" >&2; exit 2; }
	@$(or $(PYTHON),false) -c '$(FITS)' 2>/dev/null || { \
	echo "error: $(or $(PYTHON),python3) is not installed, or is not Python 3.11, 3.12 or 3.13: install one of these, or" \
	"name it with make PYTHON=..." >&2; exit 2; }
	@echo "Setting up .venv from $(LOCK) (some minutes, once)"
	$(PYTHON) -m venv --clear .venv
	$(PIP) $$(grep -E '^(pip|setuptools)==' envs/cpu.lock)
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $$(grep '^torch==' envs/cpu.lock)
	$(PIP) --no-build-isolation --requirement $(LOCK)
	$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

run: setup
	$(call snakemake,config/default.yaml)

real: setup
	$(call snakemake,config/words.yaml)

# One variant of the default run, which has to be finished: make ablation-no_joint.
ablation-%: setup
	$(call snakemake,config/ablations/$*.yaml)

ablations: run
	@for name in $(ABLATIONS); do $(MAKE) --no-print-directory ablation-$$name || exit 1; done
	@$(IN_VENV) earmark compare $(addprefix results/,default $(ABLATIONS)) --output results/ablations.html

# The run of config/OF.yaml with other seeds, each in a folder of its own; they share the code alone.
OF ?= default
SEEDS ?= 1 2 3
seed-%: setup
	@mkdir -p results/seeds
	@printf 'base: ../../config/$(OF).yaml\nrun: $(OF)_seed_$*\nseed: $*\n' >results/seeds/$(OF)_$*.yaml
	$(call snakemake,results/seeds/$(OF)_$*.yaml)

seeds: setup
	@for seed in $(SEEDS); do $(MAKE) --no-print-directory seed-$$seed || exit 1; done
	@$(IN_VENV) earmark compare --spread $(addprefix results/$(OF)_seed_,$(SEEDS))

test: setup
	$(IN_VENV) python -m pytest -m "not slow" $(ARGS)

# The numeric half of the tests with the arithmetic of other processors.
machines: setup
	@$(IN_VENV) tests/machines.sh $(ARGS)

# Scripts whose name begins with bench_ write results/bench/NAME.json.
bench: setup
	@$(IN_VENV) for script in $(sort $(wildcard bench/bench_*.py)); do \
	echo "$$script"; python "$$script" || exit 1; done

bench-data: setup
	@$(IN_VENV) python bench/bench_data.py

bench-train: setup
	@$(IN_VENV) python bench/bench_train.py

check: setup
	$(IN_VENV) ruff check . && ruff format --check . && snakefmt --check -l 120 Snakefile workflow && snakemake --lint && mypy && python -m pytest -m slow $(ARGS)
