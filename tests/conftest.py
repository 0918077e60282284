"""What every test gets: one thread per library, as in training, and no window."""

import os
import signal

pytest_plugins = ["pytester"]

os.environ.setdefault("MPLBACKEND", "Agg")
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # two busy cores with two threads each are 7 to 20 times slower


def pytest_configure() -> None:
    """A shell that starts the tests in the background ignores Ctrl-C for all their children; some are sent it here."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
