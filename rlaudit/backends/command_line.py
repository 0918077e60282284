"""The words of a command and what their placeholders stand for. Nothing here runs anything.

The line is split into words first, as a shell would, and the placeholders are filled in afterwards: a value with
blanks, quotes or semicolons stays one argument. `{{` and `}}` are literal braces.
"""

import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rlaudit.types import RunSpec

SEEDS = ("seed", "seed.init", "seed.env", "seed.algo")
BUILT_IN = (*SEEDS, "env", "steps", "agent", "task", "folder", "out")
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def words(command: str) -> list[str]:
    """As a POSIX shell splits them; ValueError where a quotation mark stays open."""
    return shlex.split(command)


def placeholders(text: str) -> list[str]:
    """The names in braces, in order; ValueError for a brace that is neither doubled nor part of one."""
    names = []
    for token in _TOKEN.finditer(text):
        if token[0] in "{}":
            raise ValueError(f"{text!r} has a single {token[0]!r}; a literal brace is doubled: {{{{ or }}}}")
        if token[1] is not None:
            names.append(token[1])
    return names


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders replaced; KeyError for an unknown one."""
    return _TOKEN.sub(lambda token: token[0][0] if token[1] is None else values[token[1]], text)


def values(spec: RunSpec, out: Path) -> dict[str, str]:
    """Placeholder -> what it stands for in this run; `out` is the run's own folder."""
    found = {
        "seed": spec.seed,
        **{f"seed.{stream}": seed for stream, seed in asdict(spec.seeds).items()},
        "env": spec.env_id,
        **{f"env.{key}": value for key, value in spec.env_kwargs.items()},
        "steps": spec.timesteps,
        "agent": spec.agent,
        "task": spec.task_label,
        **spec.params.get("labels", {}),  # those that belong to the run's identity
        "folder": spec.folder,
        "out": str(out),
        **spec.params.get("params", {}),
    }
    return {name: _text(value) for name, value in found.items()}


def texts(spec: RunSpec) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where placeholders may stand: the key within the agent, and the text."""
    yield ("command",), spec.algo
    for name, value in spec.params.get("environment", {}).items():
        yield ("environment", name), _text(value)
    if isinstance(file := spec.params.get("result", {}).get("file"), str):
        yield ("result", "file"), file


def takes_steps(spec: RunSpec) -> bool:
    """Whether the program is told how long to train. One that is not cannot be tried out for a few steps."""
    return any("{steps}" in text for place, text in texts(spec) if place[0] != "result")


def arguments(spec: RunSpec, out: Path) -> list[str]:
    """The program and its arguments: files beside the config by their full paths, `python` as this interpreter."""
    given = values(spec, out)
    first, *others = words(spec.algo)
    return [_program(spec, first, given), *(_argument(spec, word, given) for word in others)]


def _program(spec: RunSpec, word: str, given: Mapping[str, str]) -> str:
    if word == "python":
        return sys.executable
    return _argument(spec, word, given) if "/" in word else filled(word, given)  # a bare name is looked up on PATH


def _argument(spec: RunSpec, word: str, given: Mapping[str, str]) -> str:
    return str(beside(spec, word) or filled(word, given))


def beside(spec: RunSpec, word: str) -> Path | None:
    """The file beside the config that a word names, if it names one."""
    path = Path(spec.folder, word).absolute()
    return path if len(word) < 4096 and not Path(word).is_absolute() and path.is_file() else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
