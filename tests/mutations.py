"""Ways to spoil somebody's results: pure functions from a tree of files and a random generator to another tree.

A tree is {relative path: what stands there}. Each mutation changes one file, or one name, and leaves the rest alone;
where it finds nothing to change, it returns the tree as it is. MUTATIONS says what each one promises:

* `same`: the meaning is kept: the same numbers come out, bit for bit, or the file is refused.
* `less`: something is taken away, nothing is added: whatever still comes out came out before (a torn number aside).
* `damage`: bytes are changed, as disks, editors and networks change them.
* `other`: the content is other than it was, on purpose.
"""

import gzip
from collections.abc import Callable, Mapping
from random import Random
from typing import Literal, NamedTuple

import mutated_arrays as arrays
import mutated_bytes as raw
import mutated_text as text
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
    return arrays.archive({"scores.csv": data})


# ---------------------------------------------------------------- whole files

STRANGERS = (
    b"", b"\n", b" ", b"\0", b"null", b"[]", b"{}", b"0", b'""', b"[[]]", b"1\n2\n3\n", b"1,2\n3,4\n", b"a\n1\n2\n",
    b"a,b\n1,2\n3,4\n", b"agent,seed,score\n", b"\x89PNG\r\n\x1a\n" + bytes(32),
    b"%PDF-1.7\n", b"\x7fELF" + bytes(64),
    b"SQLite format 3\0" + bytes(100), b"\x89HDF\r\n\x1a\n" + bytes(64), b"<!DOCTYPE html><html></html>", b"PAR1",
    b"PAR1PAR1", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x93NUMPY", b"\x93NUMPY\x01\0\xff\xff{",
    b"\x1f\x8b", b"\x1f\x8b\x08", b"\x80\x04\x95", b"--- \n- a\n", b"&a [*a]\n", b"#{", b"#{}\nr,l,t\n",
    b'#{"t_start": 1}\n',
    b'#{"t_start": 1.0, "env_id": null}\nr,l,t\n', b'#{"t_start": 1.0, "env_id": "x"}\nr,l,t\n1,2,3\n',
    arrays.npy(np.zeros(3)), arrays.npy(np.zeros((3, 2))),
    arrays.npy(np.array(None, dtype=object)), arrays.archive({}),
    arrays.archive({"a.npy": arrays.npy(np.zeros((2, 2)))}),
    arrays.event_record(b"\x1a\rbrain.Event:2"), arrays.event_record(b""), "\ufeff".encode("utf-16"),
    "agent,seed".encode("utf-16"),
    b"Step,\"a - x\"\n1,2\n", b"seed,ppo,a2c\n0,1,2\n1,2,3\n", b'{"a": [[1, 2], [3, 4]]}',
    b'[{"Agent": "a", "Game": "g", "Iteration": 0, "Value": 1}]', b'{"e": {"t": {"a": {"seed_0": {}}}}}',
)  # fmt: skip


def _stranger(data: bytes, rng: Random) -> bytes:
    return rng.choice(STRANGERS)


MUTATIONS: dict[str, Mutation] = {
    "cut": Mutation(raw.cut, "less"),
    "headless": Mutation(raw.headless, "damage"),
    "drop a chunk": Mutation(raw.drop_chunk, "damage"),
    "repeat a chunk": Mutation(raw.repeat_chunk, "damage"),
    "swap chunks": Mutation(raw.swap_chunks, "damage"),
    "flip bits": Mutation(raw.flip, "damage"),
    "random bytes": Mutation(raw.random_bytes, "damage"),
    "insert": Mutation(raw.insert, "damage"),
    "NULs at the end": Mutation(raw.nul_tail, "damage"),
    "empty": Mutation(lambda data, rng: b"", "less"),
    "noise": Mutation(lambda data, rng: rng.randbytes(rng.randint(1, 2000)), "other"),
    "another kind of file": Mutation(_stranger, "other"),
    "twice": Mutation(lambda data, rng: data + data, "other"),
    "BOM": Mutation(lambda data, rng: b"\xef\xbb\xbf" + data, "same", raw.is_text),
    "two BOMs": Mutation(lambda data, rng: b"\xef\xbb\xbf" * 2 + data, "damage", raw.is_text),
    "UTF-16": Mutation(lambda data, rng: data.decode().encode("utf-16"), "other", raw.is_text),
    "UTF-16 without BOM": Mutation(lambda data, rng: data.decode().encode("utf-16-le"), "other", raw.is_text),
    "Latin-1": Mutation(_latin_1, "other", raw.is_text),
    "CRLF": Mutation(_crlf, "same", raw.is_text),
    "CR": Mutation(lambda data, rng: data.replace(b"\n", b"\r"), "other", raw.is_text),
    "gzip": Mutation(lambda data, rng: gzip.compress(data, mtime=0), "same"),
    "gzip in two members": Mutation(
        lambda data, rng: gzip.compress(data[:9], mtime=0) + gzip.compress(data[9:], mtime=0), "same"
    ),
    "torn gzip": Mutation(_gz_torn, "less"),
    "gzip of a gzip": Mutation(_gz_twice, "other"),
    "gzip and more": Mutation(_gz_and_more, "damage"),
    "zipped": Mutation(_zipped, "other"),
    "shuffled lines": Mutation(text.of_lines(text.shuffled), "other", raw.is_text),
    "swapped lines": Mutation(text.of_lines(text.swap_two), "damage", raw.is_text),
    "a line less": Mutation(text.of_lines(text.drop_line), "less", raw.is_text),
    "lines less": Mutation(text.of_lines(text.drop_lines), "less", raw.is_text),
    "a line again": Mutation(text.of_lines(text.repeat_line), "damage", raw.is_text),
    "joined lines": Mutation(text.of_lines(text.join_lines), "damage", raw.is_text),
    "the header again": Mutation(text.of_lines(text.header_again), "damage", raw.is_text),
    "a strange line": Mutation(text.of_lines(text.strange_line), "damage", raw.is_text),
    "blank lines": Mutation(text.of_lines(text.blank_lines), "same", raw.is_table),
    "no final line end": Mutation(lambda data, rng: data.rstrip(b"\r\n"), "same", raw.is_text),
    "swapped cells": Mutation(text.of_cells(text.swap_cells), "other", raw.is_table),
    "swapped columns": Mutation(text.of_cells(text.swap_columns), "other", raw.is_plain_table),
    "swapped names": Mutation(text.of_cells(text.swap_names), "other", raw.is_table),
    "a cell less": Mutation(text.of_cells(text.drop_cell), "damage", raw.is_table),
    "an empty cell": Mutation(text.of_cells(text.empty_cell), "other", raw.is_table),
    "a cell of another row": Mutation(text.of_cells(text.move_cell), "other", raw.is_table),
    "a column less": Mutation(text.of_cells(text.drop_column), "other", raw.is_plain_table),
    "a column again": Mutation(text.of_cells(text.repeat_column), "other", raw.is_plain_table),
    "a column more": Mutation(text.of_cells(text.extra_column), "other", raw.is_plain_table),
    "a column renamed": Mutation(text.of_cells(text.rename_column), "other", raw.is_table),
    "quoted cells": Mutation(text.of_cells(text.quoted), "same", raw.is_table),
    "an open quote": Mutation(text.of_cells(text.open_quote), "damage", raw.is_table),
    "an odd number": Mutation(text.odd_number, "other", raw.is_text),
    "another digit": Mutation(text.other_digit, "other", raw.is_text),
    "a key renamed": Mutation(text.rename_key, "other", raw.is_json),
    "another value": Mutation(text.other_value, "other", raw.is_json),
    "deep nesting": Mutation(text.nested, "other", raw.is_text),
    "a huge shape": Mutation(arrays.huge_shape, "other", raw.is_npy),
    "another dtype": Mutation(arrays.other_dtype, "other", raw.is_npy),
    "another array": Mutation(arrays.array_other_than, "other", lambda data: data.startswith(b"\x93NUMPY")),
    "repacked": Mutation(arrays.of_members(arrays.repacked), "same", raw.is_npz),
    "a member renamed": Mutation(arrays.of_members(arrays.rename_member), "other", raw.is_npz),
    "a member less": Mutation(arrays.of_members(arrays.drop_member), "other", raw.is_npz),
    "swapped members": Mutation(arrays.of_members(arrays.swap_members), "other", raw.is_npz),
    "a spoilt member": Mutation(arrays.of_members(arrays.spoil_member), "other", raw.is_npz),
    "another member": Mutation(arrays.of_members(arrays.other_array), "other", raw.is_npz),
    "a record less": Mutation(arrays.of_records(arrays.drop_record), "less", raw.is_events),
    "swapped records": Mutation(arrays.of_records(arrays.swap_records), "damage", raw.is_events),
    "an absurd length": Mutation(arrays.of_records(arrays.absurd_length), "damage", raw.is_events),
    "a spoilt record": Mutation(arrays.of_records(arrays.spoilt_record), "other", raw.is_events),
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
    new = rng.choice(text.STRANGE_NAMES).replace("/", "_")
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
    new = rng.choice((*text.STRANGE_NAMES, name + "_1", name + " (copy)", name.upper(), "seed_3", "s3", "run"))
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
