"""What runs cost, and what a budget buys."""

import dataclasses
from pathlib import Path

import pytest
from builders import record, spec
from hypothesis import given
from hypothesis import strategies as st

from rlaudit.config import AuditConfig
from rlaudit.errors import RlauditError
from rlaudit.forecast import Asked, lines, of_config, prices
from rlaudit.forecast.budgets import buy, ladder, minutes_to, runs_to
from rlaudit.forecast.costs import _extrapolated, given_prices
from rlaudit.forecast.nouns import Arm, Forecast
from rlaudit.plan import plan
from rlaudit.store import Store

ARMS = [("ppo", "x"), ("a2c", "x"), ("a2c", "y")]


def test_stored_runs_give_the_price() -> None:
    records = [
        record(spec(0), seconds=2.0),
        record(spec(1), seconds=4.0),
        record(spec(2), status="failed", seconds=90.0),
    ]
    known = prices([spec(3)], records, pilot=False)
    assert 3.0 == known["a2c", "CartPole-v1"].seconds
    assert "mean of 2 stored runs" == known["a2c", "CartPole-v1"].basis


def test_imported_runs_that_tell_no_time_have_no_price() -> None:
    assert {} == prices((), [record(spec(0), seconds=0.0)], pilot=False)


def test_two_pilots_tell_the_start_of_a_run_from_its_steps() -> None:
    whole = spec(timesteps=50_000)
    short = record(spec(timesteps=1_000), eval_steps=[1_000], seconds=1.1)
    long = record(spec(timesteps=5_000), eval_steps=[5_000], seconds=1.5)
    assert pytest.approx(1.0 + 50 * 0.1) == _extrapolated(whole, short, long).seconds


def test_a_run_shorter_than_its_pilots_costs_what_they_cost() -> None:
    both = record(spec(timesteps=200), eval_steps=[200], seconds=0.4)
    assert 0.4 == _extrapolated(spec(timesteps=200), both, both).seconds


def test_a_pilot_that_fails_says_why() -> None:
    failed = record(spec(), status="failed", error="Traceback\nValueError: no such thing")
    with pytest.raises(RlauditError, match="the pilot of a2c on CartPole-v1 failed: ValueError: no such thing"):
        _extrapolated(spec(), failed, failed)


def test_a_price_for_one_agent_goes_before_the_price_for_all() -> None:
    found = given_prices(["ppo=2.5", "1"], ARMS)
    assert {("ppo", "x"): 150.0, ("a2c", "x"): 60.0, ("a2c", "y"): 60.0} == {at: p.seconds for at, p in found.items()}
    assert [("ppo", "x")] == list(given_prices(["ppo=2.5"], ARMS))


def test_a_label_may_hold_an_equals_sign() -> None:
    assert 60.0 == given_prices(["lr=3e-4=1"], [("lr=3e-4", "x")])["lr=3e-4", "x"].seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "CPU-minutes above 0"),
        ("-1", "CPU-minutes above 0"),
        ("nan", "CPU-minutes above 0"),
        ("two", "CPU-minutes above 0"),
        ("ppo=", "CPU-minutes above 0"),
        ("pp0=1", "no agent 'pp0'. Did you mean 'ppo'?"),
    ],
)
def test_a_price_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(RlauditError) as refused:
        given_prices([text], ARMS)
    assert message in str(refused.value)


# ---------------------------------------------------------------- budgets


def arms(*n_and_minutes: tuple[int, float | None]) -> list[Arm]:
    return [Arm(f"a{i}", "", n, minutes) for i, (n, minutes) in enumerate(n_and_minutes)]


def test_a_budget_is_shared_and_the_agent_with_the_fewest_seeds_comes_first() -> None:
    two = arms((10, 1.0), (4, 3.0))
    assert (6, 2) == (buy(8.9, two).n_seeds, buy(8.9, two).n_runs)  # two runs of 3 minutes; a third would be 9
    assert (7, 3) == (buy(9.0, two).n_seeds, buy(9.0, two).n_runs)
    assert (11, 8) == (buy(22.0, two).n_seeds, buy(22.0, two).n_runs)  # 7 x 3 + 1 x 1
    assert 22.0 == minutes_to(11, two)


def test_what_one_agent_costs_is_not_needed_where_it_has_enough() -> None:
    assert 3.0 == minutes_to(5, arms((5, None), (4, 3.0)))
    assert minutes_to(6, arms((5, None), (4, 3.0))) is None


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0.01, 50)), min_size=1, max_size=5), st.floats(0, 5_000))
def test_a_budget_is_never_exceeded_and_never_left_unused(have: list[tuple[int, float]], minutes: float) -> None:
    some = arms(*have)
    bought = buy(minutes, some)
    assert minutes_to(bought.n_seeds, some) <= minutes * (1 + 1e-6)
    assert bought.n_seeds == 100_000 or minutes_to(bought.n_seeds + 1, some) > minutes * (1 - 1e-6)
    assert runs_to(bought.n_seeds, some) == bought.n_runs


def test_the_ladder_is_round_numbers_up_to_what_is_needed_and_what_there_is() -> None:
    rows = ladder(arms((20, 0.1), (20, 0.1)), needed=114)  # 94 more each: 18.8 minutes
    assert [0.0, 1.0, 2.0, 5.0, 10.0, 20.0] == [row.minutes for row in rows]
    assert [20, 25, 30, 45, 70, 120] == [row.n_seeds for row in rows]


def test_without_prices_the_ladder_is_round_numbers_of_seeds() -> None:
    rows = ladder(arms((0, None), (0, None)), needed=76)
    assert [(5, None), (10, None), (20, None), (50, None), (100, None)] == [(row.n_seeds, row.minutes) for row in rows]


def test_what_a_config_plans_is_a_row() -> None:
    assert 33 in [row.n_seeds for row in ladder(arms((0, 2.0), (0, 1.0)), needed=76, planned=33)]


# ---------------------------------------------------------------- configs


def config(**changes: object) -> AuditConfig:
    agents = {name: {"algo": name.upper(), "timesteps": 200} for name in ("a2c", "ppo")}
    return AuditConfig.model_validate(
        {"name": "small", "task": "CartPole-v1", "agents": agents, "seeds": 20, **changes}
    )


def stored(asked: AuditConfig, folder: Path, n_seeds: int, gap: float = 1.0) -> Store:
    """The first seeds of each agent, a2c higher by `gap`, a run of a2c in one minute and of ppo in two."""
    store = Store(folder)
    for planned in plan(asked):
        if isinstance(planned.seed, int) and planned.seed < n_seeds:
            score = planned.seed * 0.25 + gap * (planned.agent == "a2c")
            seconds = 60.0 if planned.agent == "a2c" else 120.0
            store.add(dataclasses.replace(record(planned), final_returns=[score], seconds=seconds))
    return store


def text_of(found: Forecast) -> str:
    return "\n".join(lines(found))


def test_a_finished_plan_has_nothing_left_to_train(tmp_path: Path) -> None:
    single = config(agents={"a2c": {"algo": "A2C", "timesteps": 200}}, seeds=2)
    text = text_of(of_config(single, stored(single, tmp_path, 2)))
    assert "2 stored" in text
    assert "Nothing is left to train." in text
    assert "There is only one agent: nothing to compare." in text


def test_stored_runs_of_a_config_are_its_pilot_and_its_price(tmp_path: Path) -> None:
    found = of_config(config(), stored(config(), tmp_path, 8), Asked(budgets=(12.0,)), pilot=False)
    assert [(8, 1.0), (8, 2.0)] == [(arm.n_seeds, arm.minutes) for arm in found.arms]
    assert (12, 8) == (found.purchases[0].n_seeds, found.purchases[0].n_runs)  # four more of each cost 4 x 3 minutes
    assert ["a2c > ppo"] == [claim.text for claim in found.claims]
    assert 1.0 == pytest.approx(found.claims[0].gap)
    assert found.runs is not None
    assert (24, 36 * 60.0) == (found.runs.n_missing, found.runs.seconds)


def test_a_config_without_runs_is_told_what_gains_its_budgets_find(tmp_path: Path) -> None:
    found = of_config(config(), Store(tmp_path), Asked(costs=("1",)), pilot=False)
    assert ["a true gain of 0.5 sd", "a true gain of 1 sd", "a true gain of 1.5 sd"] == [c.text for c in found.claims]
    planned = next(place for place, row in enumerate(found.purchases) if row.n_seeds == 20)
    assert 40.0 == found.purchases[planned].minutes
    powers = [claim.reaches[planned].power for claim in found.claims]
    assert [0.337, 0.868, 0.996] == pytest.approx(powers, abs=0.001)  # Welch at n = 20
    assert all(reach.low is None for claim in found.claims for reach in claim.reaches)
    assert "the gains are assumed, not seen." in " ".join(text_of(found).split())


def test_a_claim_of_a_config_without_runs_says_that_it_cannot_be_planned(tmp_path: Path) -> None:
    stating = config(audit={"claims": ["ppo >= a2c - 25"]})
    text = " ".join(text_of(of_config(stating, Store(tmp_path), pilot=False)).split())
    assert "ppo >= a2c - 25: cannot be planned, there are no two seeds of ppo on CartPole-v1 and of a2c" in text
    assert "What the missing runs cost is not known" in text
