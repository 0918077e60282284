"""The pytest plugin, used by tests of its own."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from rlaudit import pytest_plugin

GOOD = np.array([100.0, 104, 96, 108, 92, 101, 99, 103, 97, 100])  # mean 100, sd 4.5

HEADER = """
import numpy as np
GOOD = np.array([100.0, 104, 96, 108, 92, 101, 99, 103, 97, 100])
"""


def _passed(pytester: pytest.Pytester, source: str, *options: str, **outcomes: int) -> pytest.RunResult:
    pytester.makepyfile(HEADER + source)
    result = pytester.runpytest_subprocess("-p", "no:randomly", *options)
    result.assert_outcomes(**outcomes)
    return result


def test_a_regression_fails_with_one_line_and_no_traceback(pytester: pytest.Pytester) -> None:
    test = "def test_it(assert_no_regression): assert_no_regression(GOOD - 20, GOOD, margin=10)"
    result = _passed(pytester, test, failed=1)
    result.stdout.fnmatch_lines(
        ["regression: new - baseline = -20.00, 90% CI [[]-23.47, -16.53], margin 10, n = 10 v 10"]
    )
    result.stdout.no_fnmatch_line("*Error*")
    result.stdout.no_fnmatch_line("*test_*.py:*def*")


@pytest.mark.parametrize(("inconclusive", "outcome"), [("fail", "failed"), ("skip", "skipped"), ("pass", "passed")])
def test_the_user_says_what_becomes_of_an_inconclusive_comparison(
    pytester: pytest.Pytester, inconclusive: str, outcome: str
) -> None:
    call = f"assert_no_regression(GOOD, GOOD, margin=1, inconclusive={inconclusive!r})"
    _passed(pytester, f"def test_it(assert_no_regression): {call}", **{outcome: 1})


def test_inconclusive_fails_by_default() -> None:
    with pytest.raises(pytest.fail.Exception, match="inconclusive: new - baseline = 0"):
        pytest_plugin.assert_no_regression(GOOD, GOOD, margin=1)


def test_bad_scores_and_bad_options_fail_the_test_with_a_sentence() -> None:
    with pytest.raises(pytest.fail.Exception, match="one seed only"):
        pytest_plugin.assert_no_regression([1.0], GOOD, margin=1)
    with pytest.raises(pytest.fail.Exception, match="Did you mean 'skip'"):
        pytest_plugin.assert_no_regression(GOOD, GOOD, margin=1, inconclusive="skipp")


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_every_comparison_has_a_row_in_the_summary(pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
    source = """
def test_one(assert_no_regression): assert_no_regression(GOOD, GOOD, margin=10)
def test_two(assert_no_regression):
    assert_no_regression(GOOD, GOOD, margin=11)
    assert_no_regression(GOOD - 20, GOOD, margin=12)
def test_three(seed_audit): seed_audit({"a": GOOD, "b": GOOD - 50}, splits=100, tests=["welch"], group_sizes=[2])
"""
    result = _passed(pytester, source, *options, passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*= rlaudit =*",
            "ok: new - baseline = 0, *margin 10*::test_one)",
            "a is better: a - b = 50.0, 95% CI [[]45.*, 54.*]*test_three)",
            "ok: new - baseline = 0, *margin 11*::test_two)",
            "regression: new - baseline = -20.00, *margin 12*::test_two)",
        ]
    )


def test_what_an_audit_finds_wrong_stands_in_the_summary(pytester: pytest.Pytester) -> None:
    source = """
def test_it(seed_audit):
    audit = seed_audit({"a": [1, 2, 3], "b": [2, 4, 7]}, splits=100, tests=["welch"], group_sizes=[2])
    assert audit.findings[0].level == "unsafe"
"""
    result = _passed(pytester, source, passed=1)
    result.stdout.fnmatch_lines(
        [
            "undecided: a - b = -2.33, *::test_it)",
            "unsafe: 3 against 3 seeds cannot show a difference*::test_it)",
            "unsafe: Undecided: a against b*::test_it)",
            "warn: *::test_it)",
        ],
        consecutive=True,
    )


def test_the_rows_of_a_test_keep_the_order_of_its_findings(pytester: pytest.Pytester) -> None:
    source = """
def test_it(record_property):
    for finding in ("unsafe: the worst", "unsafe: a bad one", "warn: another"):
        record_property("rlaudit", finding)
"""
    result = _passed(pytester, source, passed=1)
    result.stdout.fnmatch_lines(["unsafe: the worst*", "unsafe: a bad one*", "warn: another*"], consecutive=True)


def test_that_nothing_is_wrong_stands_in_the_summary_too(pytester: pytest.Pytester) -> None:
    source = """
def test_it(seed_audit):
    steady = [100 + i / 100 for i in range(40)]
    seed_audit({"a": steady, "b": [score - 50 for score in steady]}, splits=200, tests=["welch"], group_sizes=[5])
"""
    result = _passed(pytester, source, passed=1)
    result.stdout.fnmatch_lines(["ok: Nothing that was looked at is wrong.*::test_it)"])


def test_a_session_without_comparisons_has_no_summary(pytester: pytest.Pytester) -> None:
    result = _passed(pytester, "def test_it(): pass", passed=1)
    result.stdout.no_fnmatch_line("*= rlaudit =*")


def test_seed_audit_reads_a_table_and_fails_with_a_sentence_where_it_is_bad(pytester: pytest.Pytester) -> None:
    pytester.makefile(".csv", good="agent,seed,score\n" + "".join(f"a,{i},{i * i}\n" for i in range(8)))
    pytester.makefile(".csv", bad="agent,seed,score\na,1,oops\n")
    source = """
def test_good(seed_audit): assert seed_audit("good.csv", tests=["welch"]).arms[0].n_seeds == 8
def test_bad(seed_audit): seed_audit("bad.csv")
"""
    result = _passed(pytester, source, passed=1, failed=1)
    result.stdout.fnmatch_lines(["bad.csv:2: column 'score': found 'oops', expected a finite number"])


# ---------------------------------------------------------------- seed_runs

# A trainer that takes no time, and a journal of what it trained.
FAKE = """
import numpy as np, pytest, time
from pathlib import Path
from rlaudit import executors, training
from rlaudit.types import RunRecord

JOURNAL = Path(__file__).parent / "journal"

def run_local(specs, **how):
    for spec in filter(how["claim"], specs):
        with JOURNAL.open("a") as journal:
            journal.write(spec.run_id + "\\n")
        time.sleep(0.05)
        yield RunRecord(spec, "done", final_returns=np.array([float(spec.seeds.init % 100)]))

@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setitem(executors.EXECUTORS, "local", run_local)
    monkeypatch.setattr(training, "check", lambda *_: None)
"""
CONFIG = """
name: tiny
task: CartPole-v1
agents:
  a: {algo: PPO, timesteps: 100}
  b: {algo: A2C, timesteps: 100}
seeds: 3
"""


@pytest.fixture
def fake(pytester: pytest.Pytester) -> Callable[[], list[str]]:
    """A config `tiny.yaml`, and a function that lists the runs that were trained."""
    pytester.makeconftest(FAKE)
    pytester.makefile(".yaml", tiny=CONFIG)
    journal = pytester.path / "journal"
    return lambda: journal.read_text().split() if journal.exists() else []


def test_runs_are_trained_once_and_kept_for_the_next_session(
    pytester: pytest.Pytester, fake: Callable[[], list[str]]
) -> None:
    source = 'def test_it(seed_runs): assert len(seed_runs("tiny.yaml").arm("a", "CartPole-v1").scores) == 3'
    _passed(pytester, source, passed=1)
    _passed(pytester, source, passed=1)
    assert 6 == len(fake())


def test_parallel_tests_that_share_seeds_train_none_twice(
    pytester: pytest.Pytester, fake: Callable[[], list[str]]
) -> None:
    source = """
import pytest
@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_it(seed_runs, n): assert len(seed_runs("tiny.yaml", seeds=str(n)).arms[0].scores) == n
"""
    _passed(pytester, source, "-n", "2", passed=4)
    assert 12 == len(fake()) == len(set(fake()))


def test_a_change_of_the_code_under_test_trains_anew(pytester: pytest.Pytester, fake: Callable[[], list[str]]) -> None:
    code = pytester.mkpydir("agent")
    source = """
def test_it(seed_runs):
    import agent
    of_module, of_folder = seed_runs("tiny.yaml", code=[agent]), seed_runs("tiny.yaml", code=["agent"])
    assert of_module.arms[0].scores.tolist() == of_folder.arms[0].scores.tolist()
"""
    _passed(pytester, source, passed=1)
    assert 6 == len(fake())
    (code / "__pycache__").mkdir(exist_ok=True)
    (code / "__pycache__" / "x.pyc").write_text("no code")
    _passed(pytester, source, passed=1)
    assert 6 == len(fake())
    (code / "new.py").write_text("x = 1")
    _passed(pytester, source, passed=1)
    assert 12 == len(fake())


def test_a_config_may_be_a_mapping_and_the_cache_may_be_named(
    pytester: pytest.Pytester, fake: Callable[[], list[str]]
) -> None:
    source = """
CONFIG = {"name": "m", "task": "CartPole-v1", "agents": {"a": {"algo": "PPO", "timesteps": 9}}, "seeds": 2}
def test_it(seed_runs): assert seed_runs(CONFIG).metric == "final"
"""
    _passed(pytester, source, "--rlaudit-cache", "kept", passed=1)
    assert (pytester.path / "kept" / "m" / "runs").is_dir()
    assert not (pytester.path / ".pytest_cache" / "d" / "rlaudit").exists()


def test_the_ini_file_may_name_the_cache(pytester: pytest.Pytester, fake: Callable[[], list[str]]) -> None:
    pytester.makeini("[pytest]\nrlaudit_cache = kept")
    _passed(pytester, 'def test_it(seed_runs): seed_runs("tiny.yaml")', "-p", "no:cacheprovider", passed=1)
    assert (pytester.path / "kept" / "tiny" / "runs").is_dir()


def test_a_bad_config_fails_with_its_line(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", tiny=CONFIG.replace("seeds: 3", "seedz: 3"))
    result = _passed(pytester, 'def test_it(seed_runs): seed_runs("tiny.yaml")', failed=1)
    result.stdout.fnmatch_lines(["*tiny.yaml:*seedz*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_code_that_is_not_there_is_an_error(pytester: pytest.Pytester, fake: Callable[[], list[str]]) -> None:
    result = _passed(pytester, 'def test_it(seed_runs): seed_runs("tiny.yaml", code=["nowhere"])', failed=1)
    result.stdout.fnmatch_lines(["code: there is no nowhere. Give files, folders or modules under test."])


@pytest.mark.slow
def test_real_agents_are_trained_and_cached(pytester: pytest.Pytester) -> None:
    pytest.importorskip("stable_baselines3")
    source = """
CONFIG = {"name": "real", "task": "CartPole-v1", "seeds": 2, "evaluation": {"episodes": 2},
          "agents": {"a": {"algo": "A2C", "timesteps": 50}}}
def test_it(seed_runs):
    first = seed_runs(CONFIG)
    assert first.arms[0].failed == () and first.arms[0].scores.tolist() == seed_runs(CONFIG).arms[0].scores.tolist()
"""
    _passed(pytester, source, passed=1)


# ---------------------------------------------------------------- import cost


def test_the_plugin_imports_nothing_heavy() -> None:
    """.002 s measured beyond pytest itself; the bound is loose because machines are shared."""
    code = """
import sys, time, pytest
start = time.process_time()
import rlaudit.pytest_plugin
assert time.process_time() - start < 0.1, time.process_time() - start
heavy = {"numpy", "scipy", "torch", "pandas", "matplotlib", "stable_baselines3", "gymnasium", "pydantic", "click"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
