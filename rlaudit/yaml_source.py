"""A YAML text together with the place of every key, so that an error can point at it.

YAML 1.2 by ruamel.yaml: PyYAML reads `1e5` and `3e-4` as text and lets the last of two equal keys win.
"""

import warnings
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.comments import Comment, CommentedMap, CommentedSeq, Format
from ruamel.yaml.error import MantissaNoDotYAML1_1Warning, MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rlaudit.errors import ConfigError, did_you_mean

KeyPath: TypeAlias = tuple[str | int, ...]

_MAX_BYTES = 1_000_000
_MAX_VALUES = 100_000  # aliases of aliases can spell out billions of values in a few lines
_MAX_SHOWN = 120  # characters of a source line


class Place(NamedTuple):
    """Where a key and its value stand; lines and columns count from 0, as in ruamel.yaml."""

    line: int
    column: int
    end: int  # column behind the value, or behind the key where the value ends on another line


class Override(NamedTuple):
    """`audit.alpha=0.01` from the command line, or a value that the config takes from another file."""

    option: str  # as it was typed: "-s audit.alpha=0.01", "--seeds 50"; or the other file's "ppo.yml:12:3"
    path: KeyPath
    value: Any
    excerpt: str = ""  # the other file's line with a caret, behind a sentence about the value
    note: str = ""  # a comment above the key in the stored config
    replaces: str = ""  # a key beside it that it takes the place of


class YamlText(NamedTuple):
    """What a file says, and where it says it."""

    path: Path
    text: str
    data: dict[str, Any]
    places: Mapping[KeyPath, Place]

    def place(self, path: KeyPath) -> Place:
        """That of the nearest thing that is written down: a missing key is shown at the block it is missing from."""
        while path not in self.places and path:
            path = path[:-1]
        return self.places.get(path, Place(0, 0, 0))

    def show(self, place: Place, message: str) -> str:
        """`file:line:column: message`, the source line, and a caret below it."""
        return f"{self.path}:{place.line + 1}:{place.column + 1}: {message}" + caret(self.text, place)


def caret(text: str, place: Place) -> str:
    """The source line and `^~~~` below it; nothing where there is no such line."""
    lines = text.splitlines()
    if place.line >= len(lines):
        return ""
    start = max(0, place.column - 40) if len(lines[place.line]) > _MAX_SHOWN else 0
    shown = lines[place.line][start : start + _MAX_SHOWN].expandtabs(1).rstrip()
    column = place.column - start
    width = max(1, min(place.end - start, len(shown)) - column)
    return f"\n    {shown}\n    {' ' * column}^{'~' * (width - 1)}"


def read(path: Path, version: tuple[int, int] = (1, 2)) -> YamlText:
    """The file's text, data and places; ConfigError where it is no YAML mapping.

    Version 1.1 is what files for PyYAML are written in: `yes` is true. `1e5` is a number in both.
    """
    return parse(path, _read_text(path), version)


def _read_text(path: Path) -> str:
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; a config is a YAML file")
    if not path.exists():
        siblings = [str(other) for other in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise ConfigError(f"{path}: there is no such file.{did_you_mean(path, siblings)}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{path}: {len(content):,} bytes are no config (at most {_MAX_BYTES:,})")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not a text file (byte {error.start} is not UTF-8)") from None
    if "\0" in text:
        raise ConfigError(f"{path}: is not a text file (character {text.index(chr(0))} is NUL)")
    return text


def parse(path: Path, text: str, version: tuple[int, int] = (1, 2)) -> YamlText:
    """Raises ConfigError with the place of a syntax error, and with both places of a key that is written twice."""
    try:
        root = _yaml(version).compose(StringIO(text))
        _check_root(path, root, version)
        source = YamlText(path, text, {}, dict(_places(root)))
        _check_keys(source, root)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MantissaNoDotYAML1_1Warning)
            return source._replace(data=_yaml(version).load(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line, mark.column, 0) if mark else Place(0, 0, 0)
        says = " ".join(str(error.problem or error.context).split())
        raise ConfigError(YamlText(path, text, {}, {}).show(place, f"not valid YAML: {says}")) from None
    except YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deeply for a config") from None
    except _TooLarge:
        raise ConfigError(f"{path}: spells out more than {_MAX_VALUES:,} values; a config has a few dozen") from None
    except (ValueError, OverflowError, TypeError) as error:  # `!!float abc`, a date such as 2024-13-45
        raise ConfigError(f"{path}: holds a value that YAML cannot read: {error}") from None


class _TooLarge(Exception):
    pass


def _yaml(version: tuple[int, int]) -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    return yaml


def _check_root(path: Path, root: Node | None, version: tuple[int, int]) -> None:
    if root is None or (isinstance(root, ScalarNode) and root.value == ""):
        hint = "; `rlaudit init` writes a commented config to start from" if version == (1, 2) else ""
        raise ConfigError(f"{path}: is empty{hint}")
    if not isinstance(root, MappingNode):
        kind = "a list" if isinstance(root, SequenceNode) else f"the text {root.value[:40]!r}"
        what = (
            "a config is a mapping of keys such as `name: ...`" if version == (1, 2) else "expected a mapping of keys"
        )
        raise ConfigError(f"{path}:1:1: {what}, found {kind}")


def _places(root: Node) -> Iterator[tuple[KeyPath, Place]]:
    """Every path of the document, in its order; a value's place is its key's."""
    todo: list[tuple[KeyPath, Node, Node]] = [((), root, root)]
    n_values = 0
    while todo:
        path, key, value = todo.pop()
        n_values += 1
        if n_values > _MAX_VALUES or len(path) > 50:  # an alias may contain itself
            raise _TooLarge
        yield path, _place(key, value)
        if isinstance(value, MappingNode):
            todo.extend(((*path, name.value), name, child) for name, child in reversed(value.value))
        elif isinstance(value, SequenceNode):
            todo.extend(((*path, index), child, child) for index, child in enumerate(value.value))


def _place(key: Node, value: Node) -> Place:
    start = key.start_mark
    end = next((node.end_mark for node in (value, key) if node.end_mark.line == start.line), None)
    return Place(start.line, start.column, end.column if end else start.column + 1)


def _check_keys(source: YamlText, node: Node, path: KeyPath = ()) -> None:
    """Keys are text, and each is written once."""
    if isinstance(node, SequenceNode):
        for index, child in enumerate(node.value):
            _check_keys(source, child, (*path, index))
    if not isinstance(node, MappingNode):
        return
    seen: dict[str, Node] = {}
    for key, value in node.value:
        tag = str(key.tag)
        if tag.endswith(":merge"):
            continue
        place = _place(key, key)
        if not isinstance(key, ScalarNode) or not tag.endswith(":str"):
            shown = key.value if isinstance(key, ScalarNode) else "a list or mapping"
            raise ConfigError(source.show(place, f"the key {shown} is not text; put it in quotes"))
        if key.value in seen:
            first = seen[key.value].start_mark
            message = f"{dotted((*path, key.value))} is written twice, first in line {first.line + 1}; names are unique"
            raise ConfigError(source.show(place, message) + caret(source.text, _place(seen[key.value], value)))
        seen[key.value] = key
        _check_keys(source, value, (*path, key.value))


def dotted(path: Sequence[str | int]) -> str:
    """`audit.tests[1]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def read_value(text: str) -> Any:
    """The value of an override, read as YAML: 0.01 is a number, [2, 5] a list, anything else text."""
    return YAML(typ="safe", pure=True).load(text)


def parse_override(text: str, data: Mapping[str, Any]) -> Override:
    """`audit.alpha=0.01`; names that contain dots are recognised where the config has them."""
    option = f"-s {text}"
    names, equals, value = text.partition("=")
    if not equals or not names.strip():
        raise ConfigError(f"{option}: an override reads KEY=VALUE, for example -s audit.alpha=0.01")
    try:
        return Override(option, _split(names.strip(), data), read_value(value))
    except (YAMLError, ValueError):
        raise ConfigError(f"{option}: {value!r} is not a YAML value; put text in quotes") from None


def _split(names: str, data: Any) -> KeyPath:
    """`agents.a2c-0.5.timesteps` -> ("agents", "a2c-0.5", "timesteps") where there is an agent a2c-0.5."""
    if isinstance(data, Mapping):
        for name in sorted(data, key=len, reverse=True):
            if names == name or names.startswith(f"{name}."):
                return (name, *_split(names[len(name) + 1 :], data[name])) if len(names) > len(name) else (name,)
    first, dot, rest = names.partition(".")
    number = first.isdecimal() and isinstance(data, list)
    inner = data[int(first)] if number and int(first) < len(data) else None
    return (int(first) if number else first, *(_split(rest, inner) if dot else ()))


def apply_override(data: MutableMapping[str, Any], override: Override) -> None:
    """Sets the value in place, making the blocks on the way where they are missing."""
    block: Any = data
    for depth, name in enumerate(override.path[:-1], start=1):
        if isinstance(block, MutableMapping):
            block = block.setdefault(name, {})
        elif isinstance(block, list) and isinstance(name, int) and name < len(block):
            block = block[name]
        if not isinstance(block, MutableMapping | list):
            where = dotted(override.path[:depth])
            raise ConfigError(f"{override.option}: {where} is {block!r}, which has no keys to set")
    last = override.path[-1]
    if isinstance(block, list) and not (isinstance(last, int) and last < len(block)):
        raise ConfigError(f"{override.option}: {dotted(override.path[:-1])} has {len(block)} items, counted from 0")
    block[last] = deepcopy(override.value)  # a later override may change what stands in it
    if override.replaces:
        block.pop(override.replaces)


def with_overrides(data: Mapping[str, Any], overrides: Sequence[Override]) -> dict[str, Any]:
    """A copy with the overrides applied, each at its own place only: what an anchor shares is copied."""
    changed: dict[str, Any] = _unshared(data)
    for override in overrides:
        apply_override(changed, override)
    return changed


def _unshared(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _unshared(inner) for key, inner in value.items()}
    return [_unshared(inner) for inner in value] if isinstance(value, list) else value


def rewritten(text: str, overrides: Sequence[Override], defaults: Mapping[str, str]) -> str:
    """The document with overrides applied and missing `defaults` written behind the first key; comments stay."""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096  # wrap nothing that the user did not wrap
    document = yaml.load(text)
    if overrides:
        document = _without_anchors(document, set())
    for override in overrides:
        _make_room(document, override)
        apply_override(document, override)
        _add_note(document, override)
    for name, value in defaults.items():
        if name not in document:
            document.insert(1, name, value)
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _without_anchors(value: Any, seen: set[int]) -> Any:
    """The document with every alias and merge key spelled out; comments stay at the first of each."""
    if isinstance(value, CommentedMap):
        copy: Any = CommentedMap((key, _without_anchors(inner, seen)) for key, inner in value.items())
    elif isinstance(value, CommentedSeq):
        copy = CommentedSeq(_without_anchors(inner, seen) for inner in value)
    else:
        return value
    setattr(copy, Format.attrib, value.fa)
    if id(value) not in seen:
        setattr(copy, Comment.attrib, value.ca)
    seen.add(id(value))
    return copy


def _make_room(document: CommentedMap, override: Override) -> None:
    """Puts new keys at the top of their block: the comment behind its last key may be about the next block."""
    block: Any = document
    for depth, name in enumerate(override.path):
        if not isinstance(block, CommentedMap):
            return
        if name not in block:
            position, comment = 0 if depth else 1, None
            if override.replaces in block:
                position, comment = list(block).index(override.replaces), block.ca.items.pop(override.replaces, None)
            block.insert(position, name, CommentedMap())
            if comment:
                block.ca.items[name] = comment
        block = block[name]


def _add_note(document: CommentedMap, override: Override) -> None:
    """The note as a comment above its key, or above the block that is written as `{...}`."""
    block, depth = document, 0
    while depth < len(override.path) - 1:
        inner = block[override.path[depth]]
        if not isinstance(inner, CommentedMap) or inner.fa.flow_style():
            break
        block, depth = inner, depth + 1
    if override.note:
        block.yaml_set_comment_before_after_key(override.path[depth], before=override.note, indent=2 * depth)
