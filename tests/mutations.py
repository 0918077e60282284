"""Ways to spoil somebody's results: pure functions from a tree of files and a random generator to another tree.

A tree is {relative path: what stands there}. Each mutation changes one file, or one name, and leaves the rest alone;
where it finds nothing to change, it returns the tree as it is. MUTATIONS says what each one promises:

* `same`: the meaning is kept: the same numbers come out, bit for bit, or the file is refused.
* `less`: something is taken away, nothing is added: whatever still comes out came out before (a torn number aside).
* `damage`: bytes are changed, as disks, editors and networks change them.
* `other`: the content is other than it was, on purpose.
"""

import gzip
import io
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Literal, NamedTuple

import numpy as np


class Odd(NamedTuple):
    """Something that is no regular file."""

    kind: Literal["link", "fifo", "folder", "locked"]
    target: str = ""  # of a link
    content: bytes = b""  # of a locked file


Tree = Mapping[str, bytes | Odd]  # paths as os.fsdecode gives them: bytes that are no UTF-8 are surrogates
Promise = Literal["same", "less", "damage", "other"]


class Mutation(NamedTuple):
    """A change, what it promises, and which bytes it is for."""

    change: Callable[[bytes, Random], bytes]
    promise: Promise
    fits: Callable[[bytes], bool] = lambda data: True


def mutated(tree: Tree, name: str, rng: Random) -> tuple[Tree, str | None]:
    """The tree after the mutation of that name, and the file that it changed; None where it found none."""
    if name in OF_TREES:
        return OF_TREES[name].change(tree, rng)
    mutation = MUTATIONS[name]
    paths = [path for path, node in sorted(tree.items()) if isinstance(node, bytes) and mutation.fits(node)]
    if not paths:
        return tree, None
    path = rng.choice(paths)
    before = tree[path]
    assert isinstance(before, bytes)
    after = mutation.change(before, rng)
    return ({**tree, path: after}, path) if after != before else (tree, None)


# ---------------------------------------------------------------- what a file is


def is_text(data: bytes) -> bool:
    """UTF-8 without NULs."""
    try:
        return b"\0" not in data and bool(data.decode())
    except UnicodeDecodeError:
        return False


def is_json(data: bytes) -> bool:
    """As far as its first byte says."""
    return is_text(data) and data.lstrip()[:1] in (b"{", b"[") and b"t_start" not in data[:200]


def is_table(data: bytes) -> bool:
    """Lines of cells."""
    return is_text(data) and not is_json(data) and separator(data) in data.splitlines()[-1]


def is_plain_table(data: bytes) -> bool:
    """A table in which every separator separates."""
    return is_table(data) and b'"' not in data


def is_npz(data: bytes) -> bool:
    """A zip archive."""
    return data.startswith(b"PK")


def is_npy(data: bytes) -> bool:
    """A NumPy array, on its own or in an archive."""
    return b"\x93NUMPY" in data[:4096]


def is_events(data: bytes) -> bool:
    """Records of TensorBoard: the first one names the version of the file."""
    return b"brain.Event:2" in data[:64]


def separator(data: bytes) -> bytes:
    """The one that is there most often in the last line."""
    last = data.splitlines()[-1:] or [b""]
    return max((b",", b";", b"\t"), key=last[0].count)


# ---------------------------------------------------------------- bytes


def _span(data: bytes, rng: Random, most: int = 64) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.randint(1, most))


def cut(data: bytes, rng: Random) -> bytes:
    """The end is missing, as after a full disk or a killed process."""
    return data[: rng.randrange(len(data) + 1)]


def _headless(data: bytes, rng: Random) -> bytes:
    return data[rng.randrange(len(data) + 1) :]


def _drop_chunk(data: bytes, rng: Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _repeat_chunk(data: bytes, rng: Random) -> bytes:
    start, end = _span(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 1, 50)) + data[end:]


def _swap_chunks(data: bytes, rng: Random) -> bytes:
    a, b = sorted((_span(data, rng), _span(data, rng)))
    if a[1] > b[0]:
        return data
    return data[: a[0]] + data[b[0] : b[1]] + data[a[1] : b[0]] + data[a[0] : a[1]] + data[b[1] :]


def _flip(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8)) if data else 0):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _random_bytes(data: bytes, rng: Random) -> bytes:
    start, end = _span(data, rng, 16)
    return data[:start] + rng.randbytes(end - start) + data[end:]


_INTERESTING = (b"\0", b"\xff", b'"', b"'", b"\n", b"\r", b",", b";", b"\t", b"\\", b"\x1a", b"\x1b[31m", b"{", b"[",
                b"}", b"#", b"-", b".", b"e", "\u2028".encode(), "\u202e".encode(), b"\xed\xb3\xbf")  # fmt: skip


def _insert(data: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(_INTERESTING) * rng.choice((1, 1, 1, 3, 1000)) + data[at:]


def _nul_tail(data: bytes, rng: Random) -> bytes:
    """What a journal leaves after a power cut: the length is right, the end is NULs."""
    start = rng.randrange(len(data) + 1)
    return data[:start] + bytes(len(data) - start)


# ---------------------------------------------------------------- encodings


def _crlf(data: bytes, rng: Random) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _gz_torn(data: bytes, rng: Random) -> bytes:
    packed = gzip.compress(data, mtime=0)
    return packed[: rng.randrange(3, len(packed))]


def _gz_twice(data: bytes, rng: Random) -> bytes:
    return gzip.compress(gzip.compress(data, mtime=0), mtime=0)


def _gz_and_more(data: bytes, rng: Random) -> bytes:
    return gzip.compress(data, mtime=0) + rng.choice((b"\0" * 9, b"tail", gzip.compress(b"tail", mtime=0)))


def _latin_1(data: bytes, rng: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    return b"".join([*lines[:at], lines[at].replace(b"a", b"\xe9") or b"\xe9", *lines[at + 1 :]])


def _zipped(data: bytes, rng: Random) -> bytes:
    return archive({"scores.csv": data})


# ---------------------------------------------------------------- lines


def _of_lines(change: Callable[[list[bytes], Random], list[bytes]]) -> Callable[[bytes, Random], bytes]:
    def on_bytes(data: bytes, rng: Random) -> bytes:
        lines = data.splitlines(keepends=True)
        return b"".join(change(lines, rng)) if len(lines) > 2 else data

    return on_bytes


def _shuffled(lines: list[bytes], rng: Random) -> list[bytes]:
    body = [line if line.endswith(b"\n") else line + b"\n" for line in lines[1:]]
    rng.shuffle(body)
    return [lines[0], *body]


def _swap_two(lines: list[bytes], rng: Random) -> list[bytes]:
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return lines


def _drop_line(lines: list[bytes], rng: Random) -> list[bytes]:
    at = rng.randrange(1, len(lines))
    return lines[:at] + lines[at + 1 :]


def _drop_lines(lines: list[bytes], rng: Random) -> list[bytes]:
    return [lines[0], *(line for line in lines[1:] if rng.random() < 0.7)]


def _repeat_line(lines: list[bytes], rng: Random) -> list[bytes]:
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines) + 1)
    return [*lines[:to], lines[at], *lines[to:]]


def _join_lines(lines: list[bytes], rng: Random) -> list[bytes]:
    at = rng.randrange(len(lines))
    return [*lines[:at], lines[at].rstrip(b"\r\n"), *lines[at + 1 :]]


def _header_again(lines: list[bytes], rng: Random) -> list[bytes]:
    """Two files in one, as `cat a.csv b.csv` leaves them."""
    at = rng.randrange(1, len(lines) + 1)
    return lines[:at] + lines[:1] + lines[at:]


def _strange_line(lines: list[bytes], rng: Random) -> list[bytes]:
    strange = rng.choice((b"# a comment\n", b"Total,,1\n", b"...\n", b"-" * 70 + b"\n", b"Killed\n", b"\x0c\n"))
    at = rng.randrange(len(lines) + 1)
    return [*lines[:at], strange, *lines[at:]]


def _blank_lines(lines: list[bytes], rng: Random) -> list[bytes]:
    return [line + b"\n" * (rng.random() < 0.2) for line in lines]


# ---------------------------------------------------------------- cells


def _of_cells(change: Callable[[list[list[bytes]], Random], None]) -> Callable[[bytes, Random], bytes]:
    """On the cells between separators; quotation marks are not understood, so that cells are torn at times."""

    def on_bytes(data: bytes, rng: Random) -> bytes:
        by = separator(data)
        rows = [line.split(by) for line in data.splitlines()]
        change(rows, rng)
        return b"\n".join(by.join(row) for row in rows) + b"\n"

    return on_bytes


def _swap_cells(rows: list[list[bytes]], rng: Random) -> None:
    row = rng.choice(rows)
    a, b = rng.randrange(len(row)), rng.randrange(len(row))
    row[a], row[b] = row[b], row[a]


def _swap_columns(rows: list[list[bytes]], rng: Random) -> None:
    """Together with their names: the order of the columns means nothing."""
    a, b = rng.randrange(len(rows[-1])), rng.randrange(len(rows[-1]))
    for row in rows:
        if max(a, b) < len(row):
            row[a], row[b] = row[b], row[a]


def _swap_names(rows: list[list[bytes]], rng: Random) -> None:
    a, b = rng.randrange(len(rows[0])), rng.randrange(len(rows[0]))
    rows[0][a], rows[0][b] = rows[0][b], rows[0][a]


def _drop_cell(rows: list[list[bytes]], rng: Random) -> None:
    row = rng.choice(rows)
    del row[rng.randrange(len(row))]


def _empty_cell(rows: list[list[bytes]], rng: Random) -> None:
    row = rng.choice(rows)
    row[rng.randrange(len(row))] = rng.choice((b"", b" ", b"NA", b"null", b"None", b"-", b"--", b"?", b"#N/A"))


def _move_cell(rows: list[list[bytes]], rng: Random) -> None:
    """A cell of one row in the place of another's."""
    a, b = rng.choice(rows), rng.choice(rows)
    at = rng.randrange(min(len(a), len(b)))
    a[at] = b[at]


def _drop_column(rows: list[list[bytes]], rng: Random) -> None:
    at = rng.randrange(len(rows[-1]))
    for row in rows:
        del row[at : at + 1]


def _repeat_column(rows: list[list[bytes]], rng: Random) -> None:
    at = rng.randrange(len(rows[-1]))
    for row in rows:
        row.extend(row[at : at + 1])


def _extra_column(rows: list[list[bytes]], rng: Random) -> None:
    """One that no format knows."""
    for row in rows:
        row.append(b"x")


def _rename_column(rows: list[list[bytes]], rng: Random) -> None:
    row = rows[0]
    name = rng.choice((*STRANGE_NAMES, "", "agent", "seed", "score", "step", "value", "mean", "std", "task", "status"))
    row[rng.randrange(len(row))] = name.encode("utf-8", "surrogateescape").replace(b"\n", b" ")


def _quoted(rows: list[list[bytes]], rng: Random) -> None:
    """Quotation marks around cells that need none."""
    for row in rows:
        for i, cell in enumerate(row):
            if rng.random() < 0.3 and b'"' not in cell and not cell.startswith(b"#"):
                row[i] = b'"' + cell + b'"'


def _open_quote(rows: list[list[bytes]], rng: Random) -> None:
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


def _at(pattern: "re.Pattern[bytes]", data: bytes, rng: Random) -> "re.Match[bytes] | None":
    found = list(pattern.finditer(data))
    return rng.choice(found) if found else None


def _odd_number(data: bytes, rng: Random) -> bytes:
    at = _at(_NUMBER, data, rng)
    return data if at is None else data[: at.start()] + rng.choice(ODD_NUMBERS).encode() + data[at.end() :]


def _other_digit(data: bytes, rng: Random) -> bytes:
    at = _at(re.compile(rb"\d"), data, rng)
    return data if at is None else data[: at.start()] + b"%d" % rng.randrange(10) + data[at.end() :]


def _rename_key(data: bytes, rng: Random) -> bytes:
    at = _at(_KEY, data, rng)
    if at is None:
        return data
    import json

    keys = [match.group().decode() for match in _KEY.finditer(data)]
    name = rng.choice((*keys, *map(json.dumps, STRANGE_NAMES), '"step_1"', '"return"', '""'))
    return data[: at.start()] + name.encode("utf-8", "surrogateescape") + data[at.end() :]


def _other_value(data: bytes, rng: Random) -> bytes:
    at = _at(_VALUE, data, rng)
    values = (b"null", b"true", b"[]", b"{}", b"[[]]", b'"x"', b'""', b"[1, [2]]", b'{"a": 1}', b"NaN", b"-Infinity",
              b"[null]", b'"\\ud800"', b"1" * 5000, b"1e999")  # fmt: skip
    return data if at is None else data[: at.start()] + rng.choice(values) + data[at.end() :]


def _nested(data: bytes, rng: Random) -> bytes:
    depth = rng.choice((50, 1000, 100_000))
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
    deep = opening * depth + rng.choice((b"1", b"")) + closing * rng.choice((depth, 0))
    at = _at(_VALUE, data, rng)
    return deep if at is None or rng.random() < 0.3 else data[: at.start()] + deep + data[at.end() :]


# ---------------------------------------------------------------- arrays

Arrays = dict[str, Any]


def archive(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive, always with the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as made:
        for name, content in members.items():
            made.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


def npy(array: Any) -> bytes:
    """An array as np.save writes it, pickled where it holds objects."""
    packed = io.BytesIO()
    np.save(packed, array)
    return packed.getvalue()


def _of_members(change: Callable[[dict[str, bytes], Random], None]) -> Callable[[bytes, Random], bytes]:
    def on_bytes(data: bytes, rng: Random) -> bytes:
        with zipfile.ZipFile(io.BytesIO(data)) as made:
            members = {name: made.read(name) for name in made.namelist()}
        change(members, rng)
        return archive(members, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))

    return on_bytes


def _repacked(members: dict[str, bytes], rng: Random) -> None:
    """Another compression, the same arrays."""


def _rename_member(members: dict[str, bytes], rng: Random) -> None:
    old = rng.choice(list(members))
    content = members.pop(old)
    name = rng.choice((*STRANGE_NAMES, "../../x", "/etc/x", "results", "timesteps", "arr_0"))
    members[name.encode("utf-8", "replace").decode() + rng.choice((".npy", ""))] = content


def _drop_member(members: dict[str, bytes], rng: Random) -> None:
    del members[rng.choice(list(members))]


def _swap_members(members: dict[str, bytes], rng: Random) -> None:
    a, b = rng.choice(list(members)), rng.choice(list(members))
    members[a], members[b] = members[b], members[a]


def _spoil_member(members: dict[str, bytes], rng: Random) -> None:
    name = rng.choice(list(members))
    members[name] = rng.choice((cut, _flip, _drop_chunk, _nul_tail))(members[name], rng)


def _other_array(members: dict[str, bytes], rng: Random) -> None:
    name = rng.choice(list(members))
    members[name] = _array_other_than(members[name], rng)


def _array_other_than(data: bytes, rng: Random) -> bytes:
    array = np.load(io.BytesIO(data), allow_pickle=True)
    changes: tuple[Callable[[Any], Any], ...] = (
        lambda a: a.T,
        lambda a: a[None],
        lambda a: a[..., None],
        lambda a: a.ravel(),
        lambda a: a[:0],
        lambda a: a[:1],
        lambda a: a[:-1],
        lambda a: a[::-1],
        lambda a: np.concatenate([a, a]) if a.ndim else a,
        lambda a: np.array(1.5),
        lambda a: np.array([{"a": 1}], dtype=object),
        lambda a: a.astype(object),
        lambda a: a.astype(str),
        lambda a: a.astype("S8"),
        lambda a: np.zeros(a.shape, complex),
        lambda a: np.zeros(a.shape, bool),
        lambda a: np.zeros(a.shape, "datetime64[s]"),
        lambda a: np.zeros(a.shape, [("a", "f8"), ("b", "i4")]),
        lambda a: np.full(a.shape, np.nan),
        lambda a: np.full(a.shape, np.inf),
        lambda a: np.full(a.shape, 1e308),
        lambda a: np.full(a.shape, 2**64 - 1, np.uint64),
        lambda a: np.full(a.shape, -1),
        lambda a: np.zeros((0, 5)),
        lambda a: np.zeros((*(2,) * 40, 0)),
        lambda a: np.array([], "U1"),
    )  # fmt: skip
    try:
        return npy(rng.choice(changes)(array))
    except (ValueError, TypeError, IndexError):
        return data


def _huge_shape(data: bytes, rng: Random) -> bytes:
    """The header promises terabytes; its length stays."""
    at = data.find(b"'shape': (")
    end = data.find(b"\n", at)
    if at < 0 or end < 0:
        return data
    room = end - at - len(b"'shape': (") - len(b"), }")
    shape = rng.choice((b"9" * 12 + b",", b"-1, 9,", b"99999, 99999,", b"1e9,", b"2.5,", b"True,", b"9" * 30 + b","))
    return data[:at] + b"'shape': (" + shape[:room].ljust(room) + b"), }" + data[end:]


def _other_dtype(data: bytes, rng: Random) -> bytes:
    dtype = rng.choice((b"'<f4'", b"'>f8'", b"'<i8'", b"'|O' ", b"'<U2'", b"'|V8'", b"'<c8'", b"'<f0'", b"'xyz'"))
    return re.sub(rb"'[<>|=][a-zA-Z]\d+'", lambda _: dtype, data, count=1)


# ---------------------------------------------------------------- event files


def _records(data: bytes) -> list[bytes]:
    """Length, its checksum, the content, its checksum."""
    records, at = [], 0
    while at + 12 <= len(data):
        (length,) = struct.unpack("<Q", data[at : at + 8])
        records.append(data[at : at + 16 + length])
        at += 16 + length
    return records


def _of_records(change: Callable[[list[bytes], Random], list[bytes]]) -> Callable[[bytes, Random], bytes]:
    return lambda data, rng: b"".join(change(_records(data), rng))


def _drop_record(records: list[bytes], rng: Random) -> list[bytes]:
    at = rng.randrange(1, len(records))
    return records[:at] + records[at + 1 :]


def _swap_records(records: list[bytes], rng: Random) -> list[bytes]:
    a, b = rng.randrange(len(records)), rng.randrange(len(records))
    records[a], records[b] = records[b], records[a]
    return records


def _absurd_length(records: list[bytes], rng: Random) -> list[bytes]:
    """The checksum of the length is right or wrong."""
    at = rng.randrange(len(records))
    length = struct.pack("<Q", rng.choice((0, 1, 2**31, 2**40, 2**63, 2**64 - 1, len(records[at]) - 15)))
    checksum = rng.choice((records[at][8:12], struct.pack("<I", masked_crc32c(length))))
    records[at] = length + checksum + records[at][12:]
    return records


def _spoilt_record(records: list[bytes], rng: Random) -> list[bytes]:
    """Other content under a right checksum: no disk does that, a bad writer may."""
    at = rng.randrange(len(records))
    content = rng.choice((cut, _flip, _drop_chunk, _repeat_chunk, _random_bytes))(records[at][12:-4], rng)
    records[at] = event_record(content)
    return records


def event_record(content: bytes) -> bytes:
    """Content framed as TensorFlow does it."""
    length = struct.pack("<Q", len(content))
    return length + struct.pack("<I", masked_crc32c(length)) + content + struct.pack("<I", masked_crc32c(content))


def masked_crc32c(data: bytes) -> int:
    """The checksum of Castagnoli, masked as TensorFlow's records are."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC32C[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _crc_entry(index: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ (0x82F63B78 if index & 1 else 0)
    return index


_CRC32C = [_crc_entry(index) for index in range(256)]


# ---------------------------------------------------------------- whole files

STRANGERS = (
    b"", b"\n", b" ", b"\0", b"null", b"[]", b"{}", b"0", b'""', b"[[]]", b"1\n2\n3\n", b"1,2\n3,4\n", b"a\n1\n2\n",
    b"a,b\n1,2\n3,4\n", b"agent,seed,score\n", b"\x89PNG\r\n\x1a\n" + bytes(32), b"%PDF-1.7\n", b"\x7fELF" + bytes(64),
    b"SQLite format 3\0" + bytes(100), b"\x89HDF\r\n\x1a\n" + bytes(64), b"<!DOCTYPE html><html></html>", b"PAR1",
    b"PAR1PAR1", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x93NUMPY", b"\x93NUMPY\x01\0\xff\xff{",
    b"\x1f\x8b", b"\x1f\x8b\x08", b"\x80\x04\x95", b"--- \n- a\n", b"&a [*a]\n", b"#{", b"#{}\nr,l,t\n",
    b'#{"t_start": 1}\n',
    b'#{"t_start": 1.0, "env_id": null}\nr,l,t\n', b'#{"t_start": 1.0, "env_id": "x"}\nr,l,t\n1,2,3\n',
    npy(np.zeros(3)),
    npy(np.zeros((3, 2))), npy(np.array(None, dtype=object)), archive({}), archive({"a.npy": npy(np.zeros((2, 2)))}),
    event_record(b"\x1a\rbrain.Event:2"), event_record(b""), "\ufeff".encode("utf-16"), "agent,seed".encode("utf-16"),
    b"Step,\"a - x\"\n1,2\n", b"seed,ppo,a2c\n0,1,2\n1,2,3\n", b'{"a": [[1, 2], [3, 4]]}',
    b'[{"Agent": "a", "Game": "g", "Iteration": 0, "Value": 1}]', b'{"e": {"t": {"a": {"seed_0": {}}}}}',
)  # fmt: skip


def _stranger(data: bytes, rng: Random) -> bytes:
    return rng.choice(STRANGERS)


MUTATIONS: dict[str, Mutation] = {
    "cut": Mutation(cut, "less"),
    "headless": Mutation(_headless, "damage"),
    "drop a chunk": Mutation(_drop_chunk, "damage"),
    "repeat a chunk": Mutation(_repeat_chunk, "damage"),
    "swap chunks": Mutation(_swap_chunks, "damage"),
    "flip bits": Mutation(_flip, "damage"),
    "random bytes": Mutation(_random_bytes, "damage"),
    "insert": Mutation(_insert, "damage"),
    "NULs at the end": Mutation(_nul_tail, "damage"),
    "empty": Mutation(lambda data, rng: b"", "less"),
    "noise": Mutation(lambda data, rng: rng.randbytes(rng.randint(1, 2000)), "other"),
    "another kind of file": Mutation(_stranger, "other"),
    "twice": Mutation(lambda data, rng: data + data, "other"),
    "BOM": Mutation(lambda data, rng: b"\xef\xbb\xbf" + data, "same", is_text),
    "two BOMs": Mutation(lambda data, rng: b"\xef\xbb\xbf" * 2 + data, "damage", is_text),
    "UTF-16": Mutation(lambda data, rng: data.decode().encode("utf-16"), "other", is_text),
    "UTF-16 without BOM": Mutation(lambda data, rng: data.decode().encode("utf-16-le"), "other", is_text),
    "Latin-1": Mutation(_latin_1, "other", is_text),
    "CRLF": Mutation(_crlf, "same", is_text),
    "CR": Mutation(lambda data, rng: data.replace(b"\n", b"\r"), "other", is_text),
    "gzip": Mutation(lambda data, rng: gzip.compress(data, mtime=0), "same"),
    "gzip in two members": Mutation(
        lambda data, rng: gzip.compress(data[:9], mtime=0) + gzip.compress(data[9:], mtime=0), "same"
    ),
    "torn gzip": Mutation(_gz_torn, "less"),
    "gzip of a gzip": Mutation(_gz_twice, "other"),
    "gzip and more": Mutation(_gz_and_more, "damage"),
    "zipped": Mutation(_zipped, "other"),
    "shuffled lines": Mutation(_of_lines(_shuffled), "other", is_text),
    "swapped lines": Mutation(_of_lines(_swap_two), "damage", is_text),
    "a line less": Mutation(_of_lines(_drop_line), "less", is_text),
    "lines less": Mutation(_of_lines(_drop_lines), "less", is_text),
    "a line again": Mutation(_of_lines(_repeat_line), "damage", is_text),
    "joined lines": Mutation(_of_lines(_join_lines), "damage", is_text),
    "the header again": Mutation(_of_lines(_header_again), "damage", is_text),
    "a strange line": Mutation(_of_lines(_strange_line), "damage", is_text),
    "blank lines": Mutation(_of_lines(_blank_lines), "same", is_table),
    "no final line end": Mutation(lambda data, rng: data.rstrip(b"\r\n"), "same", is_text),
    "swapped cells": Mutation(_of_cells(_swap_cells), "other", is_table),
    "swapped columns": Mutation(_of_cells(_swap_columns), "other", is_plain_table),
    "swapped names": Mutation(_of_cells(_swap_names), "other", is_table),
    "a cell less": Mutation(_of_cells(_drop_cell), "damage", is_table),
    "an empty cell": Mutation(_of_cells(_empty_cell), "other", is_table),
    "a cell of another row": Mutation(_of_cells(_move_cell), "other", is_table),
    "a column less": Mutation(_of_cells(_drop_column), "other", is_plain_table),
    "a column again": Mutation(_of_cells(_repeat_column), "other", is_plain_table),
    "a column more": Mutation(_of_cells(_extra_column), "other", is_plain_table),
    "a column renamed": Mutation(_of_cells(_rename_column), "other", is_table),
    "quoted cells": Mutation(_of_cells(_quoted), "same", is_table),
    "an open quote": Mutation(_of_cells(_open_quote), "damage", is_table),
    "an odd number": Mutation(_odd_number, "other", is_text),
    "another digit": Mutation(_other_digit, "other", is_text),
    "a key renamed": Mutation(_rename_key, "other", is_json),
    "another value": Mutation(_other_value, "other", is_json),
    "deep nesting": Mutation(_nested, "other", is_text),
    "a huge shape": Mutation(_huge_shape, "other", is_npy),
    "another dtype": Mutation(_other_dtype, "other", is_npy),
    "another array": Mutation(_array_other_than, "other", lambda data: data.startswith(b"\x93NUMPY")),
    "repacked": Mutation(_of_members(_repacked), "same", is_npz),
    "a member renamed": Mutation(_of_members(_rename_member), "other", is_npz),
    "a member less": Mutation(_of_members(_drop_member), "other", is_npz),
    "swapped members": Mutation(_of_members(_swap_members), "other", is_npz),
    "a spoilt member": Mutation(_of_members(_spoil_member), "other", is_npz),
    "another member": Mutation(_of_members(_other_array), "other", is_npz),
    "a record less": Mutation(_of_records(_drop_record), "less", is_events),
    "swapped records": Mutation(_of_records(_swap_records), "damage", is_events),
    "an absurd length": Mutation(_of_records(_absurd_length), "damage", is_events),
    "a spoilt record": Mutation(_of_records(_spoilt_record), "other", is_events),
}


# ---------------------------------------------------------------- names and kinds of files


class OfTree(NamedTuple):
    """A change of what stands where."""

    change: Callable[[Tree, Random], tuple[Tree, str | None]]
    promise: Promise


def _replaced(odd: Callable[[bytes, Random], Odd]) -> Callable[[Tree, Random], tuple[Tree, str | None]]:
    def on_tree(tree: Tree, rng: Random) -> tuple[Tree, str | None]:
        path = rng.choice(sorted(tree))
        node = tree[path]
        return ({**tree, path: odd(node, rng)}, path) if isinstance(node, bytes) else (tree, None)

    return on_tree


def _renamed_file(tree: Tree, rng: Random) -> tuple[Tree, str | None]:
    path = rng.choice(sorted(tree))
    folder, _, name = path.rpartition("/")
    new = rng.choice(STRANGE_NAMES).replace("/", "_")
    if rng.random() < 0.7:  # with the ending that made it known
        new = new[:200] + rng.choice((name[-12:], "." + name.partition(".")[2]))
    new = f"{folder}/{new}" if folder else new
    moved = {new if key == path else key: node for key, node in tree.items()}
    return (moved, path) if len(moved) == len(tree) and new.strip("./") else (tree, None)


def _renamed_folder(tree: Tree, rng: Random) -> tuple[Tree, str | None]:
    folders = sorted({key.rpartition("/")[0] for key in tree} - {""})
    if not folders:
        return tree, None
    parts = rng.choice(folders).split("/")
    old = "/".join(parts[: rng.randint(1, len(parts))])
    parent, _, name = old.rpartition("/")
    new = rng.choice((*STRANGE_NAMES, name + "_1", name + " (copy)", name.upper(), "seed_3", "s3", "run"))
    new = f"{parent}/{new}" if parent else new
    return {new + key[len(old) :] if f"{key}/".startswith(f"{old}/") else key: node for key, node in tree.items()}, old


def _removed(tree: Tree, rng: Random) -> tuple[Tree, str | None]:
    path = rng.choice(sorted(tree))
    left = {key: node for key, node in tree.items() if key != path}
    return (left, path) if left else (tree, None)


def _copied(tree: Tree, rng: Random) -> tuple[Tree, str | None]:
    """A backup beside the file, as editors and people leave them."""
    path = rng.choice(sorted(tree))
    folder, _, name = path.rpartition("/")
    copy = rng.choice((f"{name}~", f"{name}.bak", f"copy of {name}", f".{name}.swp", f"2_{name}", f"old/{name}"))
    return {**tree, f"{folder}/{copy}" if folder else copy: tree[path]}, path


def _strange_neighbour(tree: Tree, rng: Random) -> tuple[Tree, str | None]:
    folder = rng.choice(sorted(tree)).rpartition("/")[0]
    name = rng.choice(("README.md", ".DS_Store", "config.yaml", "model.zip", "x.csv", "x.json", "notes.txt", "x.npz"))
    name = f"{folder}/{name}" if folder else name
    return ({**tree, name: rng.choice(STRANGERS)}, name) if name not in tree else (tree, None)


OF_TREES: dict[str, OfTree] = {
    "a file renamed": OfTree(_renamed_file, "other"),
    "a folder renamed": OfTree(_renamed_folder, "other"),
    "a file removed": OfTree(_removed, "less"),
    "a file copied": OfTree(_copied, "other"),
    "a strange neighbour": OfTree(_strange_neighbour, "other"),
    "a link to itself": OfTree(_replaced(lambda data, rng: Odd("link", "{self}")), "less"),
    "a link to its folder": OfTree(_replaced(lambda data, rng: Odd("link", ".")), "less"),
    "a link into nothing": OfTree(_replaced(lambda data, rng: Odd("link", "../nothing")), "less"),
    "a link outwards": OfTree(
        _replaced(lambda data, rng: Odd("link", rng.choice(("/etc/passwd", "/dev/null")))),
        "other",
    ),
    "a folder in its place": OfTree(_replaced(lambda data, rng: Odd("folder")), "less"),
    "locked": OfTree(_replaced(lambda data, rng: Odd("locked", content=data)), "less"),
    "a pipe": OfTree(_replaced(lambda data, rng: Odd("fifo")), "less"),
}
PROMISES: dict[str, Promise] = {name: one.promise for name, one in (*MUTATIONS.items(), *OF_TREES.items())}
