# Needs Python 3.11+, git and make. Everything goes into .venv; `rm -rf .venv` undoes it.
# On Linux the torch of the package index brings CUDA along (5 GB). Without a GPU, take the small one:
#   make audit PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"

PYTHON ?= python3
BIN := .venv/bin
PIP_ARGS ?=
PYTEST_ARGS ?= -n 2
TORCH := $(shell grep '^torch==' constraints.txt)

.PHONY: audit test setup bench elsewhere calibration faults fuzz bench-runner
.DELETE_ON_ERROR:

audit: setup
	$(BIN)/rlaudit audit configs/quickstart.yaml

test: setup
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# The calibration table that `rlaudit list tests --calibration` shows (ten minutes on two cores), and that of sequential
# seeds (an hour on one), which needs real runs that are not part of the repository.
calibration: setup
	$(BIN)/python tests/calibrate.py
	$(BIN)/python tests/calibrate_sequential.py

# Two hundred faults and more in real training, in a quarter of an hour; writes tests/data/fault_bench.csv.
faults: setup
	$(BIN)/python tests/faults.py

# What we export, plotted by rliable and marl-eval. rliable needs an older pandas than ours (arch 7.2.0 does
# not import beside pandas 3, and rliable does not work with arch 8), so it has a place of its own.
elsewhere: .venv-bench/installed
	.venv-bench/bin/python -m pytest tests/test_exports_elsewhere.py

# Ratios against other libraries, five minutes, in that place, too; then seeds per hour of the runner, against the loop
# that people write and rl_zoo3 (whose place has the same torch and stable-baselines3), another twenty at most.
bench: .venv-bench/installed bench-runner
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 .venv-bench/bin/python tests/benchmarks/bench.py

bench-runner: setup .venv-zoo/installed
	$(BIN)/python tests/benchmarks/runner.py --zoo .venv-zoo/bin/python

.venv-zoo/installed: constraints.txt
	test -x .venv-zoo/bin/python || $(PYTHON) -m venv .venv-zoo
	grep -E '^(torch|stable-baselines3|sb3-contrib|gymnasium|numpy)==' constraints.txt > .venv-zoo/constraints.txt
	.venv-zoo/bin/python -m pip install $(PIP_ARGS) $(TORCH)
	.venv-zoo/bin/python -m pip install $(PIP_ARGS) -c .venv-zoo/constraints.txt 'rl_zoo3==2.9.2'
	touch $@

.venv-bench/installed: pyproject.toml constraints.txt
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	grep -v '^pandas==' constraints.txt > .venv-bench/constraints.txt
	.venv-bench/bin/python -m pip install $(PIP_ARGS) -c .venv-bench/constraints.txt -e . pytest hypothesis 'rliable==1.2.0' 'arch==7.2.0' 'pandas<3'
	.venv-bench/bin/python -m pip install $(PIP_ARGS) --no-deps 'id-marl-eval==0.0.4' 'colorama==0.4.6' 'colorcet==3.2.1'
	touch $@

# A minute of coverage-guided fuzzing for each sample of the importers; FUZZ_SECONDS=600 goes deeper.
FUZZ_SECONDS ?= 60
fuzz: .venv-fuzz/installed
	.venv-fuzz/bin/python tests/fuzz_samples.py | while read -r sample; do \
		.venv-fuzz/bin/python tests/fuzz_atheris.py "$$sample" -max_total_time=$(FUZZ_SECONDS) -verbosity=0 || exit 1; \
	done

.venv-fuzz/installed: pyproject.toml constraints.txt
	test -x .venv-fuzz/bin/python || $(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/python -m pip install $(PIP_ARGS) -c constraints.txt -e . 'atheris==3.0.0'
	touch $@

setup: .venv/installed

# The stamp makes the setup run once, and again when what is wanted changes.
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("rlaudit needs Python 3.11 or newer, found " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install $(PIP_ARGS) $(TORCH)
	$(BIN)/python -m pip install $(PIP_ARGS) -c constraints.txt -e '.[all]'
	touch $@
