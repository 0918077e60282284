"""Agent, task and seed out of the names of folders and files: by a pattern that the user gives, else by custom.

Customs that are known: CleanRL's `{task}__{agent}__{seed}__{time}`; a part such as `seed_3`, `seed3`, `seed=3` or
`s3`; a part that looks like a gymnasium id (`CartPole-v1`); else the nearest folder's name is the agent.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.importers.nouns import Hints
from rlaudit.results import ReadNote
from rlaudit.types import SeedLabel

FIELDS = ("agent", "task", "seed")
_SHOWN = 3  # names in a note
_CLEANRL = re.compile(r"(?P<task>.+)__(?P<agent>.+)__(?P<seed>\d+)__\d{9,}")
_SEED = re.compile(r"(?:(?<=[^a-z])|^)(?:seed[_\-= ]?|s)(\d+)(?=$|[^a-z0-9])", re.IGNORECASE)
_ENV_ID = re.compile(r"[A-Z]\w*(?:-\w+)*-v\d+")


class RunName(NamedTuple):
    """What the name of a run says; None where it says nothing."""

    agent: str | None = None
    task: str | None = None
    seed: SeedLabel | None = None


def of_runs(paths: Sequence[Path], root: Path, hints: Hints) -> tuple[list[RunName | None], list[ReadNote]]:
    """A name for each path below `root` (or `root` itself); None for those that `hints.names` does not fit.

    `hints.agent` and `hints.task` stand over what is guessed from a name, never over what a pattern finds. Raises
    ImportFormatError where the pattern fits none of them.
    """
    if hints.names is None:
        return [_guessed(path, root)._replace(**_said(hints)) for path in paths], []
    found = [_by_pattern(hints.names, path, root, hints) for path in paths]
    strangers = [path for path, name in zip(paths, found, strict=True) if name is None]
    shown = ", ".join(repr(str(path)) for path in strangers[:_SHOWN]) + (", ..." if len(strangers) > _SHOWN else "")
    if strangers and len(strangers) == len(paths):
        raise ImportFormatError(
            f"--names {hints.names!r} fits none of the {len(paths)} runs below {root}, such as {shown}. A pattern with "
            "k slashes is held against the last k + 1 parts of a path; {*} stands for anything."
        )
    text = f"{len(strangers)} of {len(paths)} runs, whose names --names does not fit: {shown}"
    return found, [ReadNote("left_out", text)] if strangers else []


def parse(pattern: str, name: str) -> Mapping[str, str] | None:
    """What "{task}__{agent}__{seed}__{*}" finds in `name`; None where it does not fit.

    `{*}` is anything that does not matter. Raises ImportFormatError for a pattern that is none.
    """
    found = compiled(pattern).fullmatch(name)
    return None if found is None else found.groupdict()


def compiled(pattern: str) -> "re.Pattern[str]":
    """Raises ImportFormatError where a field is unknown, there twice, or where there is none at all."""
    parts = re.split(r"\{([^{}]*)\}", pattern)
    fields = [name for name in parts[1::2] if name != "*"]
    for name in fields:
        if name not in FIELDS:
            raise ImportFormatError(f"--names {pattern!r}: {{{name}}} is no field.{did_you_mean(name, (*FIELDS, '*'))}")
        if fields.count(name) > 1:
            raise ImportFormatError(f"--names {pattern!r}: {{{name}}} stands there twice")
    if not fields:
        raise ImportFormatError(f"--names {pattern!r}: name fields in it, such as '{{task}}__{{agent}}__{{seed}}'")
    text = [re.escape(part) if i % 2 == 0 else _group(part) for i, part in enumerate(parts)]
    return re.compile("".join(text))


def _group(name: str) -> str:
    if name == "*":
        return ".*?"
    return r"(?P<seed>\d+)" if name == "seed" else rf"(?P<{name}>[^/]+?)"


def _by_pattern(pattern: str, path: Path, root: Path, hints: Hints) -> RunName | None:
    parts = _parts(path, root)
    found = parse(pattern, "/".join(parts[-1 - pattern.count("/") :]))
    if found is None:
        return None
    seed = found.get("seed")
    guessed = RunName() if {"agent", "task"} & found.keys() else _guessed(path, root)
    fields = {name: found[name] for name in ("agent", "task") if name in found}
    return guessed._replace(seed=None if seed is None else int(seed), **{**_said(hints), **fields})


def _said(hints: Hints) -> dict[str, str]:
    return {name: label for name, label in (("agent", hints.agent), ("task", hints.task)) if label is not None}


def _parts(path: Path, root: Path) -> list[str]:
    """The folder's own name first: it may be the agent's."""
    return [root.resolve().name, *path.relative_to(root).parts]


def _guessed(path: Path, root: Path) -> RunName:
    """By the customs above; a part of the path says one thing only."""
    parts = _parts(path, root)
    if cleanrl := _CLEANRL.fullmatch(parts[-1]):
        return RunName(cleanrl["agent"], cleanrl["task"], int(cleanrl["seed"]))
    at = next((i for i in reversed(range(len(parts))) if _SEED.search(parts[i])), None)
    if at is None:
        seed, rest = None, parts[::-1]
    else:  # what stands beside and above the seed names the agent, before what stands below it
        marked = cast("re.Match[str]", _SEED.search(parts[at]))
        seed = int(marked[1])
        beside = (parts[at][: marked.start()] + parts[at][marked.end() :]).strip("_-. =")
        rest = [beside, *parts[:at][::-1], *parts[at + 1 :]]
    task = next((part for part in rest if _ENV_ID.fullmatch(part)), None)
    agent = next((part for part in rest if part and part != task and not part.isdecimal()), None)
    return RunName(agent, task, seed)
