"""Audits as they come out of real runs, made in milliseconds: deterministic, and with every oddity that happens.

Plain numpy and scipy; the numbers are plausible, not authoritative. Nothing here runs the code under test but `find`.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np
from eye_builder import some_claims, with_eye
from scipy import stats

from rlaudit.findings import find
from rlaudit.results import (
    Arm,
    Audit,
    GroupCurves,
    Imputed,
    NamedSplit,
    PairAudit,
    ReadArm,
    Reading,
    ReadNote,
    SeedsNeeded,
    SplitAudit,
    SplitTest,
    Spread,
    Subset,
    SubsetTest,
    TestResult,
)  # fmt: skip
from rlaudit.types import Floats, Verdict

TESTS = ("welch", "student", "permutation", "bootstrap_percentile", "bootstrap_expanded", "mann_whitney")
_TOO_OFTEN = dict(zip(TESTS, (0.9, 1.0, 0.95, 2.8, 1.05, 0.8), strict=True))  # split rates in units of alpha
STEPS = tuple(range(1000, 50_001, 1000))
HOSTILE = ('<script>alert("x")</script>', 'it\'s "quoted" & $\\frac{1}{0}$ \u5f3a\u5316\u5b66\u7fd2')


def build_audit(
    agents: Sequence[str] = ("a2c", "a2c-norm"),
    tasks: Sequence[str] = ("CartPole-v1",),
    n_seeds: int = 20,
    *,
    group_sizes: Sequence[int] = (2, 3, 5, 10),
    n_failed: int = 0,
    curves: bool = True,
    margin: float | None = 25.0,
    apart: float = 70.0,
    name: str = "quickstart",
    claims: bool = False,
) -> Audit:
    """`apart`: how much the true means of neighbouring agents differ, in units of the score (0 to 500)."""
    rng = np.random.default_rng(7)
    pools = {
        (agent, task): np.clip(80 + 420 * rng.beta(1.1, 1.4, n_seeds) - apart * place, 9, 500)
        for task in tasks
        for place, agent in enumerate(agents)
    }
    fitting = [n for n in group_sizes if 2 * n <= n_seeds]
    splits = tuple(_split(*key, pool, n, rng) for key, pool in pools.items() for n in fitting)
    pairs = [(a, b, task) for task in tasks for a, b in combinations(agents, 2)]
    audit = Audit(
        name=name,
        metric="final",
        higher_is_better=True,
        alpha=0.05,
        family=f"{len(pairs)} comparisons of this audit together at alpha = 0.05 (Holm 1979)",
        arms=tuple(_arm(*key, pool, n_failed) for key, pool in pools.items()),
        splits=splits,
        comparisons=tuple(
            _pair(a, b, task, pools[a, task], pools[b, task], margin, n_failed, rng) for a, b, task in pairs
        ),
        findings=(),
        curves=tuple(_curves(splits, pools, rng)) if curves else (),
        provenance={
            "rlaudit": "0.1.0",
            "runs: torch": "2.13.0",
            "runs: stable-baselines3": "2.9.0",
            "command": "rlaudit audit configs/quickstart.yaml",
        },
    )
    audit = with_eye(replace(audit, claims=some_claims(audit.comparisons[0]) if claims else ()))
    return replace(audit, findings=find(audit))


def without_what_may_be_missing(audit: Audit) -> Audit:
    """Every number that may be None is None."""
    arms = tuple(
        replace(arm, mean=None, sd=None, median=None, iqm=None, low=None, high=None, iqm_low=None, iqm_high=None)
        for arm in audit.arms
    )
    splits = tuple(
        replace(
            split,
            n_effective=None,
            relative_gap=None,
            any_significant=None,
            tests={t: replace(one, low=None, high=None, n_effective=None) for t, one in split.tests.items()},
        )
        for split in audit.splits
    )
    comparisons = tuple(_hollow(pair) for pair in audit.comparisons)
    bare = without_eye(
        replace(audit, arms=arms, splits=splits, comparisons=comparisons, curves=(), provenance={}, findings=())
    )
    return replace(bare, findings=find(bare))


def _hollow(pair: PairAudit) -> PairAudit:
    subsets = tuple(
        replace(
            subset,
            wrong_sign_low=None,
            wrong_sign_high=None,
            tests={t: replace(one, type_m=None, right_low=None, right_high=None) for t, one in subset.tests.items()},
        )
        for subset in pair.subsets
    )
    return replace(
        pair, effect=None, low=None, high=None, cohen_d=None, p_a_better=None, p_a_better_low=None,
        p_a_better_high=None, verdict=Verdict.UNDECIDED, p_adjusted=None, margin=None, p_equivalent=None,
        tests={test: TestResult(None, None, None, None, None, None, 0.0) for test in pair.tests},
        subsets=subsets, seeds_needed=SeedsNeeded(0.8, None, None, None),
    )  # fmt: skip


def without_eye(audit: Audit) -> Audit:
    """As it was before anybody asked for claims, habits, leaderboards and the rest."""
    empty = dict.fromkeys(("claims", "leaderboards", "failures", "carriers", "metrics", "evaluation_noise"), ())
    return replace(audit, procedures=None, **empty)


def odd_audits() -> dict[str, Audit]:
    """Name -> audit; whatever draws or writes must survive them all."""
    plain = build_audit()
    return {
        "plain": plain,
        "one arm": build_audit(["sac"]),
        "failed seeds": build_audit(n_failed=3),
        "no curves": build_audit(curves=False),
        "two tasks": build_audit(tasks=["CartPole-v1", "Acrobot-v1"]),
        "six agents": build_audit(["ppo", "a2c", "dqn", "qrdqn", "trpo", "ars"], apart=40),
        "three seeds": build_audit(n_seeds=3),
        "hostile names": build_audit(HOSTILE, ["</svg><img src=x>"], name="<b>bold</b> & co"),
        "long names": build_audit(["a-very-long-agent-name-with-lr-0.0003-and-more", "another-long-one" * 4]),
        "decided": build_audit(apart=200),
        "claims": build_audit(claims=True),
        "hostile claims": build_audit(HOSTILE, ["</svg><img src=x>"], claims=True),
        "values missing": without_what_may_be_missing(plain),
        "lower is better": replace(plain, higher_is_better=False),
        "nothing to compare": without_eye(replace(plain, comparisons=())),
        "one group size": build_audit(n_seeds=4, group_sizes=(2,)),
        "negative scores": _shifted(plain, -600),
        "equal scores": _constant(plain),
        "an arm without a score": _without_scores(plain, plain.arms[1]),
        "foreign results": _foreign(plain, "logs/"),
        "hostile foreign results": _foreign(build_audit(HOSTILE, ["</svg><img src=x>"]), HOSTILE[0]),
    }


def _foreign(audit: Audit, source: str) -> Audit:
    """As if it had been read from somebody's files."""
    arms = tuple(ReadArm(arm.agent, arm.task, arm.n_seeds, 0, (9, 10), (45_000, 50_000)) for arm in audit.arms)
    notes = tuple(ReadNote(kind, f"a {kind} about {source}") for kind in ("rule", "left_out", "warning"))
    read = replace(audit, reading=Reading((source,), ("monitor",), arms, notes), findings=())
    return replace(read, findings=find(read))


def _shifted(audit: Audit, by: float) -> Audit:
    arms = tuple(
        replace(
            arm, scores=tuple(score + by for score in arm.scores),
            **{key: getattr(arm, key) + by for key in ("mean", "median", "iqm", "low", "high", "iqm_low", "iqm_high")},
        )
        for arm in audit.arms
    )  # fmt: skip
    return replace(audit, arms=arms)


def _without_scores(audit: Audit, bare: Arm) -> Audit:
    """Every seed of one agent failed: it has no splits, no pairs and no curves."""
    none = dict.fromkeys(("mean", "sd", "median", "iqm", "low", "high", "iqm_low", "iqm_high"))
    failed = replace(bare, n_seeds=0, n_failed=bare.n_seeds, seeds=(), scores=(), failed=bare.seeds, **none)
    left = replace(
        audit,
        arms=tuple(failed if arm is bare else arm for arm in audit.arms),
        splits=tuple(one for one in audit.splits if one.agent != bare.agent),
        curves=tuple(one for one in audit.curves if one.agent != bare.agent),
        comparisons=(),
        findings=(),
    )
    left = with_eye(without_eye(left))
    return replace(left, findings=find(left))


def _constant(audit: Audit) -> Audit:
    """Every seed at the ceiling of the task: no spread, no gap, nothing to divide by."""
    at = dict.fromkeys(("mean", "median", "iqm", "low", "high", "iqm_low", "iqm_high"), 500.0)
    arms = tuple(replace(arm, sd=0.0, scores=(500.0,) * arm.n_seeds, **at) for arm in audit.arms)
    none = Spread(0.0, 0.0, 0.0)
    splits = tuple(
        replace(split, gap=none, relative_gap=none, normal_gap=none, p_histogram=(0,) * 19 + (split.n_splits,))
        for split in audit.splits
    )
    pairs = tuple(replace(pair, effect=0.0, low=0.0, high=0.0, cohen_d=None, subsets=()) for pair in audit.comparisons)
    return with_eye(replace(audit, arms=arms, splits=splits, comparisons=pairs))


# ---------------------------------------------------------------- the parts


def _arm(agent: str, task: str, pool: Floats, n_failed: int) -> Arm:
    n, mean, sd = len(pool), float(pool.mean()), float(pool.std(ddof=1))
    half = float(stats.t.ppf(0.975, n - 1)) * sd / n**0.5
    middle = float(stats.trim_mean(pool, 0.25))
    low, high = stats.binomtest(n_failed, n + n_failed).proportion_ci()
    return Arm(
        agent=agent, task=task, n_seeds=n, n_failed=n_failed, mean=mean, sd=sd, median=float(np.median(pool)),
        iqm=middle, low=mean - half, high=mean + half, iqm_low=middle - 1.2 * half, iqm_high=middle + 1.2 * half,
        seeds=tuple(range(100, 100 + n)), scores=tuple(pool.tolist()), failed=tuple(range(900, 900 + n_failed)),
        failure_low=float(low), failure_high=float(high),
    )  # fmt: skip


def _split(agent: str, task: str, pool: Floats, n: int, rng: np.random.Generator) -> SplitAudit:
    n_splits = min(2000, comb(len(pool), 2 * n) * comb(2 * n, n) // 2)
    order = np.array([rng.permutation(len(pool))[: 2 * n] for _ in range(n_splits)]).reshape(-1, 2, n)
    groups = pool[order]
    gaps = groups[:, 0].mean(-1) - groups[:, 1].mean(-1)
    p_values = _welch_p(groups[:, 0], groups[:, 1])
    sizes = np.argsort(np.abs(gaps), kind="stable")
    gap = Spread(*(float(q) for q in np.quantile(np.abs(gaps), [0.5, 0.95, 1])))
    mean, sd = float(pool.mean()), float(pool.std(ddof=1))
    return SplitAudit(
        agent=agent, task=task, group_size=n, n_splits=n_splits, exhaustive=n_splits < 2000,
        n_effective=float(len(pool) / n), gap=gap,
        relative_gap=Spread(gap.median / mean, gap.p95 / mean, gap.max / mean),
        normal_gap=Spread(*(z * sd * (2 / n) ** 0.5 for z in (0.674, 1.96, 3.4))),
        tests={test: _split_test(test, n) for test in TESTS},
        any_significant=0.976 if n_splits < 2000 else None,
        p_histogram=tuple(np.histogram(p_values, 20, (0, 1))[0].tolist()),
        wrong_winner=tuple((g, float((np.abs(gaps) > g * sd).mean() / 2)) for g in (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)),
        median_split=_named(pool, order, gaps, p_values, int(sizes[n_splits // 2])),
        worst_split=_named(pool, order, gaps, p_values, int(sizes[-1])),
    )  # fmt: skip


def _welch_p(a: Floats, b: Floats) -> Floats:
    """(...): scipy's own warns about groups whose seeds all reached the ceiling."""
    n = a.shape[-1]
    va, vb = a.var(-1, ddof=1) / n + 1e-12, b.var(-1, ddof=1) / n + 1e-12
    df = (va + vb) ** 2 * (n - 1) / (va**2 + vb**2)
    return 2 * stats.t.sf(np.abs(a.mean(-1) - b.mean(-1)) / np.sqrt(va + vb), df)


def _split_test(test: str, n: int) -> SplitTest:
    constant = test in ("permutation", "mann_whitney")
    rate = 0.05 * _TOO_OFTEN[test] * (1 + (3 / n if test == "bootstrap_percentile" else -0.5 / n))
    if constant and n < 4:
        rate = 0.0
    return SplitTest(
        rate=rate, low=rate if constant else 0.6 * rate, high=rate if constant else 1.5 * rate,
        n_effective=None if constant else 4.2, expected=0.97 * rate,
        min_p=2 / comb(2 * n, n) if constant else 0.0, constant=constant,
    )  # fmt: skip


def _named(pool: Floats, order: np.ndarray, gaps: Floats, p_values: Floats, at: int) -> NamedSplit:
    a, b = order[at] if gaps[at] >= 0 else order[at][::-1]
    percentile = 100 * float((np.abs(gaps) <= abs(gaps[at])).mean())
    a_seeds, b_seeds = (tuple(int(100 + i) for i in group) for group in (a, b))
    mean_a, mean_b = float(pool[a].mean()), float(pool[b].mean())
    return NamedSplit(a_seeds, b_seeds, mean_a, mean_b, abs(float(gaps[at])), percentile, float(p_values[at]))


def _pair(
    a: str, b: str, task: str, pool_a: Floats, pool_b: Floats, margin: float | None, n_failed: int,
    rng: np.random.Generator,
) -> PairAudit:  # fmt: skip
    welch = stats.ttest_ind(pool_a, pool_b, equal_var=False)
    interval = welch.confidence_interval(0.95)
    effect, sd = float(pool_a.mean() - pool_b.mean()), float(((pool_a.var(ddof=1) + pool_b.var(ddof=1)) / 2) ** 0.5)
    u = stats.mannwhitneyu(pool_a, pool_b)
    p, t, df, side = float(welch.pvalue), float(welch.statistic), float(welch.df), int(np.sign(effect))
    one = TestResult(t, df, p, float(interval.low), float(interval.high), 0.0, 0.0, side)
    results = dict.fromkeys(TESTS, one)
    results["permutation"] = TestResult(effect, None, min(1.0, 1.06 * p), None, None, 1e-6, 0.0002, side)
    results["mann_whitney"] = TestResult(float(u.statistic), None, float(u.pvalue), None, None, 1e-6, 0.0)
    better = float(u.statistic) / (len(pool_a) * len(pool_b))
    n = int(np.ceil(15.7 / (effect / sd) ** 2)) + 1
    decided = p <= 0.05
    sizes = (*range(2, 21), 25, 30, 40, 50, 70, 100)
    verdict = Verdict.UNDECIDED if not decided else Verdict.A_BETTER if effect > 0 else Verdict.B_BETTER
    says = "tells them apart" if decided else "does not tell them apart; that does not make them equal"
    return PairAudit(
        a=a, b=b, task=task, effect=effect, low=float(interval.low), high=float(interval.high), cohen_d=effect / sd,
        p_a_better=better, p_a_better_low=max(0.0, better - 0.15), p_a_better_high=min(1.0, better + 0.15),
        verdict=verdict, reason=f"Welch's t test {says}", decided_by="welch", p_adjusted=p, margin=margin,
        p_equivalent=0.62 if margin else None, tests=results,
        subsets=tuple(_subset(pool_a, pool_b, size, rng) for size in range(2, len(pool_a) // 2 + 1)),
        seeds_needed=SeedsNeeded(0.8, n, max(2, n // 3), None if p > 0.05 else 6 * n),
        power_curve=tuple((g, m, _power(g, m)) for g in (0.5, 1.0, 1.5) for m in sizes),
        imputed=Imputed(9.0, effect * 0.7, min(1.0, 2 * p), p > 0.05) if n_failed else None,
    )  # fmt: skip


def _power(gain: float, n: int) -> float:
    critical, shift = stats.t.ppf(0.975, 2 * n - 2), gain * (n / 2) ** 0.5
    return float(stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift))


def _subset(pool_a: Floats, pool_b: Floats, n: int, rng: np.random.Generator) -> Subset:
    a, b = (pool[rng.integers(0, len(pool), (2000, n))] for pool in (pool_a, pool_b))
    truth = float(pool_a.mean() - pool_b.mean())
    effects = a.mean(-1) - b.mean(-1)
    significant = _welch_p(a, b) <= 0.05
    right, wrong = (float((significant & (sign * effects * truth > 0)).mean()) for sign in (1, -1))
    type_m = float(np.abs(effects[significant]).mean() / abs(truth)) if significant.any() else None
    one = SubsetTest(right, wrong, 1 - right - wrong, type_m, max(0.0, right - 0.15), min(1.0, right + 0.2))
    wrong_sign = float((effects * truth < 0).mean())
    tests = dict.fromkeys(TESTS, one)
    return Subset(n, 2000, wrong_sign, max(0.0, wrong_sign - 0.1), min(1.0, wrong_sign + 0.15), tests)


def _curves(
    splits: Sequence[SplitAudit], pools: dict[tuple[str, str], Floats], rng: np.random.Generator
) -> list[GroupCurves]:
    shown = []
    for (agent, task), pool in pools.items():
        lines = {100 + i: _line(score, rng) for i, score in enumerate(pool)}
        mine = [split for split in splits if (split.agent, split.task) == (agent, task)]
        for split in sorted(mine, key=lambda one: abs(one.group_size - 5))[:1]:
            for which, named in (("median", split.median_split), ("worst", split.worst_split)):
                a, b = (tuple(lines[seed] for seed in group) for group in (named.a, named.b))
                shown.append(GroupCurves(agent, task, split.group_size, which, named.percentile, STEPS, a, b))
    return shown


def _line(score: float, rng: np.random.Generator) -> tuple[float | None, ...]:
    """An S-shaped curve that ends near the seed's score; every other first evaluation is missing."""
    steps = np.array(STEPS)
    rise = 1 / (1 + np.exp(-(steps - rng.uniform(8_000, 25_000)) / rng.uniform(2_000, 6_000)))
    values = 20 + (score - 20) * rise * (1 + 0.12 * rng.standard_normal(len(steps)))
    values[0] = np.nan if rng.random() < 0.5 else values[0]
    return tuple(None if np.isnan(value) else float(value) for value in np.clip(values, 9, 500))
