"""What every test gets: one thread per library, as in training, and no window."""

import os

pytest_plugins = ["pytester"]

os.environ.setdefault("MPLBACKEND", "Agg")
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # two busy cores with two threads each are 7 to 20 times slower
