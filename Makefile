# Each target sets up what it needs: a fresh machine needs Python 3.11 with venv, make, and nothing by hand.
# Variables: PYTHON (interpreter), LOCK (envs/gpu.lock on a GPU machine), TORCH_INDEX (package index of another
# build of torch than pip would choose), ARGS (further arguments for snakemake or pytest).

PYTHON ?= python3.11
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
	sha256sum | cut -c1-16)
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

.PHONY: setup run real ablations seeds test bench bench-data bench-train check

setup: $(STAMP)

$(STAMP):
	@command -v $(PYTHON) >/dev/null || { \
	echo "error: $(PYTHON) is not installed: install it, or name another with make PYTHON=..." >&2; exit 2; }
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

# Scripts whose name begins with bench_ write results/bench/NAME.json.
bench: setup
	@$(IN_VENV) for script in $(sort $(wildcard bench/bench_*.py)); do \
	echo "$$script"; python "$$script" || exit 1; done

bench-data: setup
	@$(IN_VENV) python bench/bench_data.py

bench-train: setup
	@$(IN_VENV) python bench/bench_train.py

check: setup
	$(IN_VENV) ruff check . && ruff format --check . && mypy && python -m pytest -m slow $(ARGS)
