"""What a plan starts from: scores that exist, or a mean and an sd that somebody printed."""

import re
from collections.abc import Sequence

from rlaudit.errors import ConfigError, NotEnoughSeeds
from rlaudit.forecast.nouns import Pilot
from rlaudit.types import ScoreTable

_GRAMMAR = "'ppo: 247 +- 145, 20 seeds'"
_FAR = 1e100  # squares of it are finite
_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?\.?(?:[eE][-+]?\d+)?"
_PRINTED = re.compile(
    rf"\s*(?P<agent>\S.*?)\s*:\s*(?P<mean>{_NUMBER})\s*(?:\+-|\+/-|±)\s*(?P<sd>{_NUMBER})\s*,"
    r"\s*(?:n\s*=\s*)?(?P<n>\d{1,3}(?:,\d{3})+|\d+)\s*(?:seeds?|runs?)?\s*"
)


def pilots_of(table: ScoreTable) -> tuple[Pilot, ...]:
    """The agents with two seeds or more: fewer say nothing of the spread."""
    return tuple(
        Pilot(
            agent=arm.agent,
            task=arm.task,
            n=len(arm.scores),
            mean=float(arm.scores.mean()),
            sd=float(arm.scores.std(ddof=1)) if arm.scores.min() < arm.scores.max() else 0.0,
            scores=arm.scores,
            n_failed=len(arm.failed),
        )
        for arm in table.arms
        if len(arm.scores) > 1
    )


def parse_pilots(texts: Sequence[str]) -> tuple[Pilot, ...]:
    """From "ppo: 247 +- 145, 20 seeds": label, mean, sd between seeds (not an se), seeds. Raises ConfigError."""
    pilots = tuple(map(_parse, texts))
    labels = [pilot.agent for pilot in pilots]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise ConfigError(f"--pilot: {twice[0]!r} stands there twice; give each agent a name of its own")
    if len(pilots) < 2:
        raise ConfigError(f"--pilot {texts[0]!r}: there is nothing to compare it with; give --pilot for each agent")
    return pilots


def _parse(text: str) -> Pilot:
    found = _PRINTED.fullmatch(text)
    try:
        mean, sd, n = (float(found[part].replace(",", "")) if found else 0.0 for part in ("mean", "sd", "n"))
    except ValueError:
        found = None
    if not found:
        raise ConfigError(f"--pilot {text!r}: pilots read {_GRAMMAR}, with the sd between seeds (± will do, too)")
    if n < 2:
        raise NotEnoughSeeds(f"--pilot {text!r}: n = {n:.0f} says nothing of the spread; a pilot has at least 2 seeds")
    if sd <= 0:
        raise ConfigError(f"--pilot {text!r}: an sd of {found['sd']} leaves nothing to plan; it must be above 0")
    if not (max(abs(mean), sd, n) < _FAR and sd > 1 / _FAR):
        raise ConfigError(f"--pilot {text!r}: numbers beyond {_FAR:g} cannot be reckoned with")
    return Pilot(found["agent"], "", int(n), mean, sd)
