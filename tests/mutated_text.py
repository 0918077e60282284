"""Damage to lines, cells, numbers, keys and values of text."""

import json
import re
from collections.abc import Callable
from random import Random

from mutated_bytes import separator

# ---------------------------------------------------------------- lines


def of_lines(change: Callable[[list[bytes], Random], list[bytes]]) -> Callable[[bytes, Random], bytes]:
    def on_bytes(data: bytes, rng: Random) -> bytes:
        lines = data.splitlines(keepends=True)
        return b"".join(change(lines, rng)) if len(lines) > 2 else data

    return on_bytes


def shuffled(lines: list[bytes], rng: Random) -> list[bytes]:
    body = [line if line.endswith(b"\n") else line + b"\n" for line in lines[1:]]
    rng.shuffle(body)
    return [lines[0], *body]


def swap_two(lines: list[bytes], rng: Random) -> list[bytes]:
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return lines


def drop_line(lines: list[bytes], rng: Random) -> list[bytes]:
    at = rng.randrange(1, len(lines))
    return lines[:at] + lines[at + 1 :]


def drop_lines(lines: list[bytes], rng: Random) -> list[bytes]:
    return [lines[0], *(line for line in lines[1:] if rng.random() < 0.7)]


def repeat_line(lines: list[bytes], rng: Random) -> list[bytes]:
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines) + 1)
    return [*lines[:to], lines[at], *lines[to:]]


def join_lines(lines: list[bytes], rng: Random) -> list[bytes]:
    at = rng.randrange(len(lines))
    return [*lines[:at], lines[at].rstrip(b"\r\n"), *lines[at + 1 :]]


def header_again(lines: list[bytes], rng: Random) -> list[bytes]:
    """Two files in one, as `cat a.csv b.csv` leaves them."""
    at = rng.randrange(1, len(lines) + 1)
    return lines[:at] + lines[:1] + lines[at:]


def strange_line(lines: list[bytes], rng: Random) -> list[bytes]:
    strange = rng.choice((b"# a comment\n", b"Total,,1\n", b"...\n", b"-" * 70 + b"\n", b"Killed\n", b"\x0c\n"))
    at = rng.randrange(len(lines) + 1)
    return [*lines[:at], strange, *lines[at:]]


def blank_lines(lines: list[bytes], rng: Random) -> list[bytes]:
    return [line + b"\n" * (rng.random() < 0.2) for line in lines]


# ---------------------------------------------------------------- cells


def of_cells(change: Callable[[list[list[bytes]], Random], None]) -> Callable[[bytes, Random], bytes]:
    """On the cells between separators; quotation marks are not understood, so that cells are torn at times."""

    def on_bytes(data: bytes, rng: Random) -> bytes:
        by = separator(data)
        rows = [line.split(by) for line in data.splitlines()]
        change(rows, rng)
        return b"\n".join(by.join(row) for row in rows) + b"\n"

    return on_bytes


def swap_cells(rows: list[list[bytes]], rng: Random) -> None:
    row = rng.choice(rows)
    a, b = rng.randrange(len(row)), rng.randrange(len(row))
    row[a], row[b] = row[b], row[a]


def swap_columns(rows: list[list[bytes]], rng: Random) -> None:
    """Together with their names: the order of the columns means nothing."""
    a, b = rng.randrange(len(rows[-1])), rng.randrange(len(rows[-1]))
    for row in rows:
        if max(a, b) < len(row):
            row[a], row[b] = row[b], row[a]


def swap_names(rows: list[list[bytes]], rng: Random) -> None:
    a, b = rng.randrange(len(rows[0])), rng.randrange(len(rows[0]))
    rows[0][a], rows[0][b] = rows[0][b], rows[0][a]


def drop_cell(rows: list[list[bytes]], rng: Random) -> None:
    row = rng.choice(rows)
    del row[rng.randrange(len(row))]


def empty_cell(rows: list[list[bytes]], rng: Random) -> None:
    row = rng.choice(rows)
    row[rng.randrange(len(row))] = rng.choice((b"", b" ", b"NA", b"null", b"None", b"-", b"--", b"?", b"#N/A"))


def move_cell(rows: list[list[bytes]], rng: Random) -> None:
    """A cell of one row in the place of another's."""
    a, b = rng.choice(rows), rng.choice(rows)
    at = rng.randrange(min(len(a), len(b)))
    a[at] = b[at]


def drop_column(rows: list[list[bytes]], rng: Random) -> None:
    at = rng.randrange(len(rows[-1]))
    for row in rows:
        del row[at : at + 1]


def repeat_column(rows: list[list[bytes]], rng: Random) -> None:
    at = rng.randrange(len(rows[-1]))
    for row in rows:
        row.extend(row[at : at + 1])


def extra_column(rows: list[list[bytes]], rng: Random) -> None:
    """One that no format knows."""
    for row in rows:
        row.append(b"x")


def rename_column(rows: list[list[bytes]], rng: Random) -> None:
    row = rows[0]
    name = rng.choice((*STRANGE_NAMES, "", "agent", "seed", "score", "step", "value", "mean", "std", "task", "status"))
    row[rng.randrange(len(row))] = name.encode("utf-8", "surrogateescape").replace(b"\n", b" ")


def quoted(rows: list[list[bytes]], rng: Random) -> None:
    """Quotation marks around cells that need none."""
    for row in rows:
        for i, cell in enumerate(row):
            if rng.random() < 0.3 and b'"' not in cell and not cell.startswith(b"#"):
                row[i] = b'"' + cell + b'"'


def open_quote(rows: list[list[bytes]], rng: Random) -> None:
    row = rng.choice(rows)
    at = rng.randrange(len(row))
    row[at] = rng.choice((b'"%b', b'%b"', b'"%b""', b'a"%b"')) % row[at]


# ---------------------------------------------------------------- numbers, keys and values in text

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_KEY = re.compile(rb'"[^"\n]*"(?=\s*:)')
_VALUE = re.compile(rb'(?<=[:,\[])\s*(?:"[^"\n]*"|-?\d[\d.eE+-]*|true|false|null)')

ODD_NUMBERS = (
    "nan", "NaN", "-nan", "inf", "-inf", "Infinity", "1e400", "-1e400", "1e-400", "-0", "-0.0", "0", "1e30",
    "1" + "0" * 30, "9" * 400, "9" * 5000, "0." + "1" * 3000, "1_000", "1,5", "1.234,5", "1'000", "1 000", "+5",
    "0x10", "0b1", "1e", "1.2.3", "--5", "5-", "٣", "３", "²", "Ⅳ", "½", "1\u00a0000", "−5", "True", "false", "one",
    "2024-01-01", "12:30", "50%", "$5", "=1+1", "1/2", "1±2", "1+2j", "None", "null", "[1]", "{}", '"7"', "", " ", ".",
    "-", "1.5f", "1d5", "1e5", "1E+05", "007", "9223372036854775808", "-9223372036854775809", "18446744073709551616",
    "4294967296", "-1", "0.5", "1e308", "1e99", "1e101", "5e-324",
)  # fmt: skip
STRANGE_NAMES = (
    "[red]x[/red]", "[/red]", "[bold", "{x}", "{}", "{0}", "%s", "%n%n", "$HOME", "$(id)", "`id`", "~", "-rf", "--help",
    "..csv", "a..b", "con", "NUL", "x\ny", "x\ty", "x\ry", "\x1b[31mred", "\x07", "\x7f", "\u202egpj", "\u200b", "é",
    "e\u0301", "ﬁ", "🐟", "x" * 250, " x ", "x ", "'", '"', "<b>", "<script>alert(1)</script>", "&amp;", "a,b", "a;b",
    "a|b", "*", "?", "[a-z]", "\udcff", "\udcc3", "0", "1e5", "nan", "True", "null", "seed_", "s", "__", "a__b__c__d",
)  # fmt: skip


def somewhere(pattern: "re.Pattern[bytes]", data: bytes, rng: Random) -> "re.Match[bytes] | None":
    found = list(pattern.finditer(data))
    return rng.choice(found) if found else None


def odd_number(data: bytes, rng: Random) -> bytes:
    at = somewhere(_NUMBER, data, rng)
    return data if at is None else data[: at.start()] + rng.choice(ODD_NUMBERS).encode() + data[at.end() :]


def other_digit(data: bytes, rng: Random) -> bytes:
    at = somewhere(re.compile(rb"\d"), data, rng)
    return data if at is None else data[: at.start()] + b"%d" % rng.randrange(10) + data[at.end() :]


def rename_key(data: bytes, rng: Random) -> bytes:
    at = somewhere(_KEY, data, rng)
    if at is None:
        return data
    keys = [match.group().decode() for match in _KEY.finditer(data)]
    name = rng.choice((*keys, *map(json.dumps, STRANGE_NAMES), '"step_1"', '"return"', '""'))
    return data[: at.start()] + name.encode("utf-8", "surrogateescape") + data[at.end() :]


def other_value(data: bytes, rng: Random) -> bytes:
    at = somewhere(_VALUE, data, rng)
    values = (b"null", b"true", b"[]", b"{}", b"[[]]", b'"x"', b'""', b"[1, [2]]", b'{"a": 1}', b"NaN", b"-Infinity",
              b"[null]", b'"\\ud800"', b"1" * 5000, b"1e999")  # fmt: skip
    return data if at is None else data[: at.start()] + rng.choice(values) + data[at.end() :]


def nested(data: bytes, rng: Random) -> bytes:
    depth = rng.choice((50, 1000, 100_000))
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
    deep = opening * depth + rng.choice((b"1", b"")) + closing * rng.choice((depth, 0))
    at = somewhere(_VALUE, data, rng)
    return deep if at is None or rng.random() < 0.3 else data[: at.start()] + deep + data[at.end() :]
