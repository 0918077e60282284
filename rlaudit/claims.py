"""Claims that a config states: "ppo > a2c", "ppo > a2c on CartPole-v1", "ppo >= a2c - 25", "ppo == a2c within 10"."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast

from rlaudit.errors import ConfigError, did_you_mean

Relation: TypeAlias = Literal[">", ">=", "=="]

_GRAMMAR = "'a > b', 'a >= b - 25' or 'a == b within 10', each with 'on TASK' behind it if only one task is meant"
_RELATION = re.compile(r"\s*(>=|==|<=|=|>|<)(?![<>=])")
_MARGIN = re.compile(r"(-|\+|within)\s*(\S+)(?:\s+|$)")


@dataclass(frozen=True)
class ParsedClaim:
    """`a relation b`, for one task or for all of them."""

    a: str
    relation: Relation  # ">" better, ">=" no worse than by the margin, "==" equal within the margin
    b: str
    margin: float | None  # in units of the score; None where the relation is ">"
    task: str | None  # None: on every task
    text: str


def parse(text: str, agents: Collection[str], tasks: Collection[str]) -> ParsedClaim:
    """Raises ConfigError. Labels may contain blanks, hyphens and digits: the longest that fits is taken."""
    a, rest = _label(text.strip(), agents, "agent")
    found = _RELATION.match(rest)
    if not found or found[1] not in (">", ">=", "=="):
        way_out = "; write it the other way round, with >" if found and found[1].startswith("<") else ""
        raise ConfigError(f"is not a claim{way_out}: claims read {_GRAMMAR}")
    relation = cast(Relation, found[1])
    b, rest = _label(rest[len(relation) :].lstrip(), agents, "agent")
    if a == b:
        raise ConfigError(f"compares {a!r} with itself")
    margin, rest = _margin(relation, rest)
    return ParsedClaim(a, relation, b, margin, _task(rest, tasks), text)


def asked(texts: Sequence[str], arms: Collection[tuple[str, str]]) -> list[tuple[ParsedClaim, str]]:
    """Each claim with each task that it is about, called by it where there are several; stated twice it counts once.

    Without a task it is about those on which both agents, of `arms` (agent, task), have runs; about all where there is
    none, so that it is not lost. Raises ConfigError.
    """
    agents, tasks = (list(dict.fromkeys(names)) for names in zip(*arms, strict=True))
    found: dict[object, tuple[ParsedClaim, str]] = {}
    for text in texts:
        try:
            claim = parse(text, agents, tasks)
        except ConfigError as error:
            raise ConfigError(f"the claim {text!r} {error}") from None
        shared = [task for task in tasks if {(claim.a, task), (claim.b, task)} <= set(arms)] or tasks
        for task in [claim.task] if claim.task else shared:
            called = text if claim.task or len(tasks) == 1 else f"{text} on {task}"
            key = claim.a, claim.relation, claim.b, claim.margin, task
            found.setdefault(key, (replace(claim, text=called), task))
    return list(found.values())


def _label(text: str, labels: Collection[str], kind: str) -> tuple[str, str]:
    """The label that `text` begins with, and what follows it; a relation may follow without a blank."""
    for label in sorted(filter(None, labels), key=len, reverse=True):
        rest = text.removeprefix(label)
        if text.startswith(label) and (not rest or rest[0] in " <=>"):
            return label, rest.lstrip()
    word = re.split(r"\s*[<=>]+\s*|\s(?:-|within|on)\s|\s*$", text, maxsplit=1)[0]
    if not word:
        raise ConfigError(f"names no {kind} where one is due: claims read {_GRAMMAR}")
    known = did_you_mean(word, labels) if any(labels) else f" It knows no {kind}s: leave that part out."
    raise ConfigError(f"speaks of {word!r}, which is no {kind} of this audit.{known}")


def _margin(relation: Relation, text: str) -> tuple[float | None, str]:
    found = _MARGIN.match(text)
    sign = {">=": "-", "==": "within"}.get(relation)
    if (found[1] if found else None) != sign:
        wanted = f"needs a margin after {relation!r}" if sign else "takes no margin after '>'"
        raise ConfigError(f"{wanted}: claims read {_GRAMMAR}")
    if not found:
        return None, text
    try:
        margin = float(found[2])
    except ValueError:
        margin = 0.0
    if not 0 < margin < float("inf"):
        raise ConfigError(f"has the margin {found[2]!r}, which is not a number above 0")
    return margin, text[found.end() :]


def _task(text: str, tasks: Collection[str]) -> str | None:
    if not text:
        return None
    if not text.startswith("on "):
        raise ConfigError(f"ends in {text!r}: claims read {_GRAMMAR}")
    task, rest = _label(text[3:].strip(), tasks, "task")
    if rest:
        raise ConfigError(f"ends in {rest!r}: claims read {_GRAMMAR}")
    return task
