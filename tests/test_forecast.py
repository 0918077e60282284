"""What a plan costs."""

import dataclasses
from pathlib import Path

import pytest
from builders import record, spec

from rlaudit.config import AuditConfig
from rlaudit.errors import RlauditError
from rlaudit.forecast import _extrapolated, of_config, prices
from rlaudit.store import Store


def test_stored_runs_give_the_price() -> None:
    records = [
        record(spec(0), seconds=2.0),
        record(spec(1), seconds=4.0),
        record(spec(2), status="failed", seconds=90.0),
    ]
    known = prices([spec(3)], records, pilot=False)
    assert known["a2c", "CartPole-v1"].seconds == 3.0
    assert known["a2c", "CartPole-v1"].basis == "mean of 2 stored runs"


def test_two_pilots_tell_the_start_of_a_run_from_its_steps() -> None:
    whole = spec(timesteps=50_000)
    short = record(spec(timesteps=1_000), eval_steps=[1_000], seconds=1.1)
    long = record(spec(timesteps=5_000), eval_steps=[5_000], seconds=1.5)
    assert _extrapolated(whole, short, long).seconds == pytest.approx(1.0 + 50 * 0.1)


def test_a_run_shorter_than_its_pilots_costs_what_they_cost() -> None:
    both = record(spec(timesteps=200), eval_steps=[200], seconds=0.4)
    assert _extrapolated(spec(timesteps=200), both, both).seconds == 0.4


def test_a_pilot_that_fails_says_why() -> None:
    failed = record(spec(), status="failed", error="Traceback\nValueError: no such thing")
    with pytest.raises(RlauditError, match="the pilot of a2c on CartPole-v1 failed: ValueError: no such thing"):
        _extrapolated(spec(), failed, failed)


def test_a_finished_plan_has_nothing_left_to_train(tmp_path: Path) -> None:
    from rlaudit.plan import plan

    agents = {"a2c": {"algo": "A2C", "timesteps": 200}}
    config = AuditConfig.model_validate({"name": "done", "task": "CartPole-v1", "agents": agents, "seeds": 2})
    store = Store(tmp_path)
    for planned in plan(config):
        store.add(dataclasses.replace(record(planned), seconds=1.0))
    text = "\n".join(of_config(config, store))
    assert "2 stored" in text
    assert "Nothing is left to train." in text
