"""The samples that are mutated: real results of every format, and how each is called."""

from pathlib import Path
from typing import Literal, NamedTuple

from mutations import Tree

from rlaudit.importers import Hints

DATA = Path(__file__).parent / "data"
LARGEST = 200_000  # bytes of a sample; a larger one would take the time of a hundred others


class Sample(NamedTuple):
    """`below` tests/data: a file, several that are called together, or a folder; and what must be said of it."""

    format: str
    below: str  # a glob
    call: Literal["files", "folder"] = "files"
    hints: Hints = Hints()
    n_inputs: int = 600
    same: tuple[str, ...] = ()  # mutations that keep the meaning and must be read
    refused: tuple[str, ...] = ()  # mutations that must not be read
    checksums: bool = False  # no damage goes unnoticed
    torn_lines_tell: bool = False  # a last line that was cut is known to be so
    counted: bool = False  # seeds or steps are positions in the file


OF_TABLES = ("BOM", "CRLF", "gzip", "gzip in two members", "blank lines", "no final line end", "quoted cells",
             "swapped columns", "a column more")  # fmt: skip
SAMPLES: dict[str, Sample] = {
    "tidy scores": Sample("tidy", "tidy/scores.csv", same=OF_TABLES, refused=("a line again", "the header again")),
    "tidy curves": Sample("tidy", "tidy/curves.csv", same=OF_TABLES, refused=("a line again", "the header again")),
    "tidy Parquet": Sample("tidy", "tidy/scores.parquet"),
}


def tree(sample: Sample) -> Tree:
    """What stands on the disk; for a folder relative to it, with the folder's own name before."""
    found = sorted(path for path in DATA.glob(sample.below) if path.suffix != ".py")
    assert found, f"no sample at {sample.below}"
    if sample.call == "files":
        return {path.name: path.read_bytes() for path in found}
    files = [file for folder in found for file in sorted(folder.rglob("*")) if file.is_file()]
    return {str(file.relative_to(found[0].parent)): file.read_bytes() for file in files}
