"""Traces: two runs are equal to the bit, or what they first do not share is found, and who made it."""

from typing import Any

import numpy as np
import pytest
from builders import record, spec
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaudit.results import Difference
from rlaudit.results.reproduction import Where
from rlaudit.traces import BUILT, CHANNELS, DENSE, END, RESET, ROLLOUT, SPARSE, STEP, Recorder, compare
from rlaudit.types import RunRecord, TrainingEpisodes

STEPS, ROLLOUTS_EVERY = 2000, 100  # timesteps


def traced(
    part: int | None = None, channels: tuple[str, ...] = (), *, steps: int = STEPS, n_envs: int = 1, **changes: Any
) -> RunRecord:
    """A run whose `channels` hold something else from event number `part` on."""
    recorder, event, step = Recorder(STEPS), 0, 0

    def row(kind: int) -> None:
        nonlocal event
        if recorder.wants(kind, step):
            parted = part is not None and event >= part
            hashes = tuple(7 * event + (parted and name in channels) for name in CHANNELS)
            recorder.rows.append((step, kind, hashes))
        event += 1

    row(BUILT)
    row(RESET)
    while step < steps:
        if step % ROLLOUTS_EVERY == 0:
            row(ROLLOUT)
        step += n_envs
        row(STEP)
    row(END)
    return record(spec(timesteps=STEPS), measurements=recorder.arrays(), **changes)


def first(part: int, *channels: str, **changes: Any) -> Difference:
    found = compare(traced(**changes), traced(part, channels, **changes), whole=True).first
    assert found is not None
    return found


def test_equal_runs_are_equal_over_all_of_their_steps() -> None:
    found = compare(traced(), traced(), whole=True)
    assert (STEPS, None) == (found.steps, found.first)
    assert set(found.channels.values()) == {None}


@pytest.mark.parametrize(
    ("part", "channels", "expected"),
    [
        (0, ("weights",), Difference(0, None, "weights", "initial weights")),
        (1, ("observations",), Difference(0, 0, "observations", "reset")),
        (3, ("rewards",), Difference(1, 0, "rewards", "environment")),
        (3, ("observations",), Difference(1, 0, "observations", "environment")),
        (4, ("observations", "rewards"), Difference(2, 1, "rewards", "environment")),
        (4, ("actions",), Difference(2, 1, "actions", "agent")),
        (4, ("actions", "observations", "rewards"), Difference(2, 1, "actions", "agent")),
        (103, ("weights",), Difference(100, 100, "weights", "learning")),
    ],
)
def test_what_differs_first_tells_who_made_it(part: int, channels: tuple[str, ...], expected: Difference) -> None:
    assert expected == first(part, *channels)


@pytest.mark.parametrize(
    ("channels", "where"),
    [
        (("actions", "observations", "rewards"), "one step"),  # which was first, nobody saw
        (("actions",), "agent"),
        (("observations", "rewards"), "environment"),
    ],
)
def test_late_in_a_run_a_difference_lies_between_two_steps(channels: tuple[str, ...], where: Where) -> None:
    part = 1500
    found = first(part, *channels)
    assert found.step is not None
    assert found.after is not None
    timestep = part - 2 - 15  # the events before it that are no steps
    assert found.after < timestep <= found.step
    assert found.step - found.after <= STEPS // SPARSE + 1
    assert where == found.where


def test_with_several_environments_a_step_is_one_step() -> None:
    assert Difference(8, 4, "actions", "agent") == first(4, "actions", "observations", n_envs=4)


@given(part=st.integers(0, 2000), channel=st.sampled_from(CHANNELS))
@settings(max_examples=50, deadline=None)
def test_wherever_runs_part_it_is_seen_in_that_channel_alone_and_from_both_sides(part: int, channel: str) -> None:
    a, b = traced(), traced(part, (channel,))
    there, back = compare(a, b, whole=True), compare(b, a, whole=True)
    assert there == back
    assert there.first is not None
    assert channel == there.first.channel
    assert {channel} == {name for name, step in there.channels.items() if step is not None}


def test_a_run_that_stops_early_is_compared_as_far_as_it_goes() -> None:
    short = traced(steps=700)
    found = compare(traced(), short, whole=False)
    assert found.first is None
    assert 700 - STEPS // SPARSE <= found.steps <= 700
    assert compare(traced(900, ("actions",)), short, whole=False).first is None
    assert compare(traced(500, ("actions",)), short, whole=False).first is not None


@pytest.mark.parametrize("timesteps", [10, 1000, 1_000_000])
@pytest.mark.parametrize("n_envs", [1, 8])
def test_a_trace_is_small_dense_at_first_and_reaches_to_the_end(timesteps: int, n_envs: int) -> None:
    recorder = Recorder(timesteps)
    kept = [step for step in range(n_envs, timesteps + 1, n_envs) if recorder.wants(STEP, step)]
    assert len(kept) <= DENSE + SPARSE + 1
    every = list(range(n_envs, timesteps + 1, n_envs))[:DENSE]
    assert every == kept[:DENSE]
    assert not kept or timesteps - kept[-1] <= max(n_envs, timesteps // SPARSE)


def test_only_runs_to_the_end_must_agree_in_their_results() -> None:
    other = traced(final_returns=np.array([1.0]), weights_sha256="cd" * 32)
    assert compare(traced(), other, whole=False).first is None
    found = compare(traced(), other, whole=True)
    assert found.first is not None
    assert ("final return", "evaluation") == (found.first.channel, found.first.where)
    assert STEPS == found.channels["weights"]


# ---------------------------------------------------------------- programs


def program(**changes: Any) -> RunRecord:
    return record(spec(timesteps=200, backend="command"), **changes)


def test_of_a_program_the_curve_tells_from_where_on() -> None:
    changed = np.array([[0.1, 1 / 3], [1e-17, 499.0]])
    found = compare(program(), program(eval_returns=changed), whole=True)
    assert Difference(200, 100, "evaluation", "unknown") == found.first


def test_of_a_program_the_episodes_tell_from_where_on() -> None:
    episodes = TrainingEpisodes(np.array([0.1 + 0.2, -1e299]), np.array([7, 9]), np.array([0.5, 9.25]))
    found = compare(program(), program(episodes=episodes), whole=True)
    assert Difference(16, None, "training episodes", "unknown") == found.first


def test_a_program_that_ends_sooner_differs_where_it_ends() -> None:
    shorter = program(eval_steps=np.array([100]), eval_returns=np.array([[0.1, 1 / 3]]), eval_lengths=[[10, 11]])
    found = compare(program(), shorter, whole=True).first
    assert found is not None
    assert (200, "evaluation") == (found.step, found.channel)


def test_the_same_program_is_equal_whatever_its_clock_says() -> None:
    episodes = TrainingEpisodes(np.array([0.1 + 0.2, -1e300]), np.array([7, 9]), np.array([0.7, 1.5]))
    assert compare(program(), program(episodes=episodes, seconds=9.0), whole=True).first is None
