"""Python's spelling of data in other people's YAML, such as "dict(net_arch=[64, 64], activation_fn=nn.ReLU)".

It is taken apart with `ast` and never run: constants, lists, tuples, dicts, `dict(...)` and names of classes.
"""

import ast
from collections.abc import Iterable
from typing import Any

_LONGEST = 10_000  # characters; a policy's keyword arguments have a hundred
_CLASS_KEYS = ("_class", "_fn")  # keys whose value is a class, in stable-baselines3 and here
_HOMES = {  # names that rl_zoo3's own evaluation knows
    "nn": "torch.nn",
    "th": "torch",
    "RMSpropTFLike": "stable_baselines3.common.sb2_compat.rmsprop_tf_like.RMSpropTFLike",
}


def literal(text: str, key: str = "") -> Any:
    """The data that `text` spells, tuples as lists and classes as import paths; names only for keys that take a class.

    Raises ValueError with a predicate for everything else.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"has {len(text):,} characters; at most {_LONGEST:,} are read")
    try:
        return _value(ast.parse(text.strip(), mode="eval").body, key)
    except SyntaxError as error:
        raise ValueError(f"is no Python expression ({error.msg[:100]})") from None
    except (RecursionError, MemoryError):
        raise ValueError("is nested too deeply") from None


def _value(node: ast.expr, key: str) -> Any:
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str()):
            return node.value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.List() | ast.Tuple():
            return [_value(item, "") for item in node.elts]
        case ast.Dict():
            return _mapping((_key(name), value) for name, value in zip(node.keys, node.values, strict=True))
        case ast.Call(func=ast.Name(id="dict"), args=[]):
            return _mapping((_argument(one), one.value) for one in node.keywords)
        case ast.Name() | ast.Attribute() if key.endswith(_CLASS_KEYS):
            return _class_name(node)
    raise ValueError(f"holds {_shown(node)}, {_why(node)}")


def _mapping(pairs: Iterable[tuple[str, ast.expr]]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, node in pairs:
        if name in read:
            raise ValueError(f"names {name!r} twice")
        read[name] = _value(node, name)
    return read


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError(f"has the key {_shown(node) if node else '**'}, which is not text")


def _argument(node: ast.keyword) -> str:
    if node.arg is None:
        raise ValueError("holds a dict(**...); write its keys out")
    return node.arg


def _class_name(node: ast.expr) -> str:
    """`nn.ReLU` -> torch.nn.ReLU; bare names stay, for whoever looks classes up."""
    name = _shown(node)
    if not name.replace(".", "").isidentifier():
        raise ValueError(f"holds {name}, which is no name of a class")
    first, dot, rest = name.partition(".")
    return _HOMES.get(first, first) + dot + rest


def _why(node: ast.expr) -> str:
    """Why it is not read."""
    if isinstance(node, ast.Name | ast.Attribute):
        return "a name where no class belongs; put text in quotes"
    return "which would have to be run; only data and dict(...) are read"


def _shown(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:57]}..."
