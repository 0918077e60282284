"""Agent, task and seed out of the names of folders and files: by a pattern that the user gives, else by custom.

Customs that are known: CleanRL's `{task}__{agent}__{seed}__{time}`; rlaudit's `{agent}__seed{seed}__{hash}`; a part
such as `seed_3`, `seed3`, `seed=3` or `s3`; a part, or a piece of one, that looks like a gymnasium id (`CartPole-v1`);
else the nearest folder's name is the agent. Where no seed is marked, the number of a run (`run_3`, rl-baselines3-zoo's
`CartPole-v1_3`, stable-baselines3's `PPO_3`, a folder `3`) tells the runs apart, and that is said.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.importers.nouns import Hints
from rlaudit.results import ReadNote
from rlaudit.types import SeedLabel
from rlaudit.wording import first_of

FIELDS = ("agent", "task", "seed")
_EDGES = "_-. ="
_SHOWN = 3  # names in a note
_ANCESTORS = 3  # folders above a source that is a run itself, whose names count
_CLEANRL = re.compile(r"(?P<task>.+)__(?P<agent>.+)__(?P<seed>\d+)__\d{9,}")
_RLAUDIT = re.compile(r"(?P<agent>.+)__seed(?P<seed>\d+)__[0-9a-f]{12}")
_SEED = re.compile(r"(?:(?<=[^a-z])|^)(?:seed[_\-= ]?|s)(\d+)(?=$|[^a-z0-9])", re.IGNORECASE)
_SB3 = r"A2C|ARS|CrossQ|DDPG|DQN|MaskablePPO|PPO|QRDQN|RecurrentPPO|SAC|TD3|TQC|TRPO"
_ENV = rf"(?!(?:{_SB3})\b)[A-Z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*-v\d+"
_ENV_ID = re.compile(rf"(?:(?<=[_\-.= ])|^){_ENV}(?=$|[_\-.= ])")
_RUN = r"(?P<front>.*)(?<![A-Za-z])(?i:run|rep|repeat|replicate)"
_RUN_NUMBER = re.compile(rf"(?:(?P<stem>{_ENV}|{_SB3}|)|{_RUN})[_\-]?(?P<number>\d{{1,6}})")
_STAMP = re.compile(r"(?<!\d)20\d\d-?\d\d-?\d\d(?:[T_\- ]?\d\d[-:_]?\d\d[-:_]?\d\d)?(?!\d)|(?<!\d)\d{10,}(?!\d)")


class RunName(NamedTuple):
    """What the name of a run says; None where it says nothing."""

    agent: str | None = None
    task: str | None = None
    seed: SeedLabel | None = None
    numbered: bool = False  # the seed is the number of the run, which nobody called a seed


class FullName(NamedTuple):
    """A name with all that a run needs; a task is not needed."""

    agent: str
    task: str | None
    seed: SeedLabel


def of_runs(paths: Sequence[Path], root: Path, hints: Hints) -> tuple[list[RunName | None], list[ReadNote]]:
    """A name for each path below `root` (or `root` itself); None for those that `hints.names` does not fit.

    `hints.agent` and `hints.task` stand over what is guessed from a name, never over what a pattern finds. Raises
    ImportFormatError where the pattern fits none of them.
    """
    if hints.names is None:
        guessed = [_guessed(_parts(path, root))._replace(**_said(hints)) for path in paths]
        return [*guessed], _numbered([path for path, name in zip(paths, guessed, strict=True) if name.numbered])
    found = [_by_pattern(hints.names, path, root, hints) for path in paths]
    strangers = [path for path, name in zip(paths, found, strict=True) if name is None]
    if strangers and len(strangers) == len(paths):
        raise ImportFormatError(
            f"--names {hints.names!r} fits none of the {len(paths)} runs below {root}, such as {shown(strangers)}. A "
            "pattern with k slashes is held against the last k + 1 parts of a path; {*} stands for anything."
        )
    text = f"{len(strangers)} of {len(paths)} runs, whose names --names does not fit: {shown(strangers)}"
    return found, [ReadNote("left_out", text)] if strangers else []


def complete(paths: Sequence[Path], names: Sequence[RunName | None], root: Path) -> dict[Path, FullName]:
    """The paths that have a name. Raises ImportFormatError where one lacks the seed or the agent."""
    known = {path: name for path, name in zip(paths, names, strict=True) if name is not None}
    full = {
        path: FullName(name.agent, name.task, name.seed)
        for path, name in known.items()
        if name.agent is not None and name.seed is not None
    }
    if len(full) < len(known):
        without_seed = [path for path, name in known.items() if name.seed is None]
        what, lacking = (
            ("seed", without_seed) if without_seed else ("agent", [path for path in known if path not in full])
        )
        raise ImportFormatError(
            f"{root}: nothing says the {what} of {len(lacking)} of {len(known)} runs: {shown(lacking)}. Say how they "
            "are called: --names '{agent}/{seed}' ({*} stands for anything; a pattern with k slashes is held against "
            "the last k + 1 parts of a path)" + ("." if without_seed else ", or say it: --agent-name NAME.")
        )
    return full


def shown(paths: Sequence[Path]) -> str:
    """The first of them, for a message."""
    return first_of([repr(str(path)) for path in paths], _SHOWN)


def without_seeds(parts: Sequence[str]) -> list[str]:
    """The parts of a path without the seeds that are marked in them."""
    found = [(part, _SEED.search(part)) for part in parts]
    return list(filter(None, (_without(part, seed) if seed else part for part, seed in found)))


def _numbered(paths: Sequence[Path]) -> list[ReadNote]:
    text = f"{len(paths):,} runs whose names mark no seed are told apart by the numbers in them: {shown(paths)}"
    return [ReadNote("rule", text)] if paths else []


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
    depth = pattern.count("/") + 1
    found = parse(pattern, "/".join(parts[-depth:]))
    if found is None:
        return None
    fields: dict[str, Any] = {name: found[name] for name in ("agent", "task") if name in found}
    guessed = RunName() if fields else _guessed(parts)
    if not fields and guessed.seed is None:  # the part with the seed in it, which custom does not see, names no agent
        guessed = _guessed(parts[:-depth])
    seed = int(found["seed"]) if "seed" in found else None
    return guessed._replace(seed=seed, numbered=False)._replace(**{**_said(hints), **fields})


def _said(hints: Hints) -> dict[str, Any]:
    return {name: label for name, label in (("agent", hints.agent), ("task", hints.task)) if label is not None}


def _parts(path: Path, root: Path) -> list[str]:
    """The source's own name first: it may be the agent's. A source that is a run is named by what stands above it."""
    above = root.resolve().parts[1:]
    return list(above[-_ANCESTORS:]) if path == root else [*above[-1:], *path.relative_to(root).parts]


def _guessed(parts: Sequence[str]) -> RunName:
    """By the customs above; a part of the path says one thing only."""
    last = parts[-1] if parts else ""
    if known := _CLEANRL.fullmatch(last) or _RLAUDIT.fullmatch(last):
        task = known.groupdict().get("task") or _task(parts[:-1][::-1])[0]
        return RunName(known["agent"], task, int(known["seed"]))
    at, marked = _last(_SEED.search, parts)
    numbered = marked is None
    if marked is not None:
        seed, beside = int(marked[1]), _without(parts[at], marked)
    else:
        at, marked = _last(_RUN_NUMBER.fullmatch, parts)
        if marked is None:
            return _named(parts[::-1], None)
        seed, beside = int(marked["number"]), marked["stem"] or marked["front"] or ""
    # what stands beside and above the seed names the agent, before what stands below it
    return _named([beside, *parts[:at][::-1], *parts[at + 1 :]], seed)._replace(numbered=numbered)


def _last(look: Callable[[str], "re.Match[str] | None"], parts: Sequence[str]) -> "tuple[int, re.Match[str] | None]":
    """The lowest part in which something is found, and what."""
    return next(((i, found) for i in reversed(range(len(parts))) if (found := look(parts[i]))), (0, None))


def _named(parts: Sequence[str], seed: int | None) -> RunName:
    """The agent and the task from the parts of a path, the nearest first."""
    task, rest = _task(parts)
    pieces = (_STAMP.sub("", part).strip(_EDGES) for part in rest)
    return RunName(next((piece for piece in pieces if piece and not piece.isdecimal()), None), task, seed)


def _task(parts: Sequence[str]) -> tuple[str | None, list[str]]:
    """The first gymnasium id, and the parts without it."""
    for i, part in enumerate(parts):
        if found := _ENV_ID.search(part):
            return found[0], [*parts[:i], _without(part, found), *parts[i + 1 :]]
    return None, list(parts)


def _without(part: str, found: "re.Match[str]") -> str:
    ends = (part[: found.start()].strip(_EDGES), part[found.end() :].strip(_EDGES))
    return "_".join(filter(None, ends))
