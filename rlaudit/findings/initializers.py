"""The initializer as a hyper-parameter."""

from collections.abc import Iterator, Sequence

from rlaudit.findings.words import level
from rlaudit.results import Audit, Initializers
from rlaudit.results.initializers import GainEffect
from rlaudit.types import Finding, Level
from rlaudit.wording import decided_of, interval, listed, metric_name, number, on, percent, several

_SATURATED = 0.1  # share of runs at the best score there is
_MANY = 3  # candidates from which on the best one is flattered


def initializers(audit: Audit) -> Iterator[Finding]:
    """For each agent and task: does it matter, which may be the best, what the last gain does, what the score hides."""
    for one in audit.initializers:
        yield _matters(audit, one)
        yield _best(audit, one)
        yield from _last_gain(audit, one)
        yield from _saturated(audit, one)


def _who(one: Initializers) -> str:
    return f"{one.agent}{on(one.task)}"


def _matters(audit: Audit, one: Initializers) -> Finding:
    best, worst, n = one.starts[0], one.starts[-1], len(one.matrix)
    evidence = {"n_initializers": len(one.starts), "n_pairs": n, "n_decided": one.n_decided,
                "n_clusters": len(one.clusters), "best": best.mean, "worst": worst.mean}  # fmt: skip
    if not one.n_decided:
        return Finding(
            f"Whether the initializer matters for {_who(one)} is open",
            f"Not one of {n:,} pairs of initializers of {_who(one)} is told apart, which does not make them equal "
            f"({audit.family}).",
            Level.UNSAFE,
            evidence,
            "Train more seeds of each before you call the initializer unimportant.",
        )
    return Finding(
        f"The initializer matters for {_who(one)}",
        f"The initializer matters for {_who(one)}: {decided_of(n, n - one.n_decided, 'pair')}. {best.label} has a mean "
        f"of {number(best.mean)} and {worst.label} of {number(worst.mean)}. This holds for this agent, this task and "
        f"{one.timesteps:,} steps; another may turn it round.",
        Level.OK,
        evidence,
        "Report the initializer and the gain of the last layer like any other hyper-parameter.",
    )


def _best(audit: Audit, one: Initializers) -> Finding:
    best, leaders, n = one.starts[0], one.leaders, len(one.starts)
    mine = f"mean {number(best.mean)}, {level(audit)} interval {interval(best.low, best.high)}"
    evidence = {"n_candidates": len(leaders), "n_initializers": n, "mean": best.mean, "low": best.low,
                "high": best.high, "optimism": one.optimism}  # fmt: skip
    flattered = f" {_flattered(one)}" if n > _MANY and one.optimism else ""
    if len(leaders) == 1:
        return Finding(
            f"The best initializer of {_who(one)}: {best.label}",
            f"{best.label} is the best of {n} initializers of {_who(one)} ({mine}): each of the others is worse beyond "
            f"the luck of seeds.{flattered}",
            Level.OK,
            evidence,
            f"Report its mean from fresh seeds: {best.label} was chosen on these.",
        )
    return Finding(
        f"The best initializer of {_who(one)} is open",
        f"{best.label} leads ({mine}), but {len(leaders)} of {n} initializers of {_who(one)} may each be the best: "
        f"they are not told apart, which does not make them equal.{flattered}",
        Level.WARN,
        evidence,
        f"Do not name a winner. Whichever you choose of {several(leaders, 4)}, train it again with fresh seeds before "
        "you report its mean.",
    )


def _flattered(one: Initializers) -> str:
    return (
        f"The best of {len(one.starts)} looks better than it is: by about {number(one.optimism, 2)} if these seeds "
        "told the truth about all of them, and rather more."
    )


def _last_gain(audit: Audit, one: Initializers) -> Iterator[Finding]:
    """Schemes for which the last gain decides something, and whether it does so for all alike."""
    for gain in dict.fromkeys(effect.last_gain for effect in one.gain_effects):
        mine = [effect for effect in one.gain_effects if effect.last_gain == gain]
        sign = 1 if audit.higher_is_better else -1
        helped = [effect for effect in mine if min(sign * effect.low, sign * effect.high) > 0]
        hurt = [effect for effect in mine if max(sign * effect.low, sign * effect.high) < 0]
        against = mine[0].against
        if not helped and not hurt:
            sentence = f"For none of {len(mine)} schemes is a last gain of {gain:g} told apart from {against:g}"
        else:
            parts = [*_turned("better", helped), *_turned("worse", hurt)]
            rest = len(mine) - len(helped) - len(hurt)
            sentence = f"A last gain of {gain:g} instead of {against:g} is {listed(parts)}"
            sentence += f"; for the other {rest} it is undecided" if rest else ""
            sentence += ". Neither is better for all schemes" if helped and hurt else ""
        share = next((part for part in one.shares if part.of == "scheme with last gain"), None)
        both = (
            f" The two act together: {_share(share.share, share.low, share.high)}." if share and share.low > 0 else ""
        )
        yield Finding(
            f"The gain of the last layer, {_who(one)}: {gain:g} instead of {against:g}",
            f"{sentence} ({_who(one)}; all intervals together at {level(audit)}).{both}",
            Level.OK if helped or hurt else Level.WARN,
            {"n_schemes": len(mine), "n_helped": len(helped), "n_hurt": len(hurt)},
            "Judge a scheme together with its last gain, never alone."
            if helped or hurt
            else "Do not call the last gain unimportant: train more seeds.",
        )


def _turned(word: str, effects: Sequence[GainEffect]) -> Iterator[str]:
    if effects:
        largest = max(effects, key=lambda effect: abs(effect.effect))
        named = several([effect.scheme for effect in effects], 4)
        most = "" if len(effects) == 1 else f"most for {largest.scheme}, "
        yield f"{word} for {named} ({most}{number(largest.effect)} {interval(largest.low, largest.high)})"


def _share(share: float, low: float, high: float) -> str:
    return (
        f"{percent(share)} of the variance of a score, {percent(low)} to {percent(high)}, is what a scheme and a last "
        "gain do only in combination"
    )


def _saturated(audit: Audit, one: Initializers) -> Iterator[Finding]:
    if one.at_best > _SATURATED:
        other = "" if audit.metric == "auc" else " Compare `score: auc` instead: it also asks how soon."
        yield Finding(
            f"The score has a ceiling, {_who(one)}",
            f"{percent(one.at_best)} of the runs of {_who(one)} have the best score there is: "
            f"{metric_name(audit.metric)} cannot tell them apart.",
            Level.WARN,
            {"at_best": one.at_best},
            f"Do not read ties as equal.{other}",
        )
