"""Small files that would unpack to gigabytes: an error in words, within a second or two and a bounded memory."""

import io
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mutated_arrays import archive, event_record, npy

MEMORY = 1_500_000_000  # bytes of address space, numpy's and pyarrow's own included
SECONDS = 60  # of CPU

READ = f"""
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
from rlaudit import importers
from rlaudit.errors import RlauditError
from rlaudit.importers import Hints
try:
    read = importers.read(Path(sys.argv[1]), Hints(axes=tuple(sys.argv[2:])), single_seeds=True)
except RlauditError as error:
    print("refused:", error)
else:
    print("read:", read.reading.summary)
"""


def read(path: Path, *axes: str) -> str:
    """What a process says that may take no more than that."""
    said = subprocess.run(
        [sys.executable, "-c", READ, path, *axes],
        capture_output=True,
        timeout=300,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"},
    )
    assert (0, "") == (said.returncode, said.stderr), said.stderr[-2000:]
    return said.stdout


def zeros_deflated(n_bytes: int, head: bytes = b"") -> bytes:
    """`head` and so many zeros as one deflate stream, made in no time: a block that repeats."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * (n_bytes // 2**20) + packer.flush()


def gzip_bomb(head: bytes, n_bytes: int) -> bytes:
    """Its checksum is wrong; nobody should get so far."""
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + zeros_deflated(n_bytes, head) + bytes(8)


def npz_bomb(n_bytes: int) -> bytes:
    """An honest .npz of zeros: a thousandth of its size."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (n_bytes // 8,)})
    head = header.getvalue()
    packed, size = zeros_deflated(n_bytes, head), len(head) + n_bytes
    crc = zlib.crc32(head)
    for _ in range(n_bytes // 2**20):
        crc = zlib.crc32(bytes(2**20), crc)
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 33, crc, len(packed), size, 9, 0) + b"arr_0.npy"
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, crc, len(packed), size, 9, 0, 0, 0, 0, 0, 0)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(entry) + 9, len(local) + len(packed), 0)
    return local + packed + entry + b"arr_0.npy" + end


def parquet_bomb(n_rows: int) -> bytes:
    """One value, so many times."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = 1_000_000
    part = pa.table({"agent": pa.array(["a"] * rows), "seed": pa.array(np.zeros(rows, int)), "score": np.zeros(rows)})
    packed = io.BytesIO()
    with parquet.ParquetWriter(packed, part.schema) as writer:
        for _ in range(n_rows // rows):
            writer.write_table(part)
    return packed.getvalue()


def yaml_bomb() -> bytes:
    """A billion laughs."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{above}'] * 9)}]" for above, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    return "\n".join(["algo: ppo", "env: CartPole-v1", "seed: 1", *lines]).encode()


def promise() -> bytes:
    """An array of three numbers that says it has 80 terabytes."""
    return npy(np.zeros(3)).replace(b"(3,), }" + b" " * 12, b"(9999999999999,), }")


def record() -> bytes:
    """An event file that goes on with a record of a terabyte."""
    return event_record(b"\x1a\rbrain.Event:2") + struct.pack("<Q", 2**40) + bytes(2**20)


CSV = b"agent,seed,score\nppo,0,1\nppo,1,2\n"
JSON = b'{"a": '
MONITOR = b'#{"t_start": 1.0, "env_id": "CartPole-v1"}\nr,l,t\n1.0,10,0.5\n'
BOMBS: dict[str, tuple[str, Callable[[], bytes], tuple[str, ...]]] = {
    "gzip of a table": ("scores.csv.gz", lambda: gzip_bomb(CSV, 2**32), ()),
    "gzip of a Monitor file": ("monitor.csv.gz", lambda: gzip_bomb(MONITOR, 2**32), ()),
    "gzip of JSON": ("scores.json.gz", lambda: gzip_bomb(JSON, 2**32), ()),
    "gzip of numbers": ("scores.txt.gz", lambda: gzip_bomb(b"1\n2\n", 2**32), ("seed",)),
    "one endless line": ("scores.csv", lambda: CSV + b"x" * 2**26, ()),
    "endless JSON": ("scores.json", lambda: b"[" + b"[[1, 2], [3, 4]], " * 2**22, ()),
    "deep JSON": ("scores.json", lambda: b"[" * 2**24, ()),
    "npz of two gigabytes": ("runs.npz", lambda: npz_bomb(2**31), ("seed",)),
    "npz within the bounds": ("runs.npz", lambda: npz_bomb(900 * 2**20), ("seed",)),
    "evaluations": ("evaluations.npz", lambda: npz_bomb(2**31), ()),
    "zip in a zip": ("runs.npz", lambda: archive({"a.npy": bytes(2**27)}, zipfile.ZIP_DEFLATED), ("seed",)),
    "npy that promises": ("runs.npy", promise, ("seed",)),
    "Parquet": ("scores.parquet", lambda: parquet_bomb(24_000_000), ()),
    "a record of a terabyte": ("events.out.tfevents.1.x", record, ()),
    "YAML": ("logs/ppo/CartPole-v1_1/CartPole-v1/args.yml", yaml_bomb, ()),
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_within_bounds(bomb: str, tmp_path: Path) -> None:
    name, content, axes = BOMBS[bomb]
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content())
    source = tmp_path / name.partition("/")[0]
    assert read(source, *axes).startswith("refused: ")
