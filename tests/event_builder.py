"""Event files by the few bytes that they are made of, for runs that no sample shows."""

import struct
from collections.abc import Iterable
from pathlib import Path

from rlaudit.importers.event_files import masked_crcs


def crc(data: bytes) -> bytes:
    return struct.pack("<I", int(masked_crcs([data])[0]))


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + crc(length) + data + crc(data)


def data_of(content: bytes) -> list[bytes]:
    """The data of every record of a whole file."""
    data, at = [], 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 8], "little")
        data.append(content[at + 12 : at + 12 + length])
        at += 16 + length
    return data


def varint(number: int) -> bytes:
    low, rest = number & 127, (number & 2**64 - 1) >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def field(number: int, content: bytes) -> bytes:
    return varint(number * 8 + 2) + varint(len(content)) + content


def event(step: int, summary: bytes, time: float = 1.0) -> bytes:
    return record(struct.pack("<Bd", 9, time) + b"\x10" + varint(step) + field(5, summary))


def scalar(tag: str, step: int, value: float, time: float = 1.0) -> bytes:
    return event(step, field(1, field(1, tag.encode()) + struct.pack("<Bf", 21, value)), time)


def text(content: str) -> bytes:
    """CleanRL's hyper-parameters."""
    tensor = b"\x08\x07" + field(8, content.encode())
    return event(0, field(1, field(1, b"hyperparameters/text_summary") + field(8, tensor)))


def parameters(**given: object) -> bytes:
    return text("|param|value|\n|-|-|\n" + "\n".join(f"|{key}|{value}|" for key, value in given.items()))


def write(folder: Path, records: Iterable[bytes], number: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events.out.tfevents.17000000{number:02d}.host.1.{number}"
    path.write_bytes(b"".join(records))
    return path
