"""How often sequential seeds name a wrong winner, and how soon the right one: the committed table, and a short look."""

from dataclasses import replace

import numpy as np
import pytest
from calibrate_sequential import ALIKE, EXACT, FUTILITY, INTERVALS, KINDS, SAFE, SETTINGS
from scipy import stats
from sequential_batch import ever_crossed
from sequential_streams import ALPHA, NAIVE, WORLDS, Row, Setting, committed, simulate, tables
from shared_data import FOLDER

from rlaudit.calibration import NULLS
from rlaudit.sequential.laws import added, cut, of_batch
from rlaudit.sequential.permuted import Permuted

TABLE = {row.setting: row for row in committed() if row.covered is None}
COVERAGE = {row.setting: row for row in committed() if row.covered is not None}
LEVEL = tuple(dict.fromkeys([*EXACT, *SAFE]))
SAC_TD3 = "sac v td3"


# ---------------------------------------------------------------- the committed table


def test_every_setting_is_in_the_committed_table() -> None:
    assert SETTINGS == {setting: row.streams for setting, row in TABLE.items()}
    assert set(INTERVALS) == set(COVERAGE)


@pytest.mark.parametrize("setting", LEVEL, ids=str)
def test_agents_that_are_alike_get_a_winner_at_most_as_often_as_promised(setting: Setting) -> None:
    """Over all looks and pairs, without futility: with the upper end of a 95 % interval at most .055."""
    row = TABLE[setting]
    assert row.streams >= 10_000
    assert row.wrong_upper <= 0.055


def test_nothing_else_exceeds_the_level_but_unequal_spreads_do() -> None:
    """Exchangeability is what is tested: sd 3 : 1 with equal means is not it."""
    for setting, row in TABLE.items():
        spread = setting.world.startswith("sd 3")
        if setting.kind != NAIVE:
            assert row.wrong <= (0.09 if spread else ALPHA + 3 * np.sqrt(0.05 * 0.95 / row.streams)), setting


def test_looking_with_a_fixed_test_errs_far_more_often() -> None:
    """Welch's; among five agents with Holm, which on SAC makes up for the looks."""
    for world, agents in (("normal", 2), ("sac", 2), ("td3", 2), ("normal", 5), ("td3", 5)):
        assert TABLE[Setting(NAIVE, world, agents)].wrong > 0.09


def test_sac_and_td3_are_told_apart_with_fifteen_seeds() -> None:
    """Published for a group-sequential permutation test (1,000 repeats): .465, .820 with 12.1, .890 with 14.9 seeds."""
    for futility in (None, FUTILITY):
        row = TABLE[Setting("group_sequential", SAC_TD3, futility=futility)]
        assert row.found >= 0.85
        assert row.seeds <= 15
        four = TABLE[Setting("group_sequential", SAC_TD3, looks=4, futility=futility)]
        assert four.found == pytest.approx(0.82, abs=0.045)
        assert four.seeds <= 12.6
    assert TABLE[Setting("group_sequential", SAC_TD3, looks=1)].found == pytest.approx(0.456, abs=0.04)


def test_futility_saves_seeds_and_hardly_costs_power() -> None:
    for kind in KINDS:
        without, with_it = (TABLE[Setting(kind, SAC_TD3, futility=futility)] for futility in (None, FUTILITY))
        assert with_it.found > without.found - 0.03
        assert TABLE[Setting(kind, "td3", futility=FUTILITY)].seeds < 25
        assert TABLE[Setting(kind, "td3")].seeds > 29


def test_intervals_hold_the_truth_at_all_looks() -> None:
    for row in COVERAGE.values():
        assert row.covered >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / row.streams)


# ---------------------------------------------------------------- measured again, with other random numbers

SHORT = {2: 300, 5: 60}  # streams by agents: 10 seconds in all


@pytest.fixture(scope="module")
def again() -> dict[Setting, Row]:
    """Without the real runs of SAC and TD3 where they are not at hand."""
    wanted = [
        *LEVEL,
        *(Setting(kind, world, futility=FUTILITY) for kind in KINDS for world in (SAC_TD3, "sd .7 apart")),
    ]
    here = [setting for setting in wanted if FOLDER.exists() or not {"sac", "td3"} & set(setting.world.split())]
    return {setting: simulate(setting, SHORT[setting.agents], seed=11) for setting in here}


def test_other_random_numbers_give_what_the_committed_table_says(again: dict[Setting, Row]) -> None:
    """Both measurements have errors; four of them together."""
    for setting, now in again.items():
        before = TABLE[setting]
        for p, q in ((before.wrong, now.wrong), (before.found, now.found)):
            if p is not None and q is not None:
                pooled = np.clip((p * before.streams + q * now.streams) / (before.streams + now.streams), 0.003, 0.997)
                error = np.sqrt(pooled * (1 - pooled) * (1 / before.streams + 1 / now.streams))
                assert abs(p - q) <= 4 * error + 0.002, setting
        assert before.seeds == pytest.approx(now.seeds, abs=2.5)


@pytest.mark.parametrize("kind", KINDS)
def test_all_nulls_together_keep_the_level(kind: str, again: dict[Setting, Row]) -> None:
    """1,500 streams of two agents: a doubled rate would be noticed. It finds something, too."""
    rows = [again[Setting(kind, world)] for world in ALIKE if Setting(kind, world) in again]
    n, wrong = sum(row.streams for row in rows), round(sum(row.wrong * row.streams for row in rows))
    most = int(stats.binom.ppf(0.999, n, ALPHA))
    assert stats.binom.sf(most, n, 2 * ALPHA) > 0.99, "too few streams to notice a doubled rate"
    assert n / 200 < wrong <= most


@pytest.mark.parametrize("world", ["normal", "log-normal", "bimodal", "tied", "sac", "one in five fails"])
def test_the_chance_of_a_winner_is_known_exactly_whatever_the_scores_are(world: str) -> None:
    """No simulation: given the scores of all batches, the deals that cross have at most alpha, and nearly that."""
    setting = Setting("group_sequential", world)
    chances = []
    for _, table in zip(range(20), tables(setting, seed=5), strict=False):
        a, b = (np.full(30, np.nan) for _ in range(2))
        for scores, arm in zip((a, b), table.arms, strict=True):
            scores[list(arm.seeds)] = arm.scores
        law, spent = None, 0.0
        for k in range(6):
            batch = of_batch(*(x[5 * k : 5 * k + 5][np.isfinite(x[5 * k : 5 * k + 5])] for x in (a, b)))
            found = cut(added(law, batch) if law else batch, ALPHA * (k + 1) / 6 - spent)
            law, spent = found.rest._replace(at=0), spent + found.spent  # whichever is observed
        chances.append(spent)
    assert max(chances) <= ALPHA + 1e-12
    assert np.mean(chances) > (0.035 if world == "tied" else 0.048)


@pytest.mark.parametrize("world", ["normal", "log-normal", "bimodal"])
def test_the_fast_walk_crosses_where_the_package_s_own_does(world: str) -> None:
    rng, shares = np.random.default_rng(6), [(k + 1) / 6 for k in range(6)]
    scores = NULLS[world](rng, (60, 60)).reshape(60, 2, 6, 5)
    scores[:30, 0] += 0.7 * scores.std()
    for level in (0.005, 0.05, 0.3):
        walks = [Permuted(list(zip(a, b, strict=True)), level, shares) for a, b in scores]
        expected = [walk.side(5) != 0 for walk in walks]
        assert expected == ever_crossed(scores[:, 0], scores[:, 1], level).tolist()
        assert any(expected)


def test_streams_without_events_are_told_apart_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = [(Setting("group_sequential", "log-normal"), 150), (Setting("group_sequential", "bimodal", 5), 30)]
    fast = [simulate(setting, n, seed=13) for setting, n in settings]
    monkeypatch.setattr("sequential_streams._can_be_screened", lambda _: False)
    assert fast == [simulate(setting, n, seed=13) for setting, n in settings]


@pytest.mark.slow
def test_two_and_five_agents_that_are_alike_at_length() -> None:
    """Half a minute: the upper end of the 95 % interval excludes half as many errors again."""
    for setting in (Setting("group_sequential", "log-normal"), Setting("anytime", "log-normal")):
        assert simulate(setting, 5_000, seed=12).wrong_upper <= 0.0625
        assert simulate(replace(setting, agents=5), 1_000, seed=12).wrong_upper <= 0.075


def test_every_world_of_the_table_is_described() -> None:
    assert {setting.world for setting in SETTINGS} <= set(WORLDS)
