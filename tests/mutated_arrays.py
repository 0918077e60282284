"""Damage to arrays and archives of NumPy, and to event files of TensorBoard."""

import io
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import numpy as np
from mutated_bytes import cut, drop_chunk, flip, nul_tail, random_bytes, repeat_chunk
from mutated_text import STRANGE_NAMES

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


def of_members(change: Callable[[dict[str, bytes], Random], None]) -> Callable[[bytes, Random], bytes]:
    def on_bytes(data: bytes, rng: Random) -> bytes:
        with zipfile.ZipFile(io.BytesIO(data)) as made:
            members = {name: made.read(name) for name in made.namelist()}
        change(members, rng)
        return archive(members, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))

    return on_bytes


def repacked(members: dict[str, bytes], rng: Random) -> None:
    """Another compression, the same arrays."""


def rename_member(members: dict[str, bytes], rng: Random) -> None:
    old = rng.choice(list(members))
    content = members.pop(old)
    name = rng.choice((*STRANGE_NAMES, "../../x", "/etc/x", "results", "timesteps", "arr_0"))
    members[name.encode("utf-8", "replace").decode() + rng.choice((".npy", ""))] = content


def drop_member(members: dict[str, bytes], rng: Random) -> None:
    del members[rng.choice(list(members))]


def swap_members(members: dict[str, bytes], rng: Random) -> None:
    a, b = rng.choice(list(members)), rng.choice(list(members))
    members[a], members[b] = members[b], members[a]


def spoil_member(members: dict[str, bytes], rng: Random) -> None:
    name = rng.choice(list(members))
    members[name] = rng.choice((cut, flip, drop_chunk, nul_tail))(members[name], rng)


def other_array(members: dict[str, bytes], rng: Random) -> None:
    name = rng.choice(list(members))
    members[name] = array_other_than(members[name], rng)


def array_other_than(data: bytes, rng: Random) -> bytes:
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


def huge_shape(data: bytes, rng: Random) -> bytes:
    """The header promises terabytes; its length stays."""
    at = data.find(b"'shape': (")
    end = data.find(b"\n", at)
    if at < 0 or end < 0:
        return data
    room = end - at - len(b"'shape': (") - len(b"), }")
    shape = rng.choice((b"9" * 12 + b",", b"-1, 9,", b"99999, 99999,", b"1e9,", b"2.5,", b"True,", b"9" * 30 + b","))
    return data[:at] + b"'shape': (" + shape[:room].ljust(room) + b"), }" + data[end:]


def other_dtype(data: bytes, rng: Random) -> bytes:
    dtype = rng.choice((b"'<f4'", b"'>f8'", b"'<i8'", b"'|O' ", b"'<U2'", b"'|V8'", b"'<c8'", b"'<f0'", b"'xyz'"))
    return re.sub(rb"'[<>|=][a-zA-Z]\d+'", lambda _: dtype, data, count=1)


# ---------------------------------------------------------------- event files


def records(data: bytes) -> list[bytes]:
    """Length, its checksum, the content, its checksum."""
    records, at = [], 0
    while at + 12 <= len(data):
        (length,) = struct.unpack("<Q", data[at : at + 8])
        records.append(data[at : at + 16 + length])
        at += 16 + length
    return records


def of_records(change: Callable[[list[bytes], Random], list[bytes]]) -> Callable[[bytes, Random], bytes]:
    return lambda data, rng: b"".join(change(records(data), rng))


def drop_record(records: list[bytes], rng: Random) -> list[bytes]:
    at = rng.randrange(1, len(records))
    return records[:at] + records[at + 1 :]


def swap_records(records: list[bytes], rng: Random) -> list[bytes]:
    a, b = rng.randrange(len(records)), rng.randrange(len(records))
    records[a], records[b] = records[b], records[a]
    return records


def absurd_length(records: list[bytes], rng: Random) -> list[bytes]:
    """The checksum of the length is right or wrong."""
    at = rng.randrange(len(records))
    length = struct.pack("<Q", rng.choice((0, 1, 2**31, 2**40, 2**63, 2**64 - 1, len(records[at]) - 15)))
    checksum = rng.choice((records[at][8:12], struct.pack("<I", masked_crc32c(length))))
    records[at] = length + checksum + records[at][12:]
    return records


def spoilt_record(records: list[bytes], rng: Random) -> list[bytes]:
    """Other content under a right checksum: no disk does that, a bad writer may."""
    at = rng.randrange(len(records))
    content = rng.choice((cut, flip, drop_chunk, repeat_chunk, random_bytes))(records[at][12:-4], rng)
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


def crc_entry(index: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ (0x82F63B78 if index & 1 else 0)
    return index


_CRC32C = [crc_entry(index) for index in range(256)]
