"""What the auditor's eye adds to an audit: plausible nouns for every section, made without any statistics."""

from dataclasses import replace

from rlaudit.results import (
    AggregateValue,
    Arm,
    Audit,
    Carrier,
    Claim,
    Estimate,
    EvaluationNoise,
    FailureAudit,
    FirstPlace,
    Flip,
    Leaderboard,
    MatrixCell,
    MetricChoice,
    MetricView,
    Outlier,
    PairAudit,
    ProcedureAudit,
    ProcedureRates,
    ProfileLine,
    RankedAgent,
    Redone,
    StuckRun,
    StuckRuns,
)  # fmt: skip
from rlaudit.types import Verdict

_TENTHS = tuple(range(5000, 50_001, 5000))


def with_eye(audit: Audit) -> Audit:
    """The audit with habits, leaderboards, failures, carriers, metrics and evaluation noise."""
    arms = [arm for arm in audit.arms if arm.scores]
    pair = next(iter(audit.comparisons), None)
    return replace(
        audit,
        procedures=_procedures(arms[0], pair) if arms else None,
        leaderboards=_leaderboards(audit) if pair else (),
        failures=tuple(map(_failures, audit.arms)),
        carriers=tuple(_carrier(audit, one) for one in audit.comparisons),
        metrics=tuple(_metrics(one) for one in audit.comparisons),
        evaluation_noise=tuple(_noise(arm) for arm in arms),
    )


def some_claims(pair: PairAudit) -> tuple[Claim, ...]:
    """One of each state."""
    names = {"a": pair.a, "b": pair.b, "task": pair.task, "n_a": 20, "n_b": 20}
    numbers = {"effect": 30.0, "low": 2.0, "high": 58.0, "p_for": 0.04, "p_against": 1.0, "level": 0.05}
    flips = tuple(Flip(how, 1, True, ((pair.a, 103),), 22.0, -4.0, 48.0) for how in ("removed", "replaced"))
    common = {**names, **numbers, "repetition": 0.52, "seeds_needed": pair.seeds_needed}
    text = f"{pair.a} > {pair.b}"
    return (
        Claim(text, "supported", "p = 0.04 for it", **common, flips=flips, decision="supported"),
        Claim(text, "fragile", "p = 0.04 for it", **common, flips=flips, decision="supported"),
        Claim(f"{pair.b} > {pair.a}", "contradicted", "p = 0.04 against it", **common, decision="contradicted"),
        Claim(f"{pair.a} >= {pair.b} - 9", "undecided", "p = 0.2 for it", **common, margin=9.0, relation=">="),
    )


def _procedures(arm: Arm, pair: PairAudit | None) -> ProcedureAudit:
    shares = {"mean_higher": 1.0, "adding_seeds": 0.14, "error_bars_se": 0.22, "welch": 0.03}

    def rates(name: str, share: float) -> ProcedureRates:
        around = Estimate(share, max(0.0, share - 0.02), min(1.0, share + 0.05))
        other = Estimate(0.3, 0.1, 0.5) if pair else None
        always = name == "mean_higher"
        return ProcedureRates(
            name, Estimate(1.0) if always else around, other, other and around, other, Estimate(1.4, 1.1, 2.0),
            2000, replaced=True, always=always, favours=name == "adding_seeds",
        )  # fmt: skip

    return ProcedureAudit(
        a=arm.agent,
        b=pair.b if pair else None,
        task=arm.task,
        group_size=5,
        rates=tuple(rates(name, share) for name, share in shares.items()),
        skipped={"choose_task": "one task only"},
        better=pair.a if pair else None,
    )


def _leaderboards(audit: Audit) -> tuple[Leaderboard, ...]:
    tasks = list(dict.fromkeys(arm.task for arm in audit.arms))
    together = [_board(audit, "", len(tasks))] if len(tasks) > 1 else []
    return (*together, *(_board(audit, task, 1) for task in tasks))


def _board(audit: Audit, task: str, n_tasks: int) -> Leaderboard:
    names = list(dict.fromkeys(arm.agent for arm in audit.arms))
    many = n_tasks > 1
    return Leaderboard(
        task=task,
        n_tasks=n_tasks,
        n_seeds=20,
        by="IQM" if many else "mean",
        agents=tuple(
            RankedAgent(name, 300.0 - 30 * i, 270.0 - 30 * i, None, i + 1, 1, len(names), 0.5**i, 0.1, 0.9)
            for i, name in enumerate(names)
        ),
        first_place=tuple(FirstPlace(n, 1 - 1 / n, 0.4, 1.0) for n in (2, 5, 10, 20)),
        matrix=tuple(
            MatrixCell(a, b, 0.75, 0.6, 0.9, 0.01, j % 2) for i, a in enumerate(names) for j, b in enumerate(names[:i])
        ),
        profiles=tuple(ProfileLine(n, (0.0, 1.0), (1.0, 0.0), (0.9, 0.0), (1.0, 0.1)) for n in names) if many else (),
        aggregates=tuple(AggregateValue(n, "iqm", 0.5, None, None, "a note") for n in names) if many else (),
        normalisation="0 for the worst and 1 for the best score" if many else "",
        n_pairs=len(names) * (len(names) - 1) // 2,
    )


def _failures(arm: Arm) -> FailureAudit:
    runs = tuple(StuckRun(seed, 9.0, 5000, (None, *[9.0] * 9)) for seed in arm.seeds[:3])
    stuck = StuckRuns(runs, 0.71, 0.43, arm.mean, _TENTHS, (50.0, *[200.0] * 9), (None, *[60.0] * 9))
    return FailureAudit(
        arm.agent, arm.task, arm.n_seeds + arm.n_failed, arm.n_failed, arm.failure_low, arm.failure_high, arm.mean,
        arm.mean, floor=min(arm.scores, default=None), curves_seen=True, stuck=stuck if len(arm.seeds) > 5 else None,
        reach=5.3, outliers=tuple(Outlier(seed, -566.0, -25.0, 310.0, True) for seed in arm.seeds[-1:]), sd=arm.sd,
        mean_without_outliers=312.0, sd_without_outliers=20.0,
    )  # fmt: skip


def _carrier(audit: Audit, pair: PairAudit) -> Carrier:
    arm = audit.arm(pair.a, pair.task)
    redone = tuple(
        Redone(change, 1, 2.0, None, 7.0, 0.2, change == "stuck", None)
        for change in ("farthest outlier", "outliers", "stuck", "failed")
    )
    return Carrier(
        pair.a, pair.b, pair.task, arm.agent, arm.seeds[0], arm.scores[0], pair.effect or 0.0, 1.5, -3.0, None, 0.04,
        0.08, None, turns=True, others=redone,
    )  # fmt: skip


def _metrics(pair: PairAudit) -> MetricChoice:
    views = tuple(
        MetricView(
            name, until, asked, 20, 20, 9.0, -4.0, 22.0, 0.4 * until, -0.2, None, 0.03, verdict, 0.2, not asked,
        )
        for name, until, asked, verdict in (
            ("final", 1.0, True, Verdict.UNDECIDED), ("auc", 1.0, False, Verdict.A_BETTER),
            ("auc", 0.5, False, Verdict.B_BETTER), ("best", 1.0, False, Verdict.UNDECIDED),
        )
    )  # fmt: skip
    return MetricChoice(
        pair.a, pair.b, pair.task, "welch", "final", Verdict.UNDECIDED, n_metrics=4, ahead_a=3, ahead_b=1,
        significant_a=1, significant_b=1, turned=2, n_at_end=3, turned_at_end=1, depends=True, views=views,
    )  # fmt: skip


def _noise(arm: Arm) -> EvaluationNoise:
    return EvaluationNoise(
        arm.agent, arm.task, arm.n_seeds, 20, 20_000.0, 60_000.0, 0.13, 0.05, 0.3, 0.03, 0.01, 0.08, 0.07, None, 0.2
    )
