"""The plan of the experiment tickets: lineages, arms, rounds, and the second stage."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import record
from hypothesis import given
from hypothesis import strategies as st

from rlaudit.config import AuditConfig, load_config
from rlaudit.errors import ConfigError
from rlaudit.experiments.tickets import ARMS, plan
from rlaudit.lottery import extremes, rounds
from rlaudit.seeds import run_seeds
from rlaudit.types import RunRecord, RunSpec

CONFIGS = Path(__file__).parents[1] / "configs"


def config(**changes: object) -> AuditConfig:
    fields = {
        "name": "test",
        "experiment": "tickets",
        "tasks": ["CartPole-v1"],
        "agents": {"ppo": {"algo": "PPO", "timesteps": 100}},
        "seeds": 6,
        "tickets": {"extremes": 2, "retrain_seeds": 4},
    }
    return AuditConfig.model_validate({**fields, **changes})


def scored(spec: RunSpec, score: float) -> RunRecord:
    return record(spec, final_returns=np.array([score]))


def dense_records(scores: list[float]) -> list[RunRecord]:
    runs = [run for run in plan(config()) if run.agent == "ppo"]
    return [scored(run, score) for run, score in zip(runs, scores, strict=True)]


def by_arm(specs: tuple[RunSpec, ...]) -> dict[str, list[RunSpec]]:
    arms: dict[str, list[RunSpec]] = {}
    for one in specs:
        arms.setdefault(one.agent, []).append(one)
    return arms


# ---------------------------------------------------------------- the first stage


def test_arms_are_outermost_and_lineages_innermost() -> None:
    specs = plan(config())
    assert [arm for arm in by_arm(specs) for _ in range(6)] == [run.agent for run in specs]
    assert [*range(6)] * 10 == [run.seed for run in specs]
    assert ["ppo", "ppo again", "ppo ticket 80%", "ppo new weights 80%"] == list(by_arm(specs))[:4]


def test_dense_runs_are_the_ordinary_runs_of_their_seeds() -> None:
    (dense, *_) = plan(config())
    assert ("sb3", {}, run_seeds(0)) == (dense.backend, dense.treatment, dense.seeds)
    assert dense.run_id == plan_of_an_audit().run_id


def plan_of_an_audit() -> RunSpec:
    from rlaudit.plan import plan as ordinary

    return ordinary(config(experiment="audit", tickets={}))[0]


def test_every_arm_of_a_lineage_has_the_same_fresh_seeds_and_the_weights_that_it_should() -> None:
    runs = [arm[3] for arm in by_arm(plan(config())).values()]
    dense, fresh = runs[0], runs[1:]
    assert 1 == len({(run.seeds.env, run.seeds.algo) for run in fresh})
    assert not {fresh[0].seeds.env, fresh[0].seeds.algo} & {dense.seeds.env, dense.seeds.algo}
    kept = {run.agent.removeprefix("ppo "): run.seeds.init == dense.seeds.init for run in fresh}
    assert kept["again"]
    assert {name: not arm.new_weights for name, arm in ARMS.items()} == {name: kept[f"{name} 95%"] for name in ARMS}
    assert 1 == len({run.seeds.init for run in fresh if not kept[run.agent.removeprefix("ppo ")]})


def test_no_two_lineages_share_anything() -> None:
    arms = by_arm(plan(config()))
    for arm in arms.values():
        assert 6 == len({run.seeds.init for run in arm}) == len({run.seeds.env for run in arm})
    tickets = [run.treatment["lineage"] for run in arms["ppo ticket 95%"]]
    assert [{"init": one.init, "env": one.env, "algo": one.algo} for one in map(run_seeds, range(6))] == tickets


def test_all_runs_are_different_runs() -> None:
    specs = plan(config(), dense_records([6, 5, 4, 3, 2, 1]))
    assert len(specs) == len({run.run_id for run in specs})


# ---------------------------------------------------------------- rounds


def test_each_sparsity_continues_the_rounds_of_the_one_before() -> None:
    found = rounds((0.8, 0.95), 0.6)
    assert [0.552786, 0.8] == found[0.8]
    assert [0.552786, 0.8, 0.9, 0.95] == found[0.95]


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=4, unique=True), st.floats(0.05, 0.95))
def test_no_round_takes_more_than_its_share_and_every_sparsity_is_met(sparsities: list[float], share: float) -> None:
    sparsities = sorted(round(sparsity, 3) for sparsity in sparsities)
    if len(set(sparsities)) < len(sparsities):
        return
    found = rounds(sparsities, share)
    assert sparsities == [path[-1] for path in found.values()]
    path = [0.0, *found[sparsities[-1]]]
    assert all(then > before for before, then in pairwise(path))
    assert all(1 - then >= (1 - before) * (1 - share) - 1e-5 for before, then in pairwise(path))
    assert all(found[sparsities[-1]][: len(one)] == one for one in found.values())


# ---------------------------------------------------------------- the second stage


def test_without_scores_there_is_no_second_stage() -> None:
    assert 6 * 10 == len(plan(config())) == len(plan(config(), dense_records([1] * 6)[:5]))


def test_the_luckiest_and_the_unluckiest_weights_are_trained_again_under_seeds_of_their_own() -> None:
    further = plan(config(), dense_records([3, 9, 1, 7, 2, 8]))[60:]
    assert ["1.1", "1.2", "1.3", "5.1", "5.2", "5.3", "4.1", "4.2", "4.3", "2.1", "2.2", "2.3"] == [
        run.seed for run in further
    ]
    assert {run_seeds(seed).init for seed in (1, 5, 4, 2)} == {run.seeds.init for run in further}
    assert 12 == len({run.seeds.env for run in further}) == len({run.seeds.algo for run in further})


def test_a_failed_dense_run_is_neither_lucky_nor_unlucky_and_lower_may_be_better() -> None:
    records = dense_records([3, 9, 1, 7, 2, 8])
    records[1] = replace(records[1], status="failed")
    assert ["5.1", "3.1", "4.1", "2.1"] == [run.seed for run in plan(config(), records)[60::3]]
    lower = config(audit={"higher_is_better": False})
    assert ["2.1", "4.1", "5.1", "1.1"] == [run.seed for run in plan(lower, dense_records([3, 9, 1, 7, 2, 8]))[60::3]]


def test_extremes_never_overlap() -> None:
    assert ([1, 0], [2, 3]) == extremes(np.array([5.0, 9, 2, 1]), 3, higher_is_better=True)
    assert ([0], [2]) == extremes(np.array([5.0, 5, 5]), 3, higher_is_better=True)
    assert ([], []) == extremes(np.array([5.0]), 3, higher_is_better=True)


# ---------------------------------------------------------------- the config


def small(tmp_path: Path, **changes: Any) -> Path:
    import json

    agents = changes.pop("agents", {"ppo": {"algo": "PPO", "timesteps": 100}})
    whole = {"name": "x", "experiment": "tickets", "task": "CartPole-v1", "agents": agents, "seeds": 6, **changes}
    path = tmp_path / "x.yaml"
    path.write_text(json.dumps(whole))
    return path


def test_task_agents_and_seeds_are_a_whole_config(tmp_path: Path) -> None:
    loaded, _ = load_config(small(tmp_path))
    assert ((0.8, 0.95), 0.6, 3, 8) == tuple(loaded.tickets.model_dump().values())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"seeds": 5}, "seeds makes 5 initial weights, of which tickets.extremes = 3 takes 6"),
        ({"tickets": {"sparsities": [0.9, 0.8]}}, "do not rise from one to the next"),
        ({"tickets": {"sparsities": [0.8, 1.0]}}, "must be below 1"),
        ({"tickets": {"extreme": 2}}, "Did you mean 'extremes'?"),
        ({"agents": {"a": {"algo": "TRPO", "timesteps": 9}}}, "past the gradients that would hold a mask"),
        ({"agents": {"a": {"train": "m:f", "timesteps": 9}}}, "can be pruned"),
        ({"agents": {key: {"algo": "PPO", "timesteps": 9} for key in ("a", "a again")}}, "give it another label"),
        ({"audit": {"claims": ["ppo >= ppo - 1"]}}, "are not judged by this experiment"),
    ],
)
def test_what_cannot_be_pruned_or_compared_is_refused(tmp_path: Path, changes: Any, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(small(tmp_path, **changes))
    assert expected in str(caught.value)


def test_the_shipped_config_has_ten_lineages_and_142_runs() -> None:
    shipped, _ = load_config(CONFIGS / "tickets.yaml")
    specs = plan(shipped)
    assert 10 * 10 == len(specs)
    assert 10 == len({run.seeds.init for run in specs if run.agent == "ppo"})
    records = [scored(run, i) for i, run in enumerate(specs[:10])]
    records = [
        replace(one, eval_steps=np.array([1, 2]), eval_returns=np.full((2, 1), i)) for i, one in enumerate(records)
    ]
    assert 142 == len(plan(shipped, records))
