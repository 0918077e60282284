"""Damage to any file, and what kind of file it is."""

from random import Random

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


def span(data: bytes, rng: Random, most: int = 64) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.randint(1, most))


def cut(data: bytes, rng: Random) -> bytes:
    """The end is missing, as after a full disk or a killed process."""
    return data[: rng.randrange(len(data) + 1)]


def headless(data: bytes, rng: Random) -> bytes:
    return data[rng.randrange(len(data) + 1) :]


def drop_chunk(data: bytes, rng: Random) -> bytes:
    start, end = span(data, rng)
    return data[:start] + data[end:]


def repeat_chunk(data: bytes, rng: Random) -> bytes:
    start, end = span(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 1, 50)) + data[end:]


def swap_chunks(data: bytes, rng: Random) -> bytes:
    a, b = sorted((span(data, rng), span(data, rng)))
    if a[1] > b[0]:
        return data
    return data[: a[0]] + data[b[0] : b[1]] + data[a[1] : b[0]] + data[a[0] : a[1]] + data[b[1] :]


def flip(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8)) if data else 0):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def random_bytes(data: bytes, rng: Random) -> bytes:
    start, end = span(data, rng, 16)
    return data[:start] + rng.randbytes(end - start) + data[end:]


_INTERESTING = (b"\0", b"\xff", b'"', b"'", b"\n", b"\r", b",", b";", b"\t", b"\\", b"\x1a", b"\x1b[31m", b"{", b"[",
                b"}", b"#", b"-", b".", b"e", "\u2028".encode(), "\u202e".encode(), b"\xed\xb3\xbf")  # fmt: skip


def insert(data: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(_INTERESTING) * rng.choice((1, 1, 1, 3, 1000)) + data[at:]


def nul_tail(data: bytes, rng: Random) -> bytes:
    """What a journal leaves after a power cut: the length is right, the end is NULs."""
    start = rng.randrange(len(data) + 1)
    return data[:start] + bytes(len(data) - start)
