"""PPO, DDPG, SAC and TRPO on Walker2d, six files that were collected look by look: what may be claimed of them."""

import csv
from functools import cache

import numpy as np
import pytest
from scipy import stats
from shared_data import FOLDER

import rlaudit
from rlaudit.comparisons import permutation
from rlaudit.findings import exit_code
from rlaudit.judge import judge
from rlaudit.results import Claim
from rlaudit.types import ArmScores, ScoreTable

SUPPORTED = ("PPO > DDPG", "SAC > PPO", "PPO > TRPO", "SAC > DDPG", "SAC > TRPO")
FRAGILE = "TRPO > DDPG"
CARRIES = (("DDPG", "walker6/4"),)  # the seed that never learned: -10.06


@cache
def walker2d() -> ScoreTable:
    """10 PPO, 30 DDPG, 10 SAC and 30 TRPO seeds, called by their file and row."""
    files = sorted((FOLDER / "walker2d").glob("walker*.csv"))
    if not files:
        pytest.skip(f"the Walker2d results are not in {FOLDER / 'walker2d'}")
    scores: dict[str, dict[str, float]] = {}
    for path in files:
        for row in csv.DictReader(path.read_text().splitlines()):
            place = f"{path.stem}/{row.pop('')}"
            for agent, score in row.items():
                scores.setdefault(agent, {})[place] = float(score)
    arms = [ArmScores(name, "Walker2d", tuple(mine), np.array([*mine.values()])) for name, mine in scores.items()]
    return ScoreTable("final", tuple(arms))


def judged(*claims: str, seed: int = 0) -> tuple[Claim, ...]:
    return judge(claims, walker2d(), 0.05, seed=seed)


def scores(agent: str) -> np.ndarray:
    return walker2d().arm(agent, "Walker2d").scores


def test_the_files_are_those_that_are_meant() -> None:
    assert {"PPO": 10, "DDPG": 30, "SAC": 10, "TRPO": 30} == {arm.agent: len(arm.scores) for arm in walker2d().arms}
    assert 0.0422 == pytest.approx(stats.ttest_ind(scores("TRPO"), scores("DDPG"), equal_var=False).pvalue, abs=5e-5)
    p = permutation(scores("TRPO"), scores("DDPG"), alpha=0.05, rng=np.random.default_rng(0), n_resamples=99_999)
    assert 0.042 == pytest.approx(float(p.p_value), abs=0.004)


def test_five_claims_are_supported_and_one_hangs_on_a_seed() -> None:
    found = {claim.text: claim for claim in judged(*SUPPORTED, FRAGILE)}
    assert dict.fromkeys(SUPPORTED, "supported") | {FRAGILE: "fragile"} == {k: one.state for k, one in found.items()}
    assert ("supported", CARRIES) == (found[FRAGILE].decision, found[FRAGILE].removal.seeds)
    assert 0.5 == pytest.approx(found[FRAGILE].repetition, abs=0.06)


@pytest.mark.parametrize("claim", [*SUPPORTED, FRAGILE])
def test_each_claim_alone_has_the_same_state(claim: str) -> None:
    (alone,) = judged(claim)
    assert ("fragile" if claim == FRAGILE else "supported") == alone.state
    assert claim != FRAGILE or alone.removal.seeds == CARRIES


def test_without_the_seed_that_carries_it_the_claim_is_undecided() -> None:
    trpo, ddpg = scores("TRPO"), walker2d().arm("DDPG", "Walker2d")
    at = ddpg.seeds.index(CARRIES[0][1])
    left = stats.ttest_ind(trpo, np.delete(ddpg.scores, at), equal_var=False)
    assert 0.0668 == pytest.approx(left.pvalue, abs=5e-5)
    (claim,) = judged(FRAGILE)
    np.testing.assert_allclose(left.confidence_interval(0.95), (claim.removal.low, claim.removal.high))


def test_a_hundred_audit_seeds_say_the_same() -> None:
    first = [(claim.state, claim.flips) for claim in judged(*SUPPORTED, FRAGILE)]
    for seed in range(1, 100):
        assert first == [(claim.state, claim.flips) for claim in judged(*SUPPORTED, FRAGILE, seed=seed)]


def test_an_audit_says_it_and_its_gate_does_not_open() -> None:
    audit = rlaudit.audit(
        walker2d(), claims=[*SUPPORTED, FRAGILE], splits=100, tests=["welch"], group_sizes=[2], seed=42
    )
    (finding,) = [one for one in audit.findings if one.title == f"Claim fragile: {FRAGILE}"]
    assert "but not without seed walker6/4 of DDPG" in finding.sentence
    assert (3, 0) == (exit_code(audit, gate=True), exit_code(audit, gate=False))
