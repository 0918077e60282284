"""rliable and marl-eval plot what rlaudit exports, and compute from it what rlaudit does.

`make elsewhere` runs this where both can be installed: rliable 1.2.0 needs arch 7.2.0, which does not import beside the
pandas that rlaudit is tested with. Elsewhere it is skipped.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_exporters import run

from rlaudit.aggregate import aggregate_tasks
from rlaudit.exporters import export
from rlaudit.scores import score_table

rly = pytest.importorskip("rliable.library", exc_type=ImportError)
pytestmark = pytest.mark.filterwarnings("ignore")  # theirs

AGENTS, TASKS, STEPS = ("ppo", "a2c"), ("Hopper", "Walker", "Ant"), (10, 20, 30)


def curve(rng: np.random.Generator, agent: str) -> Any:
    """(3, 2): two episodes at each step; scores between 0 and 1, as rliable wants them."""
    return rng.uniform(0.2 * (agent == "ppo"), 0.8, (3, 2)) * np.array([[0.3], [0.6], [1.0]])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # marl-eval writes tables where it stands
    rng = np.random.default_rng(0)
    runs = [
        run(agent, seed, task, steps=STEPS, returns=curve(rng, agent))
        for agent in AGENTS for task in TASKS for seed in range(5)
    ]  # fmt: skip
    for name in ("rliable.npz", "marl-eval.json", "tidy.csv"):
        export(runs, tmp_path / name)
    return tmp_path


@pytest.fixture
def close_figures() -> Iterator[None]:
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def dictionaries(folder: Path) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """As the exporter's docstring says."""
    data = np.load(folder / "rliable.npz")
    names = data["rlaudit/algorithms"].tolist()
    return {name: data[name] for name in names}, {name: data[f"rlaudit/curves/{name}"] for name in names}, data


def drawn(figure: Any) -> int:
    """How many lines and areas there are."""
    return sum(len(axes.lines) + len(axes.collections) + len(axes.patches) for axes in figure.axes)


# ---------------------------------------------------------------- rliable


def test_rliable_computes_the_iqm_that_rlaudit_computes(folder: Path) -> None:
    from rliable import metrics

    from rlaudit import importers

    scores, _, _ = dictionaries(folder)
    table = score_table(importers.read(folder / "tidy.csv").records)
    ours = aggregate_tasks(table, statistics=("iqm",), n_resamples=100, rng=np.random.default_rng(0))
    assert {found.agent: pytest.approx(found.value, rel=1e-12) for found in ours} == {
        name: metrics.aggregate_iqm(matrix) for name, matrix in scores.items()
    }


@pytest.mark.usefixtures("close_figures")
def test_rliable_plots_intervals_profiles_efficiency_and_improvement(folder: Path) -> None:
    import matplotlib.pyplot as plt
    from rliable import metrics, plot_utils

    scores, curves, data = dictionaries(folder)
    both: Callable[[Any], Any] = lambda x: np.array([metrics.aggregate_iqm(x), metrics.aggregate_median(x)])  # noqa: E731
    values, ends = rly.get_interval_estimates(scores, both, reps=50)
    figure, _ = plot_utils.plot_interval_estimates(
        values, ends, metric_names=["IQM", "Median"], algorithms=list(AGENTS)
    )
    assert 2 * 2 * 2 <= drawn(figure)

    thresholds = np.linspace(0, 1, 11)
    profiles, ends = rly.create_performance_profile(scores, thresholds, reps=50)
    figure, axes = plt.subplots()
    plot_utils.plot_performance_profiles(profiles, thresholds, performance_profile_cis=ends, ax=axes)
    assert len(AGENTS) == len(axes.lines)

    values, ends = rly.get_interval_estimates(curves, lambda x: np.array([metrics.aggregate_iqm(x[..., frame])
                                              for frame in range(x.shape[-1])]), reps=50)  # fmt: skip
    axes = plot_utils.plot_sample_efficiency_curve(data["rlaudit/steps"], values, ends, algorithms=list(AGENTS))
    assert list(STEPS) == axes.lines[0].get_xdata().tolist()

    pairs = {"ppo,a2c": (scores["ppo"], scores["a2c"])}
    values, ends = rly.get_interval_estimates(pairs, metrics.probability_of_improvement, reps=50)
    assert 0.5 < values["ppo,a2c"] <= 1
    plot_utils.plot_probability_of_improvement(values, ends)


# ---------------------------------------------------------------- marl-eval


def test_marl_eval_finds_nothing_wrong_and_sees_the_same_scores(folder: Path) -> None:
    pytest.importorskip("marl_eval", exc_type=ImportError)
    from marl_eval.utils.data_processing_utils import create_matrices_for_rliable, data_process_pipeline
    from marl_eval.utils.diagnose_data_errors import DiagnoseData

    raw = json.loads((folder / "marl-eval.json").read_text())
    assert {True} == set(DiagnoseData(raw).check_data()["environment"].values())
    processed = data_process_pipeline(raw_data=raw, metrics_to_normalize=[])
    matrices, tensors = create_matrices_for_rliable(processed, "environment", [])
    scores, curves, _ = dictionaries(folder)
    for agent in AGENTS:
        np.testing.assert_allclose(scores[agent], matrices["mean_return"][agent], rtol=1e-14)
        np.testing.assert_allclose(curves[agent], tensors["mean_return"][agent], rtol=1e-14)


@pytest.mark.usefixtures("close_figures")
def test_marl_eval_plots_profiles_aggregates_efficiency_and_improvement(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("marl_eval.plotting_tools.plotting", exc_type=ImportError)
    from marl_eval.plotting_tools import plotting
    from marl_eval.utils.data_processing_utils import create_matrices_for_rliable, data_process_pipeline

    whole = rly.get_interval_estimates  # 50,000 resamples take minutes
    monkeypatch.setattr(rly, "get_interval_estimates", lambda *args, **how: whole(*args, **{**how, "reps": 50}))
    raw = json.loads((folder / "marl-eval.json").read_text())
    processed = data_process_pipeline(raw_data=raw, metrics_to_normalize=["return"])
    matrices, tensors = create_matrices_for_rliable(processed, "environment", ["return"])
    how = {"metric_name": "return", "metrics_to_normalize": ["return"]}
    plotting.performance_profiles(matrices, **how)
    _, values, _ = plotting.aggregate_scores(matrices, **how)
    assert {agent.upper() for agent in AGENTS} == {name.upper() for name in values}
    plotting.sample_efficiency_curves(tensors, **how)
    plotting.probability_of_improvement(matrices, **how, algorithms_to_compare=[["ppo", "a2c"]])
