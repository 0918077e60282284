"""How fast the statistics are, as ratios against peers on the same work in the same process.

`make bench` sets up an environment in which rliable imports, runs this (about five minutes) and writes table.md beside
it. For each work the results of both are compared before any time is taken. Ours is the median of several runs, the
peer's one run; one thread each, numbers of resamples as said.
"""

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from scipy import stats

from rlaudit import splits
from rlaudit.aggregate import aggregate_tasks
from rlaudit.comparisons import COMPARISONS
from rlaudit.types import ArmScores, Comparison, Floats, ScoreTable

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("table.md")


@dataclass(frozen=True)
class Work:
    """The same work twice; `agree` raises where the results differ."""

    name: str
    peer: str
    wanted: float  # ratio to reach
    ours: Callable[[], object]
    theirs: Callable[[], object]
    agree: Callable[[object, object], None]
    repeats: int = 5  # of ours


def timed(function: Callable[[], object]) -> tuple[float, object]:
    """Seconds, and what it returned."""
    start = perf_counter()
    result = function()
    return perf_counter() - start, result


def row(work: Work) -> str:
    """One line of the table, after both have been found to agree."""
    _, ours = timed(work.ours)  # the first run fills caches, as the second audit of a day would find them
    their_seconds, theirs = timed(work.theirs)
    work.agree(ours, theirs)
    seconds = median(timed(work.ours)[0] for _ in range(work.repeats))
    ratio = their_seconds / seconds
    return (
        f"| {work.name} | {work.peer} | {shown(their_seconds)} | {shown(seconds)} | {ratio:,.0f} x | "
        f"{work.wanted:,.0f} x |"
    )


def shown(seconds: float) -> str:
    """Three digits with a unit that people read."""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    return f"{seconds:.3g} s"


def run(name: str, a: Floats, b: Floats) -> Comparison:
    """One test of the registry without its interval, with 1,000 resamples where it resamples."""
    rng = np.random.default_rng(0)
    return COMPARISONS[name](a, b, alpha=0.05, rng=rng, n_resamples=1_000, interval=False)


# ---------------------------------------------------------------- the work


def iqm_interval(n_runs: int, n_tasks: int, wanted: float) -> Work:
    """The percentile interval of the IQM over tasks, 50,000 resamples."""
    from rliable import library, metrics

    x = np.random.default_rng(0).normal(1, 0.5, (n_runs, n_tasks))
    arms = [ArmScores("a", f"task {i}", tuple(range(n_runs)), x[:, i]) for i in range(n_tasks)]
    table = ScoreTable("score", tuple(arms))

    def ours() -> Floats:
        rng = np.random.default_rng(0)
        (found,) = aggregate_tasks(table, statistics=("iqm",), method="percentile", n_resamples=50_000, rng=rng)
        return np.array([found.value, found.low, found.high])

    def theirs() -> Floats:
        def iqm(scores: Floats) -> Floats:
            return np.array([metrics.aggregate_iqm(scores)])

        value, ends = library.get_interval_estimates({"a": x}, iqm, reps=50_000)
        return np.array([*value["a"], *ends["a"].ravel()])

    def agree(one: Floats, other: Floats) -> None:
        """The value to rounding; each end within 4 % of the width (its standard error is 0.5 %)."""
        np.testing.assert_allclose(one[0], other[0], rtol=1e-12)
        np.testing.assert_allclose(one[1:], other[1:], atol=0.04 * (other[2] - other[1]))

    name = f"IQM percentile interval, 50,000 resamples, {n_runs} runs x {n_tasks} tasks"
    return Work(name, "rliable", wanted, ours, theirs, agree, repeats=11)


def welch_tests() -> Work:
    """All 92,378 Welch tests of a 20-seed pool."""
    pool = np.random.default_rng(0).normal(300, 100, 20)
    groups = pool[splits.every_split(20, 10).reshape(-1, 2, 10)]

    def ours() -> Floats:
        return run("welch", groups[:, 0], groups[:, 1]).p_value

    def theirs() -> Floats:
        return np.array([stats.ttest_ind(a, b, equal_var=False).pvalue for a, b in groups])

    return Work(
        f"all {len(groups):,} Welch tests of a 20-seed pool",
        "loop over scipy.stats.ttest_ind",
        1_500,
        ours,
        theirs,
        lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-9),
    )


def three_tests(n_splits: int = 10_000) -> Work:
    """Splits 5v5 of a 193-seed pool by Welch, percentile bootstrap (1,000 resamples) and exact permutation."""
    rng = np.random.default_rng(0)
    pool = rng.normal(10_000, 1_500, 193)
    a, b = pool[splits.draw(193, 10, n_splits, rng)].reshape(-1, 2, 5).swapaxes(0, 1)

    def ours() -> Floats:
        return np.array([run(name, a, b).p_value for name in ("welch", "bootstrap_percentile", "permutation")])

    def theirs() -> Floats:
        return np.array([_scipy_three(x, y, rng) for x, y in zip(a, b, strict=True)]).T

    return Work(
        f"{n_splits:,} splits 5v5 of a 193-seed pool: Welch, percentile bootstrap (1,000), exact permutation",
        "loop over scipy",
        250,
        ours,
        theirs,
        _three_agree,
    )


def _gap(x: Floats, y: Floats, axis: int = -1) -> Floats:
    difference: Floats = x.mean(axis=axis) - y.mean(axis=axis)
    return difference


def _scipy_three(x: Floats, y: Floats, rng: np.random.Generator) -> tuple[float, float, float]:
    resampled = stats.bootstrap(
        (x, y), _gap, n_resamples=1_000, method="percentile", vectorized=True, rng=rng
    ).bootstrap_distribution
    tail = min((resampled <= 0).mean(), (resampled >= 0).mean())
    exact = stats.permutation_test((x, y), _gap, n_resamples=np.inf, vectorized=True)
    return stats.ttest_ind(x, y, equal_var=False).pvalue, min(1, 2 * tail), exact.pvalue


def _three_agree(ours: Floats, theirs: Floats) -> None:
    """Formulas to rounding; simulated p-values within five standard errors of 1,000 resamples (the tails of a p)."""
    np.testing.assert_allclose(ours[[0, 2]], theirs[[0, 2]], rtol=1e-9)
    tail = np.clip(ours[1] / 2, 0.002, 0.5)
    assert (np.abs(ours[1] - theirs[1]) <= 2 * 5 * np.sqrt(2 * tail * (1 - tail) / 1_000)).all()
    assert abs((ours[1] - theirs[1]).mean()) < 0.002


def one_permutation_test(n: int = 10) -> Work:
    """One exact permutation test."""
    a, b = np.random.default_rng(0).normal([[1.0], [0.0]], 1, (2, n))
    return Work(
        f"one exact permutation test {n}v{n}",
        "scipy.stats.permutation_test",
        5_000,
        lambda: float(run("permutation", a, b).p_value),
        lambda: float(stats.permutation_test((a, b), _gap, n_resamples=np.inf, vectorized=True).pvalue),
        lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-9),
        repeats=101,
    )


def large_permutation_test() -> str:
    """20v20 exactly: 137,846,528,820 arrangements, which no peer lists."""
    a, b = np.random.default_rng(0).normal([[1.0], [0.0]], 1, (2, 20))
    seconds = median(timed(lambda: run("permutation", a, b))[0] for _ in range(5))
    return f"| one exact permutation test 20v20 | - | - | {shown(seconds)} | - | under 1 s |"


# ---------------------------------------------------------------- whole commands


def quickstart_audit() -> str:
    """The audit of the stored quickstart runs, as a process of its own: seconds on the wall, and peak memory."""
    with TemporaryDirectory() as out:
        command = [sys.executable, "-m", "rlaudit", "audit", "results/quickstart", "--out", out, "--quiet"]
        seconds, megabytes = min(_process(command) for _ in range(3))
    return (
        f"| full quickstart audit from stored runs | - | - | {shown(seconds)}, {megabytes:.0f} MB | - | 10 s, 600 MB |"
    )


def the_help() -> str:
    """`rlaudit --help` as a process of its own beside an interpreter that imports the command line's library."""
    command, peer = [sys.executable, "-m", "rlaudit", "--help"], [sys.executable, "-c", "import click"]
    ours, theirs = (min(_cpu_seconds(one) for _ in range(9)) for one in (command, peer))
    return f"| rlaudit --help, CPU | python -c 'import click' | {shown(theirs)} | {shown(ours)} | - | 100 ms |"


def large_audit() -> str:
    """A table of 3,000 scores: 600 comparisons, leaderboards over 60 tasks, everything that the report shows."""
    rng = np.random.default_rng(0)
    with TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        rows = [
            f"agent{agent},task{task},{seed},{rng.normal(100 + 5 * agent, 15)!r}"
            for task in range(60) for agent in range(5) for seed in range(10)
        ]  # fmt: skip
        table.write_text("\n".join(["agent,task,seed,score", *rows]))
        seconds, megabytes = _process(
            [sys.executable, "-m", "rlaudit", "audit", str(table), "--out", folder, "--quiet"]
        )
    return f"| audit of 5 agents x 60 tasks x 10 seeds | - | - | {shown(seconds)}, {megabytes:.0f} MB | - | 60 s |"


def large_import() -> str:
    """A tidy CSV of 3,000,000 rows into a results folder of 10,000 runs."""
    rng = np.random.default_rng(0)
    with TemporaryDirectory() as folder:
        table = Path(folder) / "curves.csv"
        with table.open("w") as file:
            file.write("agent,task,seed,step,value\n")
            for agent, task, seed in product(range(5), range(10), range(200)):
                values = enumerate(rng.normal(100, 15, 300).tolist(), 1)
                file.writelines(f"agent{agent},task{task},{seed},{1000 * i},{value!r}\n" for i, value in values)
        command = [sys.executable, "-m", "rlaudit", "import", str(table), "--out", f"{folder}/runs", "--quiet"]
        seconds, megabytes = _process(command)
    return (
        f"| import of 10,000 runs x 300 points (CSV, 124 MB) | - | - | {shown(seconds)}, {megabytes:.0f} MB | - | "
        "60 s, 1,000 MB |"
    )


def _cpu_seconds(command: list[str]) -> float:
    before = os.times()
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _process(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak megabytes."""
    start = perf_counter()
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return perf_counter() - start, used.ru_maxrss / 1024


def main() -> None:
    """Writes the table."""
    works = (iqm_interval(5, 26, 60), iqm_interval(10, 60, 25), three_tests(), one_permutation_test(), welch_tests())
    head = "| work | peer | peer takes | rlaudit takes | ratio | wanted |\n|---|---|---|---|---|---|"
    lines = [
        head,
        *(row(work) for work in works),
        large_permutation_test(),
        the_help(),
        quickstart_audit(),
        large_audit(),
        large_import(),
    ]
    versions = ", ".join(f"{name} {version(name)}" for name in ("rlaudit", "numpy", "scipy", "rliable", "arch"))
    lines.append(
        f"\nPython {platform.python_version()}, {versions}; {platform.machine()}, {os.cpu_count()} cores, one thread."
    )
    TABLE.write_text("\n".join(lines) + "\n")
    sys.stdout.write(TABLE.read_text())


if __name__ == "__main__":
    main()
