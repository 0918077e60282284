"""The control in which luck must vanish: its losses, its data, its runs, and what the audit says of them."""

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import spec as a_spec
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaudit import config_values
from rlaudit.backends import BACKENDS
from rlaudit.backends.convex import data_of, expert_of
from rlaudit.backends.convex_fit import (
    DRAWS,
    Data,
    Fit,
    NotConverged,
    cross_entropy,
    initial_weights,
    minimise,
    model_of,
    points,
)
from rlaudit.config import AuditConfig, load_config
from rlaudit.errors import ConfigError
from rlaudit.experiments.convex import analyze, plan
from rlaudit.findings import find
from rlaudit.report import render, sections
from rlaudit.report.laboratory import PAGES
from rlaudit.results import Audit, from_json, to_json
from rlaudit.seeds import run_seeds
from rlaudit.types import Level, RunRecord, RunSpec

L2 = 1e-3
CONVEX: dict[str, Any] = {"l2": L2}
HIDDEN: dict[str, Any] = {"l2": L2, "hidden": 6}


def some_data(n: int = 200, n_actions: int = 2, stream: int = 0) -> Data:
    """Decisions that no linear model makes."""
    rng = np.random.default_rng(stream)
    states = rng.standard_normal((n, 3)) * [1.0, 50.0, 0.01] + 7
    hidden = (states - 7) / [1.0, 50.0, 0.01]
    logits = np.stack([hidden @ [1, 2, 0] + np.sin(3 * hidden[:, k % 3]) * 2 * k for k in range(n_actions)], axis=1)
    return Data.of(states, (logits + rng.gumbel(size=logits.shape) * 0.3).argmax(axis=1), n_actions)


def fitted(treatment: dict[str, Any], scheme: str, seed: int, data: Data | None = None) -> Fit:
    model = model_of(treatment, data or some_data())
    return minimise(model, initial_weights(model.shapes, scheme, seed), 20_000)


# ---------------------------------------------------------------- losses


@pytest.mark.parametrize("treatment", [CONVEX, HIDDEN], ids=["convex", "hidden"])
@pytest.mark.parametrize("n_actions", [2, 4])
def test_the_gradient_is_that_of_finite_differences(treatment: dict[str, Any], n_actions: int) -> None:
    model = model_of({**treatment, "l2": 0.1}, some_data(n_actions=n_actions))
    at = initial_weights(model.shapes, "normal", 0)
    _, gradient = model(at)
    step = 1e-6
    differences = [(model(at + step * e)[0] - model(at - step * e)[0]) / (2 * step) for e in np.eye(len(at))]
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-8)


def test_the_cross_entropy_of_logits_of_any_size_is_finite() -> None:
    loss, slopes = cross_entropy(np.array([[1e4, -1e4], [0.0, 0.0]]), np.array([1, 0]))
    assert (2e4 + np.log(2)) / 2 == pytest.approx(loss)
    assert np.isfinite(slopes).all()


def test_the_minimum_of_two_opposite_weights_solves_its_equation() -> None:
    """One standardised feature that tells the actions apart: w = -w' and b = 0, with l2 w = sigma(-2 w)."""
    data = Data.of(np.array([[-1.0], [1.0]]), np.array([0, 1]), 2)
    (left, _, right, _) = fitted({"l2": 0.1}, "normal", 3, data).weights
    low, high = 0.0, 10.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if 0.1 * middle < 1 / (1 + np.exp(2 * middle)) else (low, middle)
    assert (-low, low) == pytest.approx((left, right), rel=1e-9)


def test_the_minimum_is_that_of_an_independent_logistic_regression() -> None:
    """Two softmax rows of weights w and -w are a logistic regression with weights 2 w and half the penalty."""
    statsmodels = pytest.importorskip("statsmodels.api")
    data = some_data()
    found = fitted(CONVEX, "normal", 0, data).weights.reshape(2, -1)
    free = statsmodels.Logit(data.actions, data.states).fit(disp=0)
    almost = fitted({"l2": 1e-6}, "normal", 0, data).weights.reshape(2, -1)
    np.testing.assert_allclose(almost[1] - almost[0], free.params, rtol=1e-3)
    np.testing.assert_allclose(found[0], -found[1], atol=1e-7)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(-2, 1.5))
def test_from_any_start_the_convex_loss_reaches_one_minimum(seed: int, power: float) -> None:
    model = model_of(CONVEX, some_data(60, n_actions=3))
    start = 10**power * np.random.default_rng(seed).standard_normal(12)
    best = fitted(CONVEX, "zeros", 0, model.data)
    found = minimise(model, start, 20_000)
    assert abs(best.losses[-1] - found.losses[-1]) < 1e-12
    np.testing.assert_allclose(best.weights, found.weights, atol=1e-5)


def test_the_gradient_bounds_the_distance_from_the_minimum() -> None:
    model = model_of(CONVEX, some_data())
    start = initial_weights(model.shapes, "normal", 1)
    best, (loss, gradient) = minimise(model, start, 20_000).losses[-1], model(start)
    assert 0 < loss - best <= gradient @ gradient / (2 * L2)


def test_convex_losses_agree_where_hidden_ones_part() -> None:
    runs = [(scheme, seed) for scheme in ("normal", "he_normal") for seed in range(4)]
    convex, hidden = ([fitted(model, *run).losses[-1] for run in runs] for model in (CONVEX, HIDDEN))
    assert np.ptp(convex) < 1e-12
    assert np.ptp(hidden) > 1e-4


def test_zeros_stay_on_a_saddle_behind_a_hidden_layer() -> None:
    weights = fitted(HIDDEN, "zeros", 0).weights[: 6 * 4].reshape(6, 4)
    assert (weights == weights[0]).all()


def test_what_is_no_minimum_is_no_result() -> None:
    model = model_of(CONVEX, some_data())
    with pytest.raises(NotConverged, match=r"after 3 iterations, .*Raise convex\.iterations or convex\.l2"):
        minimise(model, initial_weights(model.shapes, "normal", 0), 3)


def test_a_feature_that_never_changes_is_left_alone() -> None:
    data = Data.of(np.array([[5.0, 1.0], [5.0, 3.0]]), np.array([0, 1]), 2)
    assert [[0, -1, 1], [0, 1, 1]] == data.states.tolist()


def test_loss_curves_are_kept_at_the_same_iterations_whatever_happens() -> None:
    assert [0, 1, 2] == points(2).tolist()
    kept = points(20_000)
    assert (0, 20_000) == (kept[0], kept[-1])
    assert (np.diff(kept) > 0).all()


# ---------------------------------------------------------------- initial weights


def test_the_schemes_are_those_of_the_config() -> None:
    assert set(config_values.CONVEX_SCHEMES) == set(DRAWS)


@pytest.mark.parametrize(
    ("scheme", "sd"),
    [("he_normal", (2 / 400) ** 0.5), ("xavier_uniform", (2 / 700) ** 0.5), ("normal", 1), ("normal_0.01", 0.01),
     ("zeros", 0), ("orthogonal", 400**-0.5)],
)  # fmt: skip
def test_a_scheme_has_its_spread_and_biases_start_at_nothing(scheme: str, sd: float) -> None:
    weights = initial_weights([(300, 401)], scheme, 0).reshape(300, 401)
    assert sd == pytest.approx(weights[:, :-1].std(), rel=0.02)
    assert not weights[:, -1].any()


@pytest.mark.parametrize("shape", [(4, 7), (7, 4)])
def test_orthogonal_weights_are_at_right_angles(shape: tuple[int, int]) -> None:
    drawn = DRAWS["orthogonal"](np.random.default_rng(0), shape)
    short = drawn @ drawn.T if shape[0] < shape[1] else drawn.T @ drawn
    np.testing.assert_allclose(np.eye(4), short, atol=1e-12)


# ---------------------------------------------------------------- the backend


def run_of(seed: int = 0, *, hidden: int = 0, memo: str = "", **changes: Any) -> RunSpec:
    treatment: dict[str, Any] = {"expert": {"seed": 3, "timesteps": 300}, "states": 50, "l2": 0.01}
    fields: dict[str, Any] = {
        "backend": "convex",
        "timesteps": 20_000,
        "initializer": {"scheme": "normal"},
        "treatment": {**treatment, "hidden": hidden} if hidden else treatment,
        "memo": memo,
    }
    return a_spec(seed, **{**fields, **changes})


def trained(of: RunSpec) -> RunRecord:
    (record,) = BACKENDS["convex"].train([of], progress=lambda spec, steps: None)
    return record


@pytest.mark.parametrize("hidden", [0, 4])
def test_a_run_is_the_same_to_the_bit_with_a_memo_and_without(tmp_path: Path, hidden: int) -> None:
    records = [trained(run_of(hidden=hidden, memo=memo)) for memo in ("", str(tmp_path), str(tmp_path))]
    assert ["done"] * 3 == [record.status for record in records], records[0].error
    assert 1 == len({(one.weights_sha256, one.final_returns.tobytes(), one.eval_returns.tobytes()) for one in records})
    assert records[0].final_returns[0] == records[0].eval_returns[-1, 0]
    assert records[0].measurements["gradient_norm"] <= 1e-7


def test_only_the_initial_weights_tell_seeds_apart(tmp_path: Path) -> None:
    one, other = (trained(run_of(seed, hidden=4, memo=str(tmp_path))) for seed in (0, 1))
    assert 1 == len(list(tmp_path.glob("*.npz")))
    assert one.eval_returns[0, 0] != other.eval_returns[0, 0]


def test_the_expert_is_the_agent_that_the_ordinary_backend_trains() -> None:
    of = run_of()
    found = data_of(of)
    (ordinary,) = BACKENDS["sb3"].train([expert_of(of)], progress=lambda spec, steps: None)
    assert ordinary.weights_sha256 == str(found["weights_sha256"])
    assert ordinary.final_returns.tolist() == found["returns"].tolist()
    assert run_seeds(3) == expert_of(of).seeds
    assert ((50 if found["returns"].sum() >= 50 else found["returns"].sum()), 4) == found["states"].shape


def test_the_data_do_not_depend_on_the_initial_weights_asked_for() -> None:
    assert expert_of(run_of(0)).run_id == expert_of(run_of(5, hidden=3, initializer={"scheme": "zeros"})).run_id


def test_a_run_without_a_minimum_fails_and_says_so() -> None:
    record = trained(run_of(timesteps=2))
    assert "failed" == record.status
    assert "NotConverged" in (record.error or "")


def test_actions_that_are_not_discrete_are_refused_before_anything_is_trained() -> None:
    (problem,) = BACKENDS["convex"].check(run_of(algo="A2C", env_id="Pendulum-v1"))
    assert ("task",) == problem.path
    assert "they must be discrete" in problem.message


def test_a_mistake_of_the_expert_is_found_before_anything_is_trained() -> None:
    (problem,) = BACKENDS["convex"].check(run_of(params={"gama": 0.9}))
    assert "'gama' is not a hyper-parameter of A2C. Did you mean 'gamma'?" in problem.message


# ---------------------------------------------------------------- the config

TEXT = """
name: control
experiment: convex
task: CartPole-v1
agents: {ppo: {algo: A2C, timesteps: 300}}
seeds: 8
"""


def config_of(tmp_path: Path, text: str = TEXT, *overrides: str) -> AuditConfig:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return load_config(path, overrides)[0]


def test_the_plan_has_every_model_scheme_and_seed_and_no_hidden_zeros(tmp_path: Path) -> None:
    specs = plan(config_of(tmp_path))
    assert (6 + 5) * 8 == len(specs) == len({spec.run_id for spec in specs})
    assert {"CartPole-v1, convex", "CartPole-v1, hidden layer"} == {spec.task_label for spec in specs}
    assert not [spec for spec in specs if spec.agent == "zeros" and "hidden" in spec.treatment]


def test_two_experts_are_two_controls(tmp_path: Path) -> None:
    text = TEXT.replace("300}}", "300}, b: {algo: A2C, timesteps: 400}}")
    assert 4 == len({spec.task_label for spec in plan(config_of(tmp_path, text))})


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("audit.higher_is_better=true", "the scores of `experiment: convex` are losses"),
        ("score=best", "is about the final loss"),
        ("convex.schemes=[zeros]", "names zeros alone"),
        ("convex.schemes=[he_norml]", "Did you mean 'he_normal'?"),
        ("convex.l2=0", "must be at least 1e-06"),
        ("audit.claims=[ppo > ppo]", "compares initial weights"),
        ("evaluation.deterministic=false", "decides without chance"),
        ("agents.ppo={train: 'a.b:c', timesteps: 5}", "the expert of `experiment: convex` is one"),
        ("experiment=audit", "is for `experiment: convex`"),
    ],
)
def test_what_does_not_go_with_the_control_is_refused(tmp_path: Path, override: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(tmp_path, TEXT, "convex.states=50", override)
    assert expected in str(caught.value)


# ---------------------------------------------------------------- what the audit says


def made(of: RunSpec, loss: float, gradient: float = 1e-10) -> RunRecord:
    """As the backend makes it, without the work."""
    steps = points(100)
    curve = loss + np.exp(-steps.astype(np.float64))[:, None]
    numbers = {"gradient_norm": gradient, "accuracy": 0.9, "expert_return": 400.0}
    counts = {"iterations": 30, "n_states": 1000, "n_features": 4, "n_actions": 2}
    arrays = {name: np.array(value) for name, value in {**numbers, **counts}.items()}
    return RunRecord(
        of, "done", steps, curve, np.ones_like(curve, np.int64), final_returns=np.array([loss]),
        measurements={**arrays, "weights": np.zeros(10)},
    )  # fmt: skip


def losses(of: RunSpec, seed: int, *, convex: float = 1e-15, hidden: float = 1e-3) -> float:
    """Noise around one minimum; or one of four minima, with noise around each, some schemes nearer to the best."""
    rng = np.random.default_rng([seed, *of.agent.encode(), "hidden" in of.treatment])
    if "hidden" not in of.treatment:
        return 0.2354 + convex * rng.standard_normal()
    far = of.agent == "normal_0.01"
    return 0.1363 + hidden * (rng.integers(4) / 4 + 2 * far) + 1e-13 * rng.standard_normal()


@lru_cache
def control(folder: Path, convex: float = 1e-15, hidden: float = 1e-3) -> Audit:
    config = config_of(folder, TEXT, "audit.group_sizes=[2]", "audit.splits=100")
    records = [made(spec, losses(spec, int(spec.seed), convex=convex, hidden=hidden)) for spec in plan(config)]
    audit = replace(analyze(records, config), experiment="convex")
    return replace(audit, findings=find(audit))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("convex")


def test_the_control_passes_and_says_so_first(folder: Path) -> None:
    first, second, *_ = control(folder).findings
    assert (Level.OK, "Luck vanishes where it must") == (first.level, first.title)
    assert "The auditor finds no seed effect where there is none, and one where there is." in first.sentence
    assert "Behind a hidden layer the initial weights matter" == second.title


def test_the_ordinary_audit_finds_nothing_in_the_convex_losses(folder: Path) -> None:
    surface = control(folder).convex[0].surface(convex=True)
    assert surface is not None
    assert (0, 0, 1) == (surface.n_lucky, surface.n_apart, surface.n_losses)
    assert surface.spread > 0
    assert surface.smallest_p == 1.0
    assert any("no seed effect" in finding.title for finding in surface.said)
    assert not [finding for finding in surface.said if "is better" in finding.sentence + finding.title]


def test_it_finds_seeds_and_initializers_behind_the_hidden_layer(folder: Path) -> None:
    surface = control(folder).convex[0].surface(convex=False)
    assert surface is not None
    assert (5, 4) == (surface.n_lucky, surface.n_apart)
    assert 8 == surface.n_losses
    assert surface.farthest is not None
    assert "normal_0.01" == surface.farthest[1]
    assert not any("no seed effect" in finding.title for finding in surface.said)


@pytest.mark.parametrize(
    ("spreads", "fault"),
    [
        ({"convex": 1e-5}, "the convex losses differ"),
        ({"convex": 1e-5}, "an effect of the seed where there is none"),
        ({"hidden": 1e-6}, "the losses behind the hidden layer do not differ"),
        ({"hidden": 0.0}, "the audit finds no effect of the seed where there is one"),
    ],
)
def test_a_control_that_fails_is_unsafe(folder: Path, spreads: dict[str, float], fault: str) -> None:
    audit = control(folder, **spreads)
    assert (Level.UNSAFE, "The control fails") == (audit.findings[0].level, audit.findings[0].title)
    assert fault in audit.findings[0].sentence


def test_failed_and_missing_runs_fail_the_control(folder: Path) -> None:
    config = config_of(folder, TEXT, "audit.group_sizes=[2]", "audit.splits=100")
    records = [made(spec, losses(spec, int(spec.seed))) for spec in plan(config)]
    broken = replace(records[0], status="failed", final_returns=np.empty(0), error="NotConverged")
    assert ("runs failed",) == analyze([broken, *records[1:]], config).convex[0].faults
    half = [record for record in records if "hidden" not in record.spec.treatment]
    assert ("runs of one model are missing",) == analyze(half, config).convex[0].faults


def test_the_result_is_drawn_and_kept(folder: Path) -> None:
    audit = control(folder)
    assert audit == from_json(to_json(audit))
    assert "Does luck vanish where it must?" in [section.question for section in sections(audit)]
    text = render(audit)
    assert "luck has vanished" in text
    assert "higher is better" not in text
    assert json.loads(to_json(audit))["metric"] == "final loss"


def test_the_table_for_the_terminal_has_a_row_for_each_model_and_scheme(folder: Path) -> None:
    rows = PAGES["convex"].table(control(folder)).rows
    assert [("convex", "orthogonal", "no"), ("hidden layer", "orthogonal", "yes")] == [
        (row[0], row[1], row[4]) for row in rows if row[1] == "orthogonal"
    ]
    assert 11 == len(rows)
