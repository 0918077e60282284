"""args.yml and config.yml as rl_zoo3 writes them: an OrderedDict dumped with Python's tags, read without running it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rlaudit.errors import ImportFormatError
from rlaudit.importers.files import readable

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

Setting: TypeAlias = "str | float | int | bool | tuple[Setting, ...] | None"  # a mapping is a tuple of pairs

MAX_BYTES = 50_000  # rl_zoo3 writes about 1,500
_MAX_DEPTH = 20
_MAX_VALUES = 5_000  # aliases of aliases can spell out billions in a few lines
_MAX_BRACKETS = 1_000  # 20,000 open ones took the parser 3 s
_ORDERED = "python/object/apply:collections.OrderedDict"
_SEED = re.compile(r"^((?:- |  )- - seed\n    - )(-?\d{1,18})$", re.MULTILINE)


class _NotSettings(Exception):
    pass


def read(path: Path) -> dict[str, Setting]:
    """Key -> value. Raises ImportFormatError where the file is no mapping."""
    with readable(path):
        content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
    if not content:
        raise ImportFormatError(f"{path}: expected up to {MAX_BYTES:,} bytes of settings, found none or more.")
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        return _with_seed(text)
    except (_NotSettings, ValueError) as error:
        says = " ".join(str(error).split())[:120]
        raise ImportFormatError(f"{path}: not the settings of an rl_zoo3 run: {says}.") from None


def _with_seed(text: str) -> dict[str, Setting]:
    """The files of a tree differ in little but the seed, and a parse takes 7 ms: the seed is read beside it."""
    seeds = _SEED.findall(text)
    if len(seeds) != 1:
        return dict(_parsed(text))
    return {**_parsed(_SEED.sub(r"\g<1>0", text)), "seed": int(seeds[0][1])}


@lru_cache(maxsize=1000)
def _parsed(text: str) -> "dict[str, Setting]":
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if text.count("[") + text.count("{") > _MAX_BRACKETS:
        raise _NotSettings("nested too deeply")
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, RecursionError) as error:
        raise _NotSettings(str(error) or "nested too deeply") from None
    if isinstance(root, SequenceNode) and str(root.tag).endswith(_ORDERED) and len(root.value) == 1:
        pairs = [tuple(pair.value) for pair in root.value[0].value if isinstance(pair, SequenceNode)]
    elif isinstance(root, MappingNode):
        pairs = root.value
    else:
        raise _NotSettings("expected a mapping, or an OrderedDict as PyYAML dumps it")
    budget = [_MAX_VALUES]
    return {str(_plain(pair[0], budget)): _plain(pair[1], budget) for pair in pairs if len(pair) == 2}


def _plain(node: "Node", budget: list[int], depth: int = 0) -> Setting:
    """Text where a tag is unknown: nothing is constructed."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    budget[0] -= 1
    if budget[0] < 0 or depth > _MAX_DEPTH:
        raise _NotSettings("it spells out too many values")
    if isinstance(node, MappingNode):
        return tuple(tuple(_plain(part, budget, depth + 1) for part in pair) for pair in node.value)
    if isinstance(node, SequenceNode):
        return tuple(_plain(part, budget, depth + 1) for part in node.value)
    return _scalar(str(node.value), str(node.tag).rpartition(":")[2])


def _scalar(text: str, kind: str) -> Setting:
    try:
        if kind in ("int", "float"):
            return int(text) if kind == "int" else float(text)
    except ValueError:
        return text
    if kind == "bool":
        return text.lower() == "true"
    return None if kind == "null" else text


def brief(value: Setting) -> str:
    """For a message."""
    if value is None:
        return "not set"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def differing(settings: Sequence[dict[str, Setting]]) -> dict[str, list[Setting]]:
    """The keys in which they differ, and every one's value; None where it has none."""
    values = {key: [one.get(key) for one in settings] for key in dict.fromkeys(key for one in settings for key in one)}
    return {key: found for key, found in values.items() if any(value != found[0] for value in found)}
