"""The pytest plugin, used by tests of its own; and the statistics behind assert_no_regression."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from rlaudit import pytest_plugin
from rlaudit.comparisons import COMPARISONS
from rlaudit.errors import NotEnoughSeeds, RlauditError
from rlaudit.regression import _interval, judge
from rlaudit.scores import from_mapping
from rlaudit.types import ArmScores, Floats, ScoreTable

GOOD = np.array([100.0, 104, 96, 108, 92, 101, 99, 103, 97, 100])  # mean 100, sd 4.5


def _arm(scores: Floats, failed: int = 0, agent: str = "ppo") -> ArmScores:
    labels = tuple(range(len(scores) + failed))
    return ArmScores(agent, "", labels[: len(scores)], scores, labels[len(scores) :])


# ---------------------------------------------------------------- the answer


def test_a_loss_that_is_shown_to_be_below_the_margin_is_ok() -> None:
    assert "ok" == judge(GOOD - 1, GOOD, 10).answer


def test_a_loss_that_is_shown_to_exceed_the_margin_is_a_regression() -> None:
    assert "regression" == judge(GOOD - 20, GOOD, 10).answer


def test_anything_else_is_inconclusive() -> None:
    assert "inconclusive" == judge(GOOD - 10, GOOD, 10).answer
    assert "inconclusive" == judge(GOOD, GOOD, 1).answer


def test_a_loss_within_the_margin_is_ok_even_if_it_is_significant() -> None:
    judgement = judge(GOOD - 6, GOOD, 20)
    assert judgement.high < 0
    assert "ok" == judgement.answer


def test_the_interval_is_welchs_at_one_minus_twice_alpha() -> None:
    from scipy import stats

    other = 1.7 * GOOD[:6] - 70
    expected = stats.ttest_ind(other, GOOD, equal_var=False).confidence_interval(0.9)
    judgement = judge(other, GOOD, 10)
    np.testing.assert_allclose([expected.low, expected.high], [judgement.low, judgement.high])


def test_lower_may_be_better() -> None:
    assert "ok" == judge(GOOD - 20, GOOD, 10, higher_is_better=False).answer
    regression = judge(GOOD + 20, GOOD, 10, higher_is_better=False)
    assert "regression" == regression.answer
    assert regression.low < 20 < regression.high
    assert "lower is better" in regression.message


def test_the_direction_is_that_of_the_tables() -> None:
    def table(scores: Floats) -> ScoreTable:
        return from_mapping({"ppo": scores}, higher_is_better=False)

    assert "regression" == judge(table(GOOD + 20), table(GOOD), 10).answer
    with pytest.raises(RlauditError, match="disagree about higher_is_better"):
        judge(table(GOOD), table(GOOD), 10, higher_is_better=True)


def test_the_message_has_effect_interval_margin_and_seeds() -> None:
    expected = "regression: new - baseline = -20.00, 90% CI [-23.47, -16.53], margin 10, n = 10 v 10"
    assert expected == judge(GOOD - 20, GOOD, 10).message


def test_the_message_names_the_agents_where_they_differ() -> None:
    assert "ok: ppo-2 - ppo = 0," in judge(_arm(GOOD, agent="ppo-2"), _arm(GOOD), 10).message


def test_an_inconclusive_message_says_how_many_seeds_would_decide() -> None:
    judgement = judge(GOOD, GOOD, 2)
    assert f"About {judgement.seeds_needed} seeds an agent would decide it if the two are equal" in judgement.message


def test_the_seeds_asked_for_decide_in_four_of_five_cases() -> None:
    n = judge(GOOD, GOOD, 4).seeds_needed
    assert n is not None
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, GOOD.std(ddof=1), (2, 20_000, n))
    decided = (COMPARISONS["welch"](a, b, alpha=0.1, rng=rng, n_resamples=1).low > -4).mean()
    assert 0.79 < decided < 0.87  # n is a whole number, so a little above .8


def test_enough_seeds_and_no_answer_means_that_the_loss_is_near_the_margin() -> None:
    assert "the difference seems close to the margin" in judge(GOOD - 10, GOOD, 10).message


def test_a_margin_far_below_the_spread_is_called_hopeless() -> None:
    assert "No affordable number of seeds" in judge(GOOD, GOOD, 1e-3).message


# ---------------------------------------------------------------- failed seeds


def test_failed_seeds_are_counted_in_the_message() -> None:
    assert "n = 10 v 10, failed seeds 0 v 1" in judge(_arm(GOOD), _arm(GOOD, 1), 20).message


def test_an_answer_that_hangs_on_failed_seeds_is_inconclusive() -> None:
    judgement = judge(_arm(GOOD, 200), _arm(GOOD), 4)
    assert "inconclusive" == judgement.answer
    assert "ok without the failed seeds, regression if they count as the worst score seen" in judgement.message


def test_an_answer_that_stands_in_spite_of_failed_seeds_is_given() -> None:
    assert "ok" == judge(_arm(GOOD, 1), _arm(GOOD), 10).answer
    assert "regression" == judge(_arm(GOOD - 20, 1), _arm(GOOD), 10).answer


def test_where_lower_is_better_the_worst_score_is_the_highest() -> None:
    judgement = judge(_arm(GOOD, 200), _arm(GOOD), 4, higher_is_better=False)
    assert "ok without the failed seeds, regression if they count" in judgement.message


# ---------------------------------------------------------------- constants, and what is refused


@pytest.mark.parametrize(("n", "answer"), [(2, "inconclusive"), (3, "inconclusive"), (4, "ok")])
def test_equal_constants_decide_once_a_permutation_test_could(n: int, answer: str) -> None:
    assert answer == judge(np.full(n, 500.0), np.full(n, 500.0), 10).answer


@pytest.mark.parametrize(
    ("new", "margin", "alpha", "fragment"),
    [
        (GOOD, 0, 0.05, "margin = 0: name the loss that you can live with"),
        (GOOD, -3, 0.05, "margin = -3"),
        (GOOD, float("nan"), 0.05, "margin = nan"),
        (GOOD, 1, 0.5, "alpha = 0.5: give a level above 0 and below 0.5"),
        ([1.0, float("nan")], 1, 0.05, r"scores\['new'\]\[1\].* found nan, expected a finite number"),
        ([[1.0, 2.0], [3.0, 4.0]], 1, 0.05, "more than one axis"),
        (from_mapping({"a": GOOD, "b": GOOD}), 1, 0.05, r"new holds several agents or tasks: \('a', ''\), \('b', ''\)"),
    ],
)
def test_what_cannot_be_judged_is_refused(new: object, margin: float, alpha: float, fragment: str) -> None:
    with pytest.raises(RlauditError, match=fragment):
        judge(new, GOOD, margin, alpha=alpha)


@pytest.mark.parametrize("few", [[1.0], _arm(np.array([1.0]), 3), _arm(np.array([]), 3)])
def test_one_seed_is_not_enough(few: object) -> None:
    with pytest.raises(NotEnoughSeeds, match="new"):
        judge(few, GOOD, 1)


# ---------------------------------------------------------------- calibration


def _normal(rng: np.random.Generator, sd: float, n: int) -> Floats:
    return rng.normal(0, sd, (20_000, n))


def _log_normal(rng: np.random.Generator, sd: float, n: int) -> Floats:
    return sd * (rng.lognormal(0, 0.5, (20_000, n)) - np.exp(0.125))


@pytest.mark.parametrize(
    ("draw", "sd", "n", "at_most"),
    [  # a standard error is .0015; the bounds for skewed seeds of unequal spread are those of the module's docstring
        (_normal, (1, 1), (5, 5), 0.055),
        (_normal, (1, 3), (10, 10), 0.055),
        (_normal, (3, 1), (5, 15), 0.059),
        (_normal, (1, 3), (20, 20), 0.055),
        (_log_normal, (1, 1), (5, 5), 0.055),
        (_log_normal, (1, 1), (20, 20), 0.055),
        (_log_normal, (1, 3), (20, 20), 0.095),
        (_log_normal, (3, 1), (20, 20), 0.095),
    ],
)
def test_a_loss_of_exactly_the_margin_is_rarely_called_ok_or_a_regression(
    draw: Callable[..., Floats], sd: tuple[float, float], n: tuple[int, int], at_most: float
) -> None:
    rng = np.random.default_rng(7)
    a, b = (draw(rng, *one) for one in zip(sd, n, strict=True))
    found = COMPARISONS["welch"](a - 2, b, alpha=0.1, rng=rng, n_resamples=1)
    assert (found.low > -2).mean() < at_most
    assert (found.high < -2).mean() < at_most
    assert (float(found.low[0]), float(found.high[0])) == _interval(a[0] - 2, b[0], 0.05)


# ---------------------------------------------------------------- as a plugin

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
    result.stdout.fnmatch_lines(["regression: new - baseline = -20.00, 90% CI [[]-23.47, -16.53], margin 10, n = 10 v 10"])
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
            "a is better: a - b = 50.0, 95% CI [[]45.*, 54.*]*test_three)",
            "ok: new - baseline = 0, *margin 10*::test_one)",
            "ok: new - baseline = 0, *margin 11*::test_two)",
            "regression: new - baseline = -20.00, *margin 12*::test_two)",
        ]
    )


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
from rlaudit import executors, pipeline
from rlaudit.types import RunRecord

JOURNAL = Path(__file__).parent / "journal"

def run_local(specs, **how):
    for spec in specs:
        with JOURNAL.open("a") as journal:
            journal.write(spec.run_id + "\\n")
        time.sleep(0.05)
        yield RunRecord(spec, "done", final_returns=np.array([float(spec.seeds.init % 100)]))

@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setattr(executors, "run_local", run_local)
    monkeypatch.setattr(pipeline, "check", lambda specs, source: None)
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
