"""Looks for mistakes in a command before anything is run: a typing error costs a second here and hours there."""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rlaudit.backends.command_line import BUILT_IN, SEEDS, beside, placeholders, texts, values, words
from rlaudit.backends.command_result import COLUMNS, HINTS, KEYS, compiled, hints
from rlaudit.errors import RlauditError, did_you_mean
from rlaudit.importers import IMPORTERS
from rlaudit.importers.border import HEEDED
from rlaudit.types import Problem, RunSpec

_SHELL = {"|", "||", "&", "&&", ";", "<", ">", ">>", "2>", "2>&1", "&>"}
_SCRIPTS = (".py", ".sh", ".awk", ".jl", ".R", ".js", ".lua", ".rb", ".pl", ".jar")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _are_columns(value: object) -> bool:
    return isinstance(value, Mapping) and all(key in COLUMNS and _is_text(name) for key, name in value.items())


_KINDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "training": (lambda value: isinstance(value, bool), "true or false"),
    "columns": (_are_columns, f"like {{step: global_step, value: return}}, of {', '.join(COLUMNS)}"),
    "axes": (lambda value: isinstance(value, list) and all(map(_is_text, value)), "a list of names"),
    "every": (lambda value: isinstance(value, int) and value is not True and value > 0, "a whole number of steps"),
    **dict.fromkeys(("pattern", "file", "format", "metric", "names", "agent", "task"), (_is_text, "text")),
}


def problems(spec: RunSpec) -> list[Problem]:
    """Everything that is wrong with one command on one task; an empty list where it can be run."""
    found = [*_command(spec), *_placeholders(spec), *_environment(spec), *_result(spec.params.get("result", {}))]
    if os.name != "posix":
        found.append(Problem(("command",), "programs are run on Linux and macOS only: they end by process groups"))
    return [Problem(("agents", spec.agent, *path), message) for path, message in found]


# ---------------------------------------------------------------- the command


def _command(spec: RunSpec) -> Iterator[Problem]:
    at = ("command",)
    try:
        named = words(spec.algo)
    except ValueError as error:
        yield Problem(at, f"cannot be split into words: {error}. Is a quotation mark left open?")
        return
    if not named:
        yield Problem(at, "names no program")
        return
    if shell := [word for word in named if word in _SHELL]:
        yield Problem(at, f"{shell[0]!r} needs a shell, and there is none: put it in a script, or sh -c '...'")
    elif "#" in named:
        yield Problem(at, "holds a comment ('# ...'), which would be given to the program; put it above the key")
    elif re.match(r"\w+=", named[0]):
        yield Problem(at, f"{named[0]!r} is no program; variables stand under `environment`")
    elif named[0] != "python" and "{" not in named[0]:
        yield from _program(spec, named[0])
    for word in named[1:]:
        if word.endswith(_SCRIPTS) and not re.search(r"[{=]|^-", word) and not Path(spec.folder, word).exists():
            yield Problem(at, f"there is no {word!r} in {spec.folder}.{_neighbour(spec, word)}")


def _program(spec: RunSpec, word: str) -> Iterator[Problem]:
    path = beside(spec, word)
    if shutil.which(str(path) if path and "/" in word else word):
        return
    if path is not None:
        way_out = "name its interpreter (python FILE), or " + ("chmod +x it" if "/" in word else f"write ./{word}")
        yield Problem(("command",), f"{word!r} is no program that can be started; {way_out}")
    elif "/" in word:
        near = _neighbour(spec, word)
        yield Problem(("command",), f"there is no program {word!r} (relative paths start in {spec.folder}).{near}")
    else:
        yield Problem(("command",), f"there is no program {word!r} on the PATH.{_near(word, _on_path())}")


def _neighbour(spec: RunSpec, word: str) -> str:
    path = Path(spec.folder, word)
    return _near(path.name, _names_in(path.parent))


def _on_path() -> set[str]:
    return {name for folder in os.environ.get("PATH", "").split(os.pathsep) for name in _names_in(Path(folder))}


def _names_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _near(name: str, choices: Any) -> str:
    """The nearest one, or nothing: the list would be long."""
    suggestion = did_you_mean(name, choices)
    return suggestion if "Did you mean" in suggestion else ""


# ---------------------------------------------------------------- placeholders


def _placeholders(spec: RunSpec) -> Iterator[Problem]:
    known = values(spec, Path())
    own = spec.params.get("params", {})
    yield from (_taken(name) for name in own if name in BUILT_IN or name.startswith(("env.", "seed.")))
    used: set[str] = set()
    for path, text in texts(spec):
        try:
            names = placeholders(text)
        except ValueError as error:
            yield Problem(path, str(error))
            return
        used |= set(names) if path[0] != "result" else set()
        for name in names:
            if name not in known:
                yield Problem(path, f"{{{name}}} stands for nothing.{did_you_mean(name, known)}")
    if not used & set(SEEDS):
        yield Problem(("command",), "takes no seed, so that all of its runs would be one run: --seed {seed}")
    for name in own.keys() - used:
        yield Problem(("params", name), f"is never used: the command holds no {{{name}}}")
    for key in spec.env_kwargs:
        if f"env.{key}" not in used:
            yield Problem(("command",), f"leaves out {{env.{key}}}, which the task sets to {spec.env_kwargs[key]!r}")


def _taken(name: str) -> Problem:
    return Problem(("params", name), f"is a placeholder that has a meaning already ({', '.join(BUILT_IN)})")


def _environment(spec: RunSpec) -> Iterator[Problem]:
    for name, value in spec.params.get("environment", {}).items():
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            yield Problem(("environment", name), "is no name of a variable: letters, digits and _")
        elif not isinstance(value, str | int | float) or "\0" in str(value):
            yield Problem(("environment", name), f"is {value!r}; it must be text or a number")


# ---------------------------------------------------------------- the result


def _result(result: Mapping[str, Any]) -> Iterator[Problem]:
    at = ("result",)
    for key, value in result.items():
        if key not in KEYS:
            yield Problem((*at, key), f"is no key of a result.{did_you_mean(key, KEYS)}")
            return
        is_right, name = _KINDS[key]
        if not is_right(value):
            yield Problem((*at, key), f"is {value!r}; it must be {name}")
            return
    if ("file" in result) == ("pattern" in result):
        way_out = "say {file: results.csv} or {pattern: 'step={step} return={return}'}"
        yield Problem(at, f"names {'two places' if result.get('file') else 'no place'} of the result; {way_out}")
    elif "pattern" in result:
        yield from _pattern(result)
    else:
        yield from _file(result)


def _pattern(result: Mapping[str, Any]) -> Iterator[Problem]:
    for key in HINTS:
        if key in result:
            yield Problem(("result", key), "is about a file, and the result is read from standard output")
    try:
        compiled(result["pattern"])
    except RlauditError as error:
        yield Problem(("result", "pattern"), str(error))
        return
    if result.get("training") and "{step}" not in result["pattern"]:
        yield Problem(("result", "pattern"), "holds no {step}, which training episodes need")


def _file(result: Mapping[str, Any]) -> Iterator[Problem]:
    file = Path(result["file"])
    if file.is_absolute() or ".." in file.parts or not file.parts or result["file"].startswith(("~", "{folder}")):
        message = "must be a path below the run's own folder, so that no run reads the result of another one"
        yield Problem(("result", "file"), message)
    name = result.get("format")
    if name is None:
        return
    if name not in IMPORTERS:
        yield Problem(("result", "format"), f"= {name!r} is no format.{did_you_mean(name, IMPORTERS)}")
        return
    for key in hints(result).given():
        if key not in (*IMPORTERS[name].hints, *HEEDED):
            yield Problem(("result", key), f"means nothing for the format {name!r}")
