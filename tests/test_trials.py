"""Trials: real interpreters, real sources of chance, and nothing that outlives them."""

import datetime
import os
import random
import secrets
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import spec
from leaky_envs import Leaky
from trial_builder import forked

from rlaudit.backends import BACKENDS
from rlaudit.backends.pins import PROCESS_PINS, pinned
from rlaudit.executors import run_local
from rlaudit.traces import compare
from rlaudit.types import EvaluationPlan, RunRecord, RunSpec

OFF_POLICY = {"learning_starts": 40, "batch_size": 16}
CLEAN: dict[str, dict[str, Any]] = {
    "PPO": {"params": {"n_steps": 64, "batch_size": 32}},
    "A2C": {},
    "DQN": {"params": OFF_POLICY},
    "SAC": {"params": OFF_POLICY, "env_id": "Pendulum-v1", "timesteps": 250},
}


def trial(replicate: int = 0, treatment: dict[str, Any] | None = None, **changes: Any) -> RunSpec:
    given = {"backend": "sb3", **(treatment or {})}
    return spec(**{"backend": "trial", "treatment": given, "replicate": replicate, **changes})


def real(of: RunSpec) -> RunRecord:
    (found,) = BACKENDS["trial"].train([of], progress=lambda spec, steps: None)
    return found


@pytest.mark.parametrize("algo", CLEAN)
def test_clean_agents_agree_to_the_bit_and_in_a_pool(algo: str) -> None:
    first, *others = [
        forked(trial(algo=algo, **CLEAN[algo], replicate=replicate, treatment=treatment))
        for replicate, treatment in ((0, {}), (1, {}), (0, {"workers": 2}))
    ]
    for other in others:
        found = compare(first, other, whole=True)
        assert found.first is None
        assert found.steps >= first.spec.timesteps  # PPO goes on to the end of a rollout


def test_a_trial_is_the_run_of_its_own_backend_to_the_bit() -> None:
    (plain,) = BACKENDS["sb3"].train([spec()], progress=lambda spec, steps: None)
    traced = forked(trial())
    assert plain.weights_sha256 == traced.weights_sha256
    np.testing.assert_array_equal(plain.eval_returns, traced.eval_returns)


def test_a_trial_that_may_stop_early_has_learned_something() -> None:
    found = forked(trial(algo="PPO", timesteps=400, params={"n_steps": 64, "batch_size": 32}, treatment={"until": 20}))
    weights = found.measurements["trace_hashes"][:, -1]
    assert 64 < found.measurements["trace_steps"][-1] < 400
    assert 2 == len(set(weights.tolist()))


@pytest.mark.slow
def test_real_trials_differ_in_the_order_of_hashes_until_it_is_held() -> None:
    of = {"env_id": "leaky_envs:HashOrder-v0", "timesteps": 40}
    records = {
        (replicate, held): real(trial(replicate, {"pinned": ["hash order"]} if held else {}, **of))
        for replicate in (0, 1)
        for held in (False, True)
    }
    found = compare(records[0, False], records[1, False], whole=True).first
    assert found is not None
    assert (1, "rewards", "environment") == (found.step, found.channel, found.where)
    assert compare(records[0, True], records[1, True], whole=True).first is None


@pytest.mark.slow
def test_a_real_trial_works_in_an_empty_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    of = trial(env_id="leaky_envs:LeavesFile-v0", timesteps=40)
    first, again = real(of), real(replace(of, treatment={"backend": "sb3", "again": "folder"}))
    assert b"work/progress.txt" == first.measurements["left_behind"].tobytes()
    assert [] == list(tmp_path.iterdir())
    assert compare(first, again, whole=True).first is not None


@pytest.mark.slow
def test_a_trial_that_hangs_is_stopped_with_everything_that_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    of = trial(env_id="trouble_envs:Sleeps-v0", env_kwargs={"pid_file": str(note)}, timeout=20.0)
    (found,) = run_local([of], workers=1)
    assert "TimeoutError" in (found.error or "")
    pid = int(note.read_text())
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the interpreter of the trial lives on")


@pytest.mark.slow
def test_a_trial_that_dies_says_its_last_words() -> None:
    found = real(trial(env_id="trouble_envs:Dies-v0"))
    assert "failed" == found.status
    assert "SIGKILL" in (found.error or "")


@pytest.mark.slow
def test_a_program_gets_a_hash_seed_of_its_own() -> None:
    command = 'python -c \'print("return=" + str(hash("a") % 1000 + 0 * {seed}))\''
    of = {"backend": "trial", "algo": command, "params": {"result": {"pattern": "return={return}"}},
          "evaluation": EvaluationPlan()}  # fmt: skip
    returns = [
        real(spec(**of, replicate=replicate, treatment={"backend": "command", **treatment})).final_returns.tolist()
        for replicate, treatment in ((0, {}), (1, {}), (0, {"pinned": ["hash order"]}), (1, {"pinned": ["hash order"]}))
    ]
    assert returns[0] != returns[1]
    assert returns[2] == returns[3]


# ---------------------------------------------------------------- sources held still


def sources() -> dict[str, tuple[Any, ...]]:
    """What each source gives now."""
    random.seed()
    return {
        "clock": (time.time(), time.perf_counter(), time.monotonic_ns(), datetime.datetime.now(datetime.UTC), time.process_time()),
        "entropy": (
            os.urandom(8), secrets.token_hex(), uuid.uuid4(), random.random(), random.Random().random(),
            random.SystemRandom().random(), np.random.default_rng().random(), np.random.RandomState().rand(),
            np.random.SeedSequence().entropy, torch.seed(), Leaky().np_random.random(),
        ),
        "process": (os.getpid(), os.getppid()),
    }  # fmt: skip


@pytest.mark.parametrize("pin", PROCESS_PINS)
def test_a_source_that_is_held_gives_the_same_twice_and_is_let_go_afterwards(pin: str) -> None:
    state = torch.get_rng_state(), random.getstate()
    with pinned([pin]):
        first = sources()[pin]
    with pinned([pin]):
        again = sources()[pin]
    assert first == again
    assert all(one != other for one, other in zip(first, sources()[pin], strict=True))
    torch.set_rng_state(state[0])
    random.setstate(state[1])


def test_a_clock_that_is_held_still_ticks_and_its_moments_are_moments() -> None:
    with pinned(["clock"]):
        assert time.time() < time.time()
        assert datetime.datetime.now(datetime.UTC) - datetime.datetime.now(datetime.UTC) < datetime.timedelta(0)
        assert isinstance(datetime.datetime.now(datetime.UTC), datetime.datetime)


def test_two_generators_without_a_seed_stay_two_generators() -> None:
    with pinned(["entropy"]):
        assert np.random.default_rng().random() != np.random.default_rng().random()
