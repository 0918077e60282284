"""Seeds or evaluation episodes: which one to buy more of."""

from collections.abc import Iterator, Sequence
from statistics import median

from rlaudit.evaluation_noise import NOISY
from rlaudit.results import Audit, EvaluationNoise
from rlaudit.types import Finding, Level
from rlaudit.wording import more_seeds, on, percent


def evaluation_noise(audit: Audit) -> Iterator[Finding]:
    """The agent whose scores are noisiest for want of evaluation episodes."""
    noises = [one for one in audit.evaluation_noise if one.share]
    if not noises:
        return
    one = max(noises, key=lambda noise: noise.share or 0)
    noisy = sum((noise.share or 0) > NOISY for noise in noises)
    sure = all(noise.high is not None and noise.high <= NOISY for noise in noises)
    quiet = "Evaluations are no bottleneck" if sure else "Evaluations are no bottleneck, as far as can be said"
    known = f" (95 % interval {percent(one.low)} to {percent(one.high)})" if one.low is not None else ""
    about = "" if audit.metric == "final" else " This is about the final evaluation, not about the scores audited here."
    yield Finding(
        "Noisy evaluations" if noisy else quiet,
        f"{percent(one.share)}{known} of the variance of a final score of {one.agent}{on(one.task)} is noise of its "
        f"{one.n_episodes} evaluation episodes{_among(noises, noisy)}. Twice the episodes would shrink the standard "
        f"error of the mean by {percent(one.doubled)}, twice the seeds by 29 %.{about}",
        Level.WARN if noisy else Level.OK,
        {"share": one.share, "low": one.low, "high": one.high, "n_episodes": one.n_episodes, "doubled": one.doubled},
        _advice(one, sure),
    )


def _among(noises: Sequence[EvaluationNoise], noisy: int) -> str:
    if len(noises) == 1:
        return ""
    middle = median(noise.share or 0 for noise in noises)
    return f", the most of {len(noises)} (median {percent(middle)}; {noisy or 'none'} above a tenth)"


def _advice(one: EvaluationNoise, sure: bool) -> str:
    if one.episodes_enough is None:
        return f"Evaluate each seed on {10 * one.n_episodes:,} episodes before you train more of them."
    if one.episodes_enough > one.n_episodes:
        return (
            f"Evaluate each seed on about {one.episodes_enough:,} episodes, which needs no new training and brings the "
            "noise to a tenth; beyond that buy seeds."
        )
    return (
        f"{'' if sure else 'As far as can be said: '}{'S' if sure else 's'}pend on seeds, not on episodes; endless "
        f"episodes would be worth {more_seeds(one.seeds_worth)} on top of the {one.n_seeds}."
    )
