"""Seeds that failed, runs that got stuck, seeds far from the others, and single seeds that a verdict hangs on."""

from collections import Counter
from collections.abc import Iterator

from rlaudit.findings.words import versus
from rlaudit.results import Arm, Audit, Carrier, FailureAudit, StuckRuns
from rlaudit.types import Finding, Level
from rlaudit.wording import number, on, p_text, percent, several

_BY_LUCK = 0.01  # of agents with normal seeds have an outlier
_MANY_ARMS = 20  # from here on luck is reckoned with
_MOST = 3  # findings of one kind; the worst first


def failures(audit: Audit) -> Iterator[Finding]:
    """Seeds without a score: how many, how many there may be, and whether they decide a comparison."""
    failed = sorted((arm for arm in audit.arms if arm.n_failed), key=_failure_rate, reverse=True)
    turned = [pair for pair in audit.comparisons if pair.imputed and not pair.imputed.agrees]
    for place, arm in enumerate(failed[:_MOST]):
        yield _failed(arm, _why(audit, arm) + _more(place, len(failed), "agents and tasks have failed seeds"))
    for place, pair in enumerate(turned[:_MOST]):
        imputed = pair.imputed
        assert imputed is not None
        yield Finding(
            f"{versus(pair)}: the failed seeds decide",
            f"With the failed seeds counted as the worst score that either reached ({number(imputed.floor)}), the "
            f"comparison of {pair.a} and {pair.b}{on(pair.task)} turns: difference {number(imputed.effect)}, "
            f"{p_text(imputed.p_value)} instead of {p_text(pair.tests[pair.decided_by].p_value)}."
            f"{_uncorrected(audit)}" + _more(place, len(turned), "comparisons turn so"),
            Level.UNSAFE,
            {"effect": imputed.effect, "p_value": imputed.p_value},
            "Report both, or make the failed seeds finish.",
        )
    if audit.arms and not failed:
        arm = min(audit.arms, key=lambda one: one.n_seeds)
        yield Finding(
            "No seed failed",
            f"No seed failed. With {arm.n_seeds} seeds an agent, a failure rate of up to {percent(arm.failure_high)} "
            "could still go unseen (95 % bound).",
            Level.OK,
            {"n": arm.n_seeds, "high": arm.failure_high},
            "Report the bound." + (" 59 seeds without a failure would bring it to 5 %." if arm.n_seeds < 59 else ""),
        )


def _failed(arm: Arm, more: str) -> Finding:
    n = arm.n_seeds + arm.n_failed
    evidence = {"n_failed": arm.n_failed, "n": n, "low": arm.failure_low, "high": arm.failure_high}
    if not arm.n_seeds:
        every = "The only seed" if n == 1 else f"All {n} seeds"
        said = f"{every} of {arm.agent}{on(arm.task)} failed: there is no score, and nothing can be said of this agent."
        step = "Look into the failures: do not leave this agent out of a table without saying so."
        return Finding(f"{arm.agent}: no seed finished", f"{said}{more}", Level.UNSAFE, evidence, step)
    said = (
        f"{arm.n_failed} of {n} seeds of {arm.agent}{on(arm.task)} failed and have no score (failure rate "
        f"{percent(arm.n_failed / n)}, 95 % interval {percent(arm.failure_low)} to {percent(arm.failure_high)}). Its "
        f"numbers speak only of the seeds that finished.{more}"
    )
    step = "Look into the failures before you average."
    return Finding(f"{arm.agent}: failed seeds", said, Level.WARN, evidence, step)


def _why(audit: Audit, arm: Arm) -> str:
    """The most frequent reason, where the runs say one."""
    mine = (one for one in audit.failures if (one.agent, one.task) == (arm.agent, arm.task))
    reasons = Counter(run.reason for one in mine for run in one.failed if run.reason).most_common(1)
    return "".join(f" Most often: {reason} ({n} of {arm.n_failed})." for reason, n in reasons)


def _uncorrected(audit: Audit, then: str = "") -> str:
    n = len(audit.comparisons)
    return f" Both before the correction for {n} comparisons{then}." if n > 1 else ""


def _failure_rate(arm: Arm) -> float:
    return arm.n_failed / (arm.n_seeds + arm.n_failed)


def _more(place: int, n: int, what: str) -> str:
    """What the last of the findings says of those that are not told."""
    return f" In all, {n} {what}." if place == _MOST - 1 and n > _MOST else ""


# ---------------------------------------------------------------- the one seed


def single_seeds(audit: Audit) -> Iterator[Finding]:
    """Verdicts that turn without one seed. An undecided pair that one seed less would decide is no finding."""
    pairs = {(pair.a, pair.b, pair.task): pair for pair in audit.comparisons}
    decided = [one for one in audit.carriers if pairs[one.a, one.b, one.task].verdict.has_winner]
    fragile = sorted((one for one in decided if one.turns), key=lambda one: one.p_without, reverse=True)
    for place, one in enumerate(fragile[:_MOST]):
        yield Finding(
            f"{versus(pairs[one.a, one.b, one.task])}: the verdict hangs on one seed",
            f"{one.a} against {one.b}{on(one.task)} is decided with all seeds ({p_text(one.p_value)}), but not without "
            f"{seed_of(one)} (score {number(one.score)}): difference {number(one.effect_without)} instead of "
            f"{number(one.effect)}, {p_text(one.p_without)}.{_usual(audit, one)}"
            + _more(place, len(fragile), f"of {len(decided)} decided comparisons hang on one seed"),
            Level.WARN,
            {"seed": one.seed, "score": one.score, "p_value": one.p_value, "p_without": one.p_without},
            "Call the verdict fragile, or train more seeds of both agents.",
        )
    if decided and not fragile:
        one = max(decided, key=lambda each: each.p_without)
        yield Finding(
            "No verdict hangs on one seed",
            f"{_none_turns(len(decided))} The nearest to it is {one.a} against {one.b}{on(one.task)}: without "
            f"{seed_of(one)} the difference is {number(one.effect_without)} instead of {number(one.effect)}, "
            f"{p_text(one.p_without)}.",
            Level.OK,
            {"comparisons": len(decided), "p_value": one.p_value, "p_without": one.p_without},
            "The verdicts may be reported as resting on more than a lucky seed.",
        )


def _none_turns(n: int) -> str:
    if n == 1:
        return "The one decided comparison stays decided whichever single seed is left out."
    return f"Each of {n} decided comparisons stays decided whichever single seed is left out."


def seed_of(one: Carrier) -> str:
    """`seed 7 of ppo`."""
    return f"seed {one.seed} of {one.agent}" if one.agent else f"seed {one.seed} of both"


def _usual(audit: Audit, one: Carrier) -> str:
    """Measured with Welch's test, normal seeds, n = 5-50: .99-1.0 of p in (.03, .05] turn, and none below .01."""
    if len(audit.comparisons) > 1:
        return _uncorrected(audit, ", which the verdict has passed")
    if one.p_value > 0.6 * audit.alpha:
        return " With p so near alpha that is the rule, and says nothing against this seed."
    return " With p so far below alpha that is rare: look at this seed." if one.p_value < 0.2 * audit.alpha else ""


# ---------------------------------------------------------------- groups


def stuck_runs(audit: Audit) -> Iterator[Finding]:
    """Runs that finished, but fell behind early and never came back."""
    found = [(one, one.stuck) for one in audit.failures if one.stuck]
    found.sort(key=lambda item: -(item[1].share or 0))
    for place, (one, stuck) in enumerate(found[:_MOST]):
        n = one.n - one.n_failed
        yield Finding(
            f"{one.agent}: {_runs(len(stuck.runs))} got stuck",
            stuck_sentence(one, stuck) + _turned(audit, one, "stuck")
            + _more(place, len(found), "agents and tasks have stuck runs"),
            Level.WARN,
            {"n_stuck": len(stuck.runs), "n": n, "share": stuck.share, "share_by_chance": stuck.share_by_chance},
            "Report how many runs get stuck beside the mean of the others: one mean describes neither.",
        )  # fmt: skip


def stuck_sentence(one: FailureAudit, stuck: StuckRuns) -> str:
    """How many, since when, and what of the spread they explain."""
    n, k = one.n - one.n_failed, len(stuck.runs)
    since = sorted(run.since for run in stuck.runs)
    steps = f"step {since[0]:,}" if since[0] == since[-1] else f"steps {since[0]:,} to {since[-1]:,}"
    behind = f"fell behind at {steps} and never came back: from there to the end"
    if stuck.steps and since[-1] <= stuck.steps[0]:
        behind = "never got off the ground: all the way"
    explained = (
        f" {'It explains' if k == 1 else 'They explain'} {percent(stuck.share)} of the variance between seeds (the "
        f"worst {k} of {n} normal seeds would explain {percent(stuck.share_by_chance)})."
        if stuck.share is not None
        else ""
    )
    return (
        f"{k} of {n} runs of {one.agent}{on(one.task)} ({_named(stuck)}) finished, but {behind} less than half the "
        f"progress that the median run made since the first evaluation.{explained} Without "
        f"{'it' if k == 1 else 'them'} the mean is {number(stuck.mean_others)} instead of {number(one.mean)}."
    )


def _runs(k: int) -> str:
    return "1 run" if k == 1 else f"{k} runs"


def _named(stuck: StuckRuns) -> str:
    names = [str(run.seed) for run in stuck.runs]
    return f"seed {names[0]}" if len(names) == 1 else f"seeds {several(names)}"


def outliers(audit: Audit) -> Iterator[Finding]:
    """Seeds far from the others of their agent."""
    found = sorted((one for one in audit.failures if one.outliers), key=lambda one: -abs(one.outliers[0].distance))
    n = sum(one.reach is not None for one in audit.failures)
    by_luck = _BY_LUCK * n
    luck = n > _MANY_ARMS and len(found) <= by_luck + 2 * by_luck**0.5
    known = f" Of {n} agents and tasks about {number(by_luck, 2)} have such a seed by luck alone."
    for place, one in enumerate(found[: 1 if luck else _MOST]):
        far = one.outliers[0]
        yield Finding(
            f"{one.agent}: {'a seed' if len(one.outliers) == 1 else f'{len(one.outliers)} seeds'} far from the others",
            outlier_sentence(one) + _moved(audit, one) + _turned(audit, one, "outliers")
            + _more(place, len(found), "agents and tasks have such seeds") + (known if n > _MANY_ARMS else ""),
            Level.OK if luck else Level.WARN,
            {"n_outliers": len(one.outliers), "seed": far.seed, "score": far.score, "distance": far.distance},
            "Look at these runs, and report the numbers with and without them.",
        )  # fmt: skip


def outlier_sentence(one: FailureAudit) -> str:
    """The farthest, what its learning curve says, how many more, and what they do to mean and spread."""
    far, k = one.outliers[0], len(one.outliers)
    side = "below" if far.distance < 0 else "above"
    curve = (
        f" Its learning curve ends at {number(far.curve_end)}, among the others: it is the final evaluation that "
        "stands apart, not the training."
        if far.only_final
        else ""
    )
    more = "" if k == 1 else f" {k - 1} more {'lies' if k == 2 else 'lie'} beyond the same bound."
    return (
        f"Seed {far.seed} of {one.agent}{on(one.task)} scores {number(far.score)}, {number(abs(far.distance), 2)} "
        f"robust standard deviations {side} the median; of {one.n - one.n_failed} normal seeds none goes beyond "
        f"{number(one.reach, 2)} in 99 of 100 cases.{curve}{more} Without {'it' if k == 1 else 'them'} the mean is "
        f"{number(one.mean_without_outliers)} instead of {number(one.mean)}, the standard deviation "
        f"{number(one.sd_without_outliers)} instead of {number(one.sd)}."
    )


def _moved(audit: Audit, one: FailureAudit) -> str:
    """What the farthest seed alone does to the size of an effect, where it is the farthest of both agents."""
    pairs = {(pair.a, pair.b, pair.task): pair for pair in audit.comparisons}
    distances = {audit_of.agent: abs(audit_of.outliers[0].distance)
                 for audit_of in audit.failures if audit_of.task == one.task and audit_of.outliers}  # fmt: skip
    for each in audit.carriers:
        other = each.b if one.agent == each.a else each.a
        again = next((again for again in each.others if again.change in ("farthest outlier", "outliers")), None)
        if each.task == one.task and one.agent in (each.a, each.b) and again and again.n_changed == 1:
            before = pairs[each.a, each.b, each.task].cohen_d
            if distances[one.agent] >= distances.get(other, 0) and None not in (before, again.cohen_d):
                return (
                    f" Without this seed alone the difference of {each.a} and {each.b} is {number(again.cohen_d)} "
                    f"standard deviations instead of {number(before)}."
                )
    return ""


def _turned(audit: Audit, one: FailureAudit, change: str) -> str:
    """Which comparisons of this agent turn when they are left out."""
    mine = [each for each in audit.carriers if each.task == one.task and one.agent in (each.a, each.b)]
    redone = [(each, again) for each in mine for again in each.others if again.change == change]
    turned = [f"{each.a} against {each.b}" for each, again in redone if again.turns]
    if not redone:
        return ""
    if not turned:
        return " Leaving out what stands apart turns no verdict."
    return f" Leaving out what stands apart turns the verdict on {several(turned, 4)}."
