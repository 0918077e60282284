"""`experiment: initializers`, from its config to its report."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from initializers_builder import alike, audited, config
from scipy import stats

from rlaudit import pipeline
from rlaudit.config import load_config
from rlaudit.config_values import SCHEMES
from rlaudit.errors import ConfigError, NotEnoughSeeds
from rlaudit.experiments.initializers import analyze, plan
from rlaudit.initial_weights import Candidate, Layout, adjusted_p_values, compare_initializers
from rlaudit.plan import plan as every_run
from rlaudit.report import render, sections
from rlaudit.report.laboratory import PAGES
from rlaudit.results import Audit, Initializers, from_json, to_json
from rlaudit.results.initializers import Start
from rlaudit.types import ArmScores, Finding, Level

FEW: dict[str, Any] = {"initializers": {"schemes": ["orthogonal", "unit_normal", "zeros"]}}


def only(audit: Audit) -> Initializers:
    (one,) = audit.initializers
    return one


def start(audit: Audit, label: str) -> Start:
    return next(one for one in only(audit).starts if one.label == label)


def finding(audit: Audit, words: str) -> Finding:
    return next(one for one in audit.findings if words in one.title)


def layout(pools: dict[tuple[str, float], np.ndarray]) -> Layout:
    candidates = tuple(
        Candidate(ArmScores(f"{scheme} x {gain}", "task", tuple(range(len(scores))), scores), scheme, gain)
        for (scheme, gain), scores in pools.items()
    )
    return Layout("ppo", "task", 100, candidates)


def compared(pools: dict[tuple[str, float], np.ndarray], higher_is_better: bool = True) -> Initializers:
    (one,) = compare_initializers([layout(pools)], alpha=0.05, seed=0, higher_is_better=higher_is_better)
    return one


# ---------------------------------------------------------------- plan


def test_every_scheme_meets_every_last_gain_and_every_seed() -> None:
    specs = plan(config())
    assert (2 * 11 + 1) * 10 == len(specs) == len({spec.run_id for spec in specs})
    assert {"scheme": "he_normal", "last_gain": 0.01} in [spec.initializer for spec in specs]


def test_zeros_are_zeros_whatever_the_last_gain_and_are_trained_once() -> None:
    specs = plan(config(initializers={"schemes": ["zeros"], "last_gains": [0.01, 0.1, 1]}))
    assert [{"scheme": "zeros"}] * 10 == [spec.initializer for spec in specs]


def test_a_run_is_that_of_an_ordinary_config_with_this_initializer() -> None:
    agent = {"algo": "PPO", "timesteps": 20480, "initializer": {"scheme": "he_normal", "last_gain": 1}}
    expected = {spec.run_id for spec in every_run(config(experiment="audit", agents={"mine": agent}))}
    assert expected == {spec.run_id for spec in plan(config()) if spec.agent == "he_normal x 1"}


def test_several_agents_stand_in_front() -> None:
    agents = {name: {"algo": name.upper(), "timesteps": 100} for name in ("ppo", "a2c")}
    labels = {spec.agent for spec in plan(config(agents=agents, **FEW))}
    assert {"ppo, orthogonal x 0.01", "a2c, zeros"} <= labels
    assert len(labels) == 10


# ---------------------------------------------------------------- config


BASE = """
name: x
experiment: initializers
task: CartPole-v1
agents:
  ppo: {algo: PPO, timesteps: 100}
seeds: 2
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BASE + "initializers: {schemes: [he_norml]}", "Did you mean 'he_normal'? (rlaudit list initializers)"),
        (BASE + "initializers: {schemes: [zeros, zeros]}", "names one of them twice"),
        (BASE + "initializers: {schemes: []}", "is empty"),
        (BASE + "initializers: {last_gains: [1, -1]}", "must be at least 0"),
        (BASE + "initializers: {last_gains: [1, 1.0]}", "names one of them twice"),
        (BASE + "initializers: {last_gain: [1]}", "Did you mean 'last_gains'?"),
        (BASE + "audit: {claims: [ppo > ppo]}", "judge them in an audit"),
        (BASE.replace("timesteps: 100", "timesteps: 100, initializer: zeros"), "say it in `initializers`"),
        (BASE.replace("algo: PPO", "train: 'm:f'"), "only weights of backend sb3"),
        (BASE.replace("PPO", "ARS"), "ARS starts from weights of its own"),
        (BASE.replace("100", "100, params: {gama: 1}"), "Did you mean 'gamma'?"),
        (BASE.replace("100", "100, policy_kwargs: {ortho_init: true}"), "leave one of them out"),
    ],
)
def test_what_does_not_go_together_is_refused_once_and_at_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        pipeline.audit_target(path, out=tmp_path / "out")
    assert words in str(caught.value)
    assert str(caught.value).count(words) == 1
    assert f"{path}:" in str(caught.value)


def test_the_shipped_config_tries_every_scheme() -> None:
    loaded, _ = load_config(Path(__file__).parents[1] / "configs" / "initializers.yaml")
    assert loaded.initializers.schemes == SCHEMES
    assert len(plan(loaded)) == 230
    assert loaded.score == "auc"


# ---------------------------------------------------------------- order and clusters


def test_what_differs_is_told_apart_and_what_does_not_shares_a_letter() -> None:
    audit = audited(spread=10.0)
    one = only(audit)
    assert [one.starts[0].label, *(start.label for start in one.starts[-2:])] == [
        "unit_normal x 0.01", "unit_normal x 1", "zeros",
    ]  # fmt: skip
    assert set(start(audit, "zeros").letters).isdisjoint(start(audit, "unit_normal x 1").letters)
    assert set(start(audit, "he_normal x 1").letters) & set(start(audit, "xavier_uniform x 0.01").letters)
    for cell in one.matrix:
        shared = set(start(audit, cell.a).letters) & set(start(audit, cell.b).letters)
        assert bool(shared) == (cell.decided == 0) == ((cell.p_adjusted or 0) > audit.alpha)
    assert one.n_decided == sum(cell.decided for cell in one.matrix)
    assert len(one.matrix) == 23 * 22 / 2


def test_letters_and_clusters_are_the_same_thing() -> None:
    one = only(audited())
    names = sorted({letter for start in one.starts for letter in start.letters})
    for name, members in zip(names, one.clusters, strict=True):
        assert members == tuple(start.label for start in one.starts if name in start.letters)


def test_places_that_are_open_hold_the_place_and_agree_with_the_pairs() -> None:
    one = only(audited())
    for start in one.starts:
        assert start.rank_low <= start.rank <= start.rank_high
    beaten = {cell.b for cell in one.matrix if cell.decided}
    assert set(one.leaders) == {start.label for start in one.starts} - beaten


def test_where_lower_is_better_the_order_turns() -> None:
    rng = np.random.default_rng(0)
    pools = {(name, 1.0): mean + rng.standard_normal(8) for name, mean in (("he_normal", 0.0), ("torch", 9.0))}
    up, down = compared(pools), compared(pools, higher_is_better=False)
    assert [start.scheme for start in up.starts] == ["torch", "he_normal"]
    assert [start.scheme for start in down.starts] == ["he_normal", "torch"]
    best = down.starts[0]
    assert best.low is not None
    assert best.high is not None
    assert best.low < best.mean < best.high
    assert best.mean == pytest.approx(pools["he_normal", 1.0].mean())
    assert up.n_decided == down.n_decided == 1


def test_among_equal_initializers_even_one_wrong_call_is_rare() -> None:
    """The family of 36 pairs: at most alpha; twice that would give 30 of 300."""
    rng = np.random.default_rng(3)
    tables = [layout({(f"scheme{i}", 1.0): rng.lognormal(0, 0.3, 6) for i in range(9)}) for _ in range(300)]
    wrong = sum(min(adjusted_p_values([one], seed=0)[0].values()) <= 0.05 for one in tables)
    assert wrong <= stats.binom.ppf(0.999, 300, 0.05) < 30


def test_a_seed_alone_is_left_out_and_named() -> None:
    audit = audited(failed={"orthogonal x 1": 9}, **FEW)
    assert only(audit).left_out == ("orthogonal x 1",)
    assert "Left out, with fewer than two scores: orthogonal x 1." in text(audit)
    assert next(arm for arm in audit.arms if arm.agent == "orthogonal x 1").n_failed == 9


# ---------------------------------------------------------------- the two factors


def test_gain_effects_are_welchs_intervals_that_hold_together() -> None:
    rng = np.random.default_rng(1)
    pools = {(scheme, gain): rng.normal(gain, 1, 9) for scheme in ("he_normal", "torch") for gain in (0.01, 1.0)}
    first, second = compared(pools).gain_effects
    test = stats.ttest_ind(pools["he_normal", 0.01], pools["he_normal", 1.0], equal_var=False)
    interval = test.confidence_interval(1 - 0.05 / 2)
    assert (first.scheme, first.last_gain, first.against) == ("he_normal", 0.01, 1.0)
    assert (first.low, first.high) == pytest.approx((interval.low, interval.high))
    assert first.effect == pytest.approx(pools["he_normal", 0.01].mean() - pools["he_normal", 1.0].mean())
    assert second.scheme == "torch"


def test_a_scheme_that_only_collapses_with_a_full_size_last_layer_is_an_interaction() -> None:
    audit = audited()
    shares = {(part.of, part.last_gain): part for part in only(audit).shares}
    assert shares["scheme with last gain", None].low > 0.1
    assert shares["scheme", 1.0].share > 0.6
    assert sum(shares[of, None].share for of in ("scheme", "last gain", "scheme with last gain", "seeds")) == (
        pytest.approx(1, abs=0.03)
    )
    said = finding(audit, "The gain of the last layer").sentence
    assert "A last gain of 0.01 instead of 1 is better for unit_normal (" in said
    assert "for the other 10 it is undecided" in said


def test_a_gain_that_helps_one_scheme_and_hurts_another_is_said_to_be_better_for_neither() -> None:
    def crossed(scheme: str, gain: float | None) -> float:
        return 300.0 if (scheme == "torch") == (gain == 1) else 100.0

    audit = audited(crossed, initializers={"schemes": ["torch", "he_normal"]})
    said = finding(audit, "The gain of the last layer").sentence
    assert "is better for he_normal (" in said
    assert "and worse for torch (" in said
    assert "Neither is better for all schemes" in said
    assert "Neither" not in finding(audited(), "The gain of the last layer").sentence


def test_zeros_are_in_the_order_and_not_in_the_factors() -> None:
    one = only(audited())
    assert one.starts[-1].scheme == "zeros"
    assert "zeros" not in {effect.scheme for effect in one.gain_effects}


def test_one_last_gain_leaves_the_schemes_alone() -> None:
    one = only(audited(initializers={"last_gains": [1]}))
    assert one.gain_effects == ()
    assert [("scheme", 1.0)] == [(part.of, part.last_gain) for part in one.shares]


# ---------------------------------------------------------------- the best of many


def test_the_best_of_many_equals_is_flattered_by_what_theory_says() -> None:
    """E max of 23 normal means is 1.93 standard errors; pools that spread as much as that show 1 / sqrt(2) of it."""
    rng = np.random.default_rng(4)
    found = [compared({(str(i), 1.0): rng.standard_normal(10) for i in range(23)}).optimism or 0.0 for _ in range(10)]
    assert np.mean(found) == pytest.approx(1.93 / math.sqrt(10) / math.sqrt(2), rel=0.12)


def test_a_clear_winner_is_not_flattered() -> None:
    rng = np.random.default_rng(4)
    means = {"a": 0.0, "b": 50.0, "c": 9.0}
    one = compared({(name, 1.0): mean + rng.standard_normal(10) for name, mean in means.items()})
    assert one.optimism == pytest.approx(0, abs=0.03)
    assert one.leaders == ("b x 1.0",)


# ---------------------------------------------------------------- sentences


def text(audit: Audit) -> str:
    (section,) = [made for made in sections(audit) if made.id == "initializers"]
    return " ".join(section.answer)


def test_who_may_be_the_best_is_said_and_that_it_is_flattered() -> None:
    said = finding(audited(alike, **FEW), "The best initializer")
    assert said.level == Level.WARN
    assert "which does not make them equal" in said.sentence
    assert "looks better than it is" in said.sentence
    assert "fresh seeds" in said.next_step


def test_a_single_best_is_named() -> None:
    said = finding(audited(spread=3.0), "The best initializer of ppo on CartPole-v1: unit_normal x 0.01")
    assert said.level == Level.OK
    assert "Report its mean from fresh seeds" in said.next_step


def test_where_nothing_is_told_apart_nothing_is_equal() -> None:
    audit = audited(alike, initializers={"schemes": ["orthogonal", "he_normal", "torch"]})
    assert only(audit).n_decided == 0
    assert audit.findings[0].level == Level.UNSAFE
    assert "is told apart, which does not make them equal" in audit.findings[0].sentence
    assert text(audit).startswith("Open, for ppo on CartPole-v1: not one of 15 pairs is told apart")


def test_the_scope_of_a_ranking_is_said() -> None:
    audit = audited()
    assert "holds for this agent, this task and 20,480 steps" in finding(audit, "The initializer matters").sentence
    assert "Yes, for ppo on CartPole-v1 with 20,480 steps" in text(audit)


def test_a_score_with_a_ceiling_is_told_and_another_one_named() -> None:
    capped = audited(lambda scheme, gain: 500.0 if scheme != "zeros" else 9.0, spread=0.0)
    said = finding(capped, "The score has a ceiling")
    assert "96 % of the runs" in said.sentence
    assert "score: auc" in said.next_step
    assert not [one for one in audited().findings if "ceiling" in one.title]


def test_no_score_at_all_is_one_clear_error() -> None:
    with pytest.raises(NotEnoughSeeds, match="no initializer has two runs yet"):
        analyze([], config())


# ---------------------------------------------------------------- all readers


ODD: dict[str, dict[str, Any]] = {
    "as in the pilot": {},
    "failures": {"failed": {"he_normal x 1": 10, "torch x 1": 8, "unit_normal x 1": 9}},
    "no spread": {"spread": 0.0},
    "two seeds": {"seeds": 2},
    "one scheme": {"initializers": {"schemes": ["he_normal"]}},
    "zeros alone beside": {"initializers": {"schemes": ["he_normal", "zeros"], "last_gains": [1]}},
    "three gains": {"initializers": {"last_gains": [0, 0.1, 1]}},
    "two agents on two tasks": {
        "agents": {name: {"algo": name, "timesteps": 9} for name in ("PPO", "A2C")},
        "tasks": ["CartPole-v1", {"id": "CartPole-v1", "name": "again"}],
        **FEW,
    },
    "lower is better": {"audit": {"higher_is_better": False}},
}


@pytest.mark.parametrize("case", ODD)
def test_every_reader_copes(case: str) -> None:
    audit = audited(**ODD[case])
    assert to_json(audit) == to_json(from_json(to_json(audit)))
    assert "Does the initializer matter?" in render(audit)
    page = PAGES["initializers"]
    rows = page.table(audit).rows
    assert rows
    assert {len(page.table(audit).head)} == {len(row) for row in rows}
    assert list(page.identity(audit))
    assert len(list(page.key_figures(audit))) >= 2


def test_a_config_is_trained_audited_and_reported(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(
        BASE.replace("timesteps: 100", "timesteps: 64, params: {n_steps: 32, batch_size: 32, n_epochs: 1}")
        + "evaluation: {episodes: 1}\ninitializers: {schemes: [he_normal, zeros], last_gains: [1]}\n"
    )
    audit, report = pipeline.audit_target(path, out=tmp_path / "out")
    assert [2, 2] == [len(start.scores) for start in only(audit).starts]
    assert "Does the initializer matter?" in report.read_text()
