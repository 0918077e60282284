"""Event files: the same numbers as the tensorboard package reads, and nothing but these out of damaged ones."""

import json
import math
import tracemalloc
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from event_builder import data_of, event, field, record, scalar, text, varint, write
from hypothesis import given
from hypothesis import strategies as st

from rlaudit.errors import ImportFormatError
from rlaudit.importers import event_files
from rlaudit.importers.event_files import EventFile, masked_crcs, read_events

DATA = Path(__file__).parent / "data" / "tensorboard"
ORACLE = json.loads((DATA / "oracle.json").read_text())  # as tensorboard 2.21.0 reads them; see make.py there
RETURNS = "charts/episodic_return"
SAMPLE = next((DATA / "cleanrl" / "CartPole-v1__ppo__1__1700000001").glob("events.*"))


def _points(file: EventFile, tag: str) -> list[tuple[float, float, float]]:
    return list(zip(*(column.tolist() for column in file.scalars(tag)), strict=True))


WHOLE = _points(read_events(SAMPLE, [RETURNS]), RETURNS)
ENDS = frozenset(accumulate(16 + len(data) for data in data_of(SAMPLE.read_bytes())))


def _read(folder: Path, *records: bytes, wanted: tuple[str, ...] = ("a",)) -> EventFile:
    return read_events(write(folder, records), wanted)


@pytest.mark.parametrize("folder", ORACLE)
def test_every_number_is_the_one_that_the_tensorboard_package_reads(folder: str) -> None:
    (path,) = (DATA / folder).glob("events.*")
    file = read_events(path, ORACLE[folder])
    expected = {tag: len(points) for tag, points in ORACLE[folder].items()}
    assert expected == file.counts
    for tag, points in ORACLE[folder].items():
        np.testing.assert_array_equal(np.array(points), np.array(_points(file, tag)))
    assert (False, 0, 0) == (file.torn, file.lost, file.n_corrupt)


def test_the_text_of_the_hyper_parameters_is_read() -> None:
    texts = read_events(SAMPLE, ["hyperparameters/text_summary"]).texts
    assert "|learning_rate|0.00025|" in texts["hyperparameters/text_summary"].splitlines()


def test_the_checksum_is_the_published_one() -> None:
    """CRC-32C of the digits 1 to 9 is e3069283 (RFC 3720 and others); rotated by 15 bits, plus a282ead8."""
    crc = 0xE3069283
    assert ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32 == int(masked_crcs([b"123456789"])[0])


@given(texts=st.lists(st.binary(max_size=40), max_size=12))
def test_a_checksum_does_not_depend_on_its_company(texts: list[bytes]) -> None:
    assert [int(masked_crcs([text])[0]) for text in texts] == masked_crcs(texts).tolist()


def test_points_of_unwanted_tags_are_counted_only() -> None:
    file = read_events(SAMPLE, [])
    assert 30 == file.counts[RETURNS]
    assert 0 == len(file.scalars(RETURNS).steps)


# ---------------------------------------------------------------- damage


@given(cut=st.integers(0, SAMPLE.stat().st_size - 1))
def test_a_cut_file_has_the_first_points_and_says_that_it_is_torn(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = read_events(write(tmp_path_factory.mktemp("cut"), [SAMPLE.read_bytes()[:cut]]), [RETURNS])
    assert WHOLE[: file.counts.get(RETURNS, 0)] == _points(file, RETURNS)
    assert (0, 0) == (file.n_corrupt, file.lost)
    assert (cut not in ENDS | {0}) == file.torn


@given(at=st.integers(0, SAMPLE.stat().st_size - 1), flip=st.integers(1, 255))
def test_a_changed_byte_costs_points_and_never_changes_one(
    at: int, flip: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(SAMPLE.read_bytes())
    content[at] ^= flip
    file = read_events(write(tmp_path_factory.mktemp("flip"), [bytes(content)]), [RETURNS])
    assert set(_points(file, RETURNS)) <= set(WHOLE)
    assert bool(file.n_corrupt) != bool(file.lost)  # its data are wrong, or its length


@given(content=st.binary(max_size=200))
def test_any_bytes_give_an_event_file_without_numbers(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = read_events(write(tmp_path_factory.mktemp("fuzz"), [content]), ["a"])
    assert {} == file.counts
    assert bool(content) == (file.torn or file.lost > 0)


@given(data=st.binary(max_size=60))
def test_any_bytes_with_right_checksums_give_no_traceback(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = _read(tmp_path_factory.mktemp("fuzz"), record(data), event(1, data), event(1, field(1, data)))
    assert (False, 0) == (file.torn, file.lost)


def test_behind_a_wrong_checksum_reading_goes_on(tmp_path: Path) -> None:
    broken = bytearray(scalar("a", 2, 2.0))
    broken[-6] ^= 1
    file = _read(tmp_path, scalar("a", 1, 1.0), bytes(broken), scalar("a", 3, 3.0))
    assert [1, 3] == file.scalars("a").steps.tolist()
    assert (1, 0) == (file.n_corrupt, file.lost)


def test_behind_a_length_with_a_wrong_checksum_nothing_is_believed(tmp_path: Path) -> None:
    tail = bytes(8) + scalar("a", 2, 2.0)  # a disk that filled up leaves zeros
    file = _read(tmp_path, scalar("a", 1, 1.0), tail)
    assert [1] == file.scalars("a").steps.tolist()
    assert len(tail) == file.lost


def test_a_record_that_promises_more_than_there_is_takes_no_memory(tmp_path: Path) -> None:
    length = (2**62).to_bytes(8, "little")
    tracemalloc.start()
    file = _read(tmp_path, length, b"\0\0\0\0", b"x" * 100)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()
    assert 112 == file.lost


def test_long_records_are_passed_over(tmp_path: Path) -> None:
    picture = record(b"x" * (event_files.MAX_RECORD + 1))
    file = _read(tmp_path, scalar("a", 1, 1.0), picture, scalar("a", 2, 2.0))
    assert [1, 2] == file.scalars("a").steps.tolist()
    assert 0 == file.n_corrupt


def test_a_torn_long_record_is_torn(tmp_path: Path) -> None:
    picture = record(b"x" * (event_files.MAX_RECORD + 1))
    assert _read(tmp_path, scalar("a", 1, 1.0), picture[:-1]).torn


def test_a_file_of_nothing_but_tags_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_files, "MAX_TAGS", 3)
    with pytest.raises(ImportFormatError, match="more than 3 tags"):
        _read(tmp_path, *(scalar(str(i), 0, 0) for i in range(4)))


# ---------------------------------------------------------------- protobufs


def test_steps_below_zero_are_what_they_are(tmp_path: Path) -> None:
    assert [-2] == _read(tmp_path, scalar("a", -2, 1.0)).scalars("a").steps.tolist()


def test_a_summary_may_hold_several_tags(tmp_path: Path) -> None:
    values = [field(1, field(1, tag) + b"\x15\0\0\x80\x3f") for tag in (b"a", b"b", b"a")]
    file = _read(tmp_path, event(7, b"".join(values)))
    assert {"a": 2, "b": 1} == file.counts
    assert [(7, 1.0, 1.0)] * 2 == _points(file, "a")


def test_fields_that_are_not_known_are_passed_over(tmp_path: Path) -> None:
    unknown = varint(99 * 8) + varint(2**60) + field(98, b"x") + varint(97 * 8 + 1) + bytes(8)
    file = _read(tmp_path, event(7, unknown + field(1, unknown + field(1, b"a") + b"\x15\0\0\x80\x3f" + unknown)))
    assert [(7, 1.0, 1.0)] == _points(file, "a")


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (b"\x08\x01" + field(4, np.float32(2.5).tobytes()), 2.5),  # tensor_content, as TensorFlow 2 may write it
        (b"\x08\x01" + field(5, np.float32(2.5).tobytes()), 2.5),
        (b"\x08\x02" + field(6, np.float64(0.1).tobytes()), 0.1),
        (b"\x08\x01" + field(5, np.float32([1, 2]).tobytes()), None),  # a vector is no score
        (b"\x08\x03" + field(7, b"\x01"), None),
        (b"", None),
    ],
)
def test_a_tensor_of_one_number_is_a_scalar(tmp_path: Path, tensor: bytes, expected: float | None) -> None:
    values = _read(tmp_path, event(1, field(1, field(1, b"a") + field(8, tensor)))).scalars("a").values.tolist()
    assert ([] if expected is None else [expected]) == values


def test_text_that_is_no_utf8_is_marked(tmp_path: Path) -> None:
    tensor = b"\x08\x07" + field(8, b"\xff")
    file = _read(tmp_path, event(0, field(1, field(1, b"a") + field(8, tensor))))
    assert {"a": "\N{REPLACEMENT CHARACTER}"} == file.texts


def test_the_start_is_the_time_of_the_first_event(tmp_path: Path) -> None:
    assert 3.0 == _read(tmp_path, scalar("a", 1, 1.0, time=4.0), scalar("a", 2, 1.0, time=3.0)).start
    assert math.isinf(_read(tmp_path / "empty").start)


def test_a_text_is_no_scalar(tmp_path: Path) -> None:
    assert {} == _read(tmp_path, text("|seed|1|")).counts
