"""The fault bench in short: every kind of fault at least once. The full form is `python tests/faults.py`."""

import csv
import random
import signal

import pytest
from faults import (
    AT_A_TOUCH,
    BEFORE,
    FAILS,
    SENT,
    SURVIVES,
    TABLE,
    Bench,
    Round,
    can_mount,
    in_the_command,
    in_workers,
    together,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("faults").resolve(), random.Random(3))


def assert_nothing_lost(found: Round, kinds: set[str]) -> None:
    assert found.problems == []
    assert (0, 0, 0) == (found.lost, found.torn, found.twice)
    assert kinds == set(found.injected)


def test_trouble_in_workers_costs_the_runs_that_have_it_and_the_same_command_trains_them_again(bench: Bench) -> None:
    found = in_workers(bench, [*FAILS, *SURVIVES], "a2c", workers=4)
    assert_nothing_lost(found, {*FAILS, *SURVIVES, "clock jumps in the command"})


def test_whatever_ends_the_command_the_same_command_goes_on(bench: Bench) -> None:
    before = BEFORE if can_mount(bench.folder) else BEFORE[:1]
    ends = [*SENT, *AT_A_TOUCH]
    found = in_the_command(bench, [*before, *ends], "a2c")
    assert_nothing_lost(found, {*before, *ends})


def test_three_at_once_share_the_work_also_where_one_is_killed(bench: Bench) -> None:
    assert_nothing_lost(together(bench, 3, 1, "a2c"), {"3 audits at once, 1 killed"})


def test_the_full_form_has_injected_200_faults_of_every_kind_and_lost_nothing() -> None:
    rows = list(csv.DictReader(line for line in TABLE.read_text().splitlines() if not line.startswith("#")))
    kinds = {row["fault"] for row in rows}
    assert {*FAILS, *SURVIVES, *SENT, *AT_A_TOUCH, *BEFORE} <= kinds
    assert {"2 audits at once", "3 audits at once, 1 killed", "clock jumps in the command"} <= kinds
    assert 200 <= sum(int(row["injected"]) for row in rows)
    assert all(row["completed_by_the_same_command"] == row["stores"] for row in rows)
    assert 0 == sum(int(row[count]) for row in rows for count in ("lost", "torn", "trained_twice"))


def test_ctrl_c_can_be_sent() -> None:
    """Else the bench would prove nothing: a shell in the background ignores it for what it starts."""
    assert signal.getsignal(signal.SIGINT) != signal.SIG_IGN
