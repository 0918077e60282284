"""A config becomes run specs."""

from pathlib import Path

import numpy as np
import pytest

from rlaudit.comparisons import COMPARISONS
from rlaudit.config import AuditConfig, AuditSettings
from rlaudit.plan import batches, cannot_reject, more_seeds, plan, smallest_p
from rlaudit.seeds import run_seeds


def config(**changes: object) -> AuditConfig:
    fields = {
        "name": "test",
        "tasks": ["CartPole-v1", {"id": "Acrobot-v1", "name": "acro", "kwargs": {"render_mode": None}}],
        "agents": {"a2c": {"algo": "A2C", "timesteps": 100}, "ppo": {"algo": "PPO", "timesteps": 200, "n_envs": 2}},
        "seeds": [3, 7],
    }
    return AuditConfig.model_validate({**fields, **changes})


def test_specs_are_ordered_by_task_agent_and_seed() -> None:
    order = [(spec.task_label, spec.agent, spec.seed) for spec in plan(config())]
    assert order == [
        (task, agent, seed) for task in ("CartPole-v1", "acro") for agent in ("a2c", "ppo") for seed in (3, 7)
    ]


def test_a_spec_carries_everything_that_the_config_says() -> None:
    agent = {
        "algo": "PPO", "timesteps": 200, "n_envs": 2, "policy": "CnnPolicy", "params": {"n_steps": 8},
        "policy_kwargs": {"net_arch": [8]},
    }  # fmt: skip
    evaluation = {"every": 50, "episodes": 3, "deterministic": False}
    spec = plan(config(agents={"x": agent}, evaluation=evaluation))[-1]
    assert (spec.env_id, spec.task, spec.env_kwargs) == ("Acrobot-v1", "acro", {"render_mode": None})
    assert (spec.algo, spec.timesteps, spec.n_envs, spec.policy) == ("PPO", 200, 2, "CnnPolicy")
    assert (spec.params, spec.policy_kwargs) == ({"n_steps": 8}, {"net_arch": [8]})
    assert (spec.evaluation.every, spec.evaluation.episodes, spec.evaluation.deterministic) == (50, 3, False)
    assert (spec.seed, spec.seeds) == (7, run_seeds(7))


@pytest.mark.parametrize(
    ("written", "planned"), [(False, None), (True, {}), ({"norm_reward": False}, {"norm_reward": False})]
)
def test_normalisation_is_off_on_or_on_with_settings(written: object, planned: object) -> None:
    agents = {"a2c": {"algo": "A2C", "timesteps": 100, "normalize": written}}
    assert plan(config(agents=agents))[0].normalize == planned


def test_every_run_has_an_id_of_its_own() -> None:
    specs = plan(config())
    assert len({spec.run_id for spec in specs}) == len(specs)


def test_renaming_an_agent_or_writing_a_default_out_renames_no_run() -> None:
    spelled_out = {
        "algo": "A2C",
        "timesteps": 1e2,
        "n_envs": 1,
        "policy": "MlpPolicy",
        "params": {},
        "normalize": False,
    }
    before = plan(config(agents={"a2c": {"algo": "A2C", "timesteps": 100}}))
    after = plan(config(agents={"other": spelled_out}))
    assert [spec.run_id for spec in before] == [spec.run_id for spec in after]


def test_more_seeds_are_new_and_the_same_for_every_agent() -> None:
    more = more_seeds(plan(config()), 2)
    assert {(spec.task_label, spec.agent): spec.seed for spec in more if spec.seed == 8}.keys() == {
        (task, agent) for task in ("CartPole-v1", "acro") for agent in ("a2c", "ppo")
    }
    assert {spec.seed for spec in more} == {8, 9}
    assert all(spec.seeds == run_seeds(int(spec.seed)) for spec in more)


def test_a_batch_holds_neighbours_that_differ_only_in_their_seeds() -> None:
    specs = plan(config(seeds=5))
    sizes = [len(batch) for batch in batches(specs, 2)]
    assert sizes == [2, 2, 1] * 4
    assert [spec for batch in batches(specs, 2) for spec in batch] == list(specs)
    assert all(len({(spec.agent, spec.task_label) for spec in batch}) == 1 for batch in batches(specs, 3))


@pytest.mark.parametrize(("n", "p"), [(2, 1 / 3), (3, 0.1), (4, 0.02857), (5, 0.00794), (6, 0.002165)])
def test_the_smallest_p_is_that_of_the_exact_test(n: int, p: float) -> None:
    assert smallest_p("permutation", n) == pytest.approx(p, rel=2e-3)


@pytest.mark.parametrize("test", COMPARISONS)
@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7, 8])
def test_the_smallest_p_is_the_one_that_the_test_itself_names(test: str, n: int) -> None:
    x = np.arange(n, dtype=float)
    named = COMPARISONS[test](x, x + 0.5, alpha=0.05, rng=np.random.default_rng(0), n_resamples=99_999, interval=False)
    assert smallest_p(test, n) == pytest.approx(named.min_p, rel=2e-3, abs=3e-4)


def test_designs_that_can_never_reject_are_named() -> None:
    settings = AuditSettings(tests=("welch", "permutation"), group_sizes=(2, 3, 5))
    assert [(test, n) for test, n, _ in cannot_reject(settings, 10)] == [("permutation", 2), ("permutation", 3)]
    assert [(test, n) for test, n, _ in cannot_reject(settings, 2)] == [("permutation", 2)]


def test_the_committed_configs_plan_what_they_say() -> None:
    from rlaudit.config import load_config

    configs = Path(__file__).parents[1] / "configs"
    assert len(plan(load_config(configs / "quickstart.yaml")[0])) == 40
    assert len(plan(load_config(configs / "henderson-halfcheetah.yaml")[0])) == 10
