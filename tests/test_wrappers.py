"""Wrappers and stacked frames of the sb3 backend: as rl-zoo puts them, with scores that they cannot touch."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from builders import spec
from stable_baselines3.common.vec_env import VecCheckNan, VecFrameStack, VecNormalize

from rlaudit.backends import BACKENDS
from rlaudit.backends.sb3_agent import build, linear_schedule, make_envs, monitors, stacked
from rlaudit.backends.sb3_evaluation import make_evaluator
from rlaudit.backends.sb3_training import weights_sha256
from rlaudit.types import EvaluationPlan, Problem, RunRecord, RunSpec

SCALES, LIVES, OFFSET = "trouble_wrappers:Scales", "trouble_wrappers:Lives", "trouble_wrappers:Offset"
LIMIT = {"gymnasium.wrappers:TimeLimit": {"max_episode_steps": 7}}


def train(of: RunSpec) -> RunRecord:
    (record,) = BACKENDS["sb3"].train([of], progress=lambda spec, steps: None)
    assert record.error is None
    return record


def check(of: RunSpec) -> list[Problem]:
    return BACKENDS["sb3"].check(of)


def test_wrappers_stand_inside_out_above_the_monitor() -> None:
    of = spec(wrappers=({SCALES: {"by": 3}}, {LIVES: {}}))
    (env,) = make_envs(of, 1).envs
    assert ["Lives", "Scales", "RunMonitor"] == [
        type(one).__name__
        for one in (env, env.env, env.env.env)  # type: ignore[attr-defined]
    ]


def test_a_wrapper_of_rewards_changes_what_is_learned_and_not_what_is_scored() -> None:
    record = train(spec(wrappers=({SCALES: {}},), timesteps=300))
    np.testing.assert_array_equal(record.episodes.lengths, record.episodes.returns)
    np.testing.assert_array_equal(record.eval_lengths[-1], record.final_returns)
    assert record.weights_sha256 != train(spec(timesteps=300)).weights_sha256


def test_episodes_that_a_wrapper_ends_are_counted_in_training_and_evaluation() -> None:
    record = train(spec(wrappers=(LIMIT,), timesteps=100))
    assert [7] * 14 == record.episodes.lengths.tolist()
    assert [[7, 7]] == record.eval_lengths.tolist()


def test_an_episode_goes_on_where_a_wrapper_only_says_that_it_is_over() -> None:
    longest = train(spec(wrappers=({LIVES: {"steps": 2}},), timesteps=400)).episodes.lengths.max()
    assert longest > 5


@pytest.mark.parametrize("wrapper", [LIVES, SCALES])
def test_an_evaluation_behind_wrappers_is_the_same_whatever_happens_before_it(wrapper: str) -> None:
    def evaluated(names: list[str]) -> list[float]:
        of = spec(wrappers=({wrapper: {}},), evaluation=EvaluationPlan(episodes=5))
        agent, envs = build(of)
        evaluate = make_evaluator(of, agent, envs)
        return [evaluate(name)[0].tolist() for name in names][-1]

    assert evaluated(["this"]) == evaluated(["another", "this"])


@pytest.mark.parametrize(
    "changes",
    [
        {"wrappers": ({OFFSET: {}},)},
        {"frame_stack": 3},
        {"frame_stack": 3, "algo": "DQN", "params": {"learning_starts": 40}},
        {"frame_stack": 3, "normalize": {}, "n_envs": 2},
    ],
    ids=str,
)
def test_how_often_one_evaluates_leaves_training_equal_to_the_bit(changes: dict[str, Any]) -> None:
    of = spec(timesteps=400, **changes)
    often = replace(of, evaluation=EvaluationPlan(every=100, episodes=3))
    assert train(of).weights_sha256 == train(often).weights_sha256


def test_making_wrappers_draws_nothing_from_the_generators_of_weights() -> None:
    bare, wrapped = spec(), spec(wrappers=({OFFSET: {}}, {OFFSET: {}}))
    assert weights_sha256(build(bare)[0]) == weights_sha256(build(wrapped)[0])


def test_what_a_wrapper_draws_while_it_is_made_follows_the_environments_seed() -> None:
    def offsets(of: RunSpec) -> list[float]:
        return [env.offset for env in build(of)[1].envs]  # type: ignore[attr-defined]

    of = spec(wrappers=({OFFSET: {}},), n_envs=2)
    assert offsets(of) == offsets(of)
    assert offsets(of) == offsets(replace(of, seeds=replace(of.seeds, init=1, algo=1)))
    assert offsets(of) != offsets(replace(of, seeds=replace(of.seeds, env=1)))


def test_frames_are_stacked_above_normalisation_and_wrappers_of_all_below_it() -> None:
    of = spec(frame_stack=4, normalize={}, wrappers=({"stable_baselines3.common.vec_env:VecCheckNan": {}},))
    stack = stacked(of, make_envs(of, 2))
    assert isinstance(stack, VecFrameStack)
    assert isinstance(stack.venv, VecNormalize)
    assert isinstance(stack.venv.venv, VecCheckNan)
    assert stack.observation_space.shape == (16,)


def test_a_stacked_and_normalised_agent_is_trained_and_evaluated_by_raw_returns() -> None:
    clip = {"gymnasium.wrappers:ClipReward": {"min_reward": -0.1, "max_reward": 0.1}}
    of = spec(frame_stack=2, normalize={}, n_envs=2, wrappers=(clip,))
    assert check(of) == []
    record = train(of)
    np.testing.assert_array_equal(record.eval_lengths[-1], record.final_returns)


def test_stacked_frames_that_a_replay_buffer_would_not_get_are_refused() -> None:
    (problem,) = check(spec(algo="DQN", frame_stack=2, normalize={"norm_obs": False}))
    assert ("agents", "a2c", "frame_stack") == problem.path
    assert "replay buffer" in problem.message


def test_without_wrappers_every_environment_has_its_monitor_outermost() -> None:
    envs = make_envs(spec(), 2)
    assert monitors(envs) == envs.envs


@pytest.mark.parametrize("start", [3e-4, 0.2, 7.3e-4])
def test_a_linear_schedule_is_the_share_that_remains_to_the_bit_and_never_below_zero(start: float) -> None:
    schedule = linear_schedule(start)
    shares = [1.0, 0.7, 0.3, 1e-3, 0.0]
    assert [share * start for share in shares] == [schedule(share) for share in shares]
    assert schedule(-0.02) == 0.0


@pytest.mark.parametrize(
    ("wrappers", "index", "words"),
    [
        ([{"rl_zoo3.nowhere:FrameSkip": {}}], 0, "pip install rl_zoo3"),
        ([{"minigrid.nowhere:FlatObsWrapper": {}}], 0, "pip install minigrid"),
        ([{SCALES: {}}, {"trouble_wrappers:Live": {}}], 1, "Did you mean 'Lives'?"),
        ([{SCALES: {"bye": 3}}], 0, "'bye' is not an argument of trouble_wrappers:Scales. Did you mean 'by'?"),
        ([{"gymnasium.wrappers:NormalizeObservation": {}}], 0, "normalize"),
        ([{"gymnasium.wrappers:GrayscaleObservation": {}}], 0, "cannot wrap CartPole-v1: ValueError"),
        ([{"math:pi": {}}], 0, "cannot wrap CartPole-v1: TypeError"),
    ],
    ids=str,
)
def test_a_wrapper_that_cannot_be_used_is_found_before_training(
    wrappers: list[dict[str, Any]], index: int, words: str
) -> None:
    (problem,) = check(spec(wrappers=wrappers))
    assert ("agents", "a2c", "wrappers", index) == problem.path
    assert words in problem.message
