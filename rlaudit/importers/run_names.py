"""Agent, task and seed out of the name of a run, a folder or a file, by a pattern that the user gives."""

import re
from collections.abc import Mapping

from rlaudit.errors import ImportFormatError, did_you_mean

FIELDS = ("agent", "task", "seed")


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
    return r"(?P<seed>\d+)" if name == "seed" else rf"(?P<{name}>.+?)"
