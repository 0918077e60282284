"""Names and kinds of files that nobody meant to write: an error in words, and never a wait."""

import os
import shutil
from pathlib import Path

import pytest
from fuzz_laws import alarm

from rlaudit import importers
from rlaudit.errors import ImportFormatError
from rlaudit.importers import files

DATA = Path(__file__).parent / "data"
GOOD = "agent,seed,score\nppo,0,1\nppo,1,2.5\na2c,0,-3\na2c,1,4e2\n"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "scores.csv")
    with alarm(5), pytest.raises(ImportFormatError, match=r"scores.csv is neither a file nor a folder"):
        importers.read(tmp_path / "scores.csv")


def test_a_device_is_refused() -> None:
    with alarm(5), pytest.raises(ImportFormatError, match=r"/dev/zero is neither a file nor a folder"):
        importers.read(Path("/dev/zero"))


def test_a_walk_passes_by_pipes_and_devices_but_not_by_links_into_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    (tmp_path / "b.csv").symlink_to("/dev/zero")
    (tmp_path / "c.csv").symlink_to("nothing")
    (tmp_path / "d.csv").symlink_to("d.csv")
    (tmp_path / "e.csv").write_text(GOOD)
    (tmp_path / "f.csv").symlink_to("e.csv")
    assert ["c.csv", "d.csv", "e.csv", "f.csv"] == [file.name for file in files.walk(tmp_path)]


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("monitor/logs/a2c-1", "seed_1/0.monitor.csv"),
        ("monitor/logs/a2c-3", "seed_1/1.monitor.csv"),
        ("evaluations/logs", "CartPole-v1/a2c_s1/evaluations.npz"),
        ("zoo/logs", "ppo/CartPole-v1_1/CartPole-v1/args.yml"),
        ("tensorboard/sb3", "PPO_2/events.*"),
        ("tensorboard/cleanrl", "CartPole-v1__ppo__2__1700000002/events.*"),
    ],
)
def test_a_run_does_not_vanish_with_a_file_that_was_not_fetched(folder: str, file: str, tmp_path: Path) -> None:
    """git-annex and DVC leave links into nothing."""
    shutil.copytree(DATA / folder, tmp_path / "logs")
    (there,) = (tmp_path / "logs").glob(file)
    there.unlink()
    there.symlink_to("../nothing")
    try:
        told = str(importers.read(tmp_path / "logs", single_seeds=True).reading.notes)
    except ImportFormatError as error:
        told = str(error)
    assert there.parent.name in told
    assert "no such file" in told


@pytest.mark.parametrize("name", ["x" * 5000, "x" * 300, "\udcff", "a\nb", "[/red]", "\x1b[31m"])
def test_a_strange_path_that_is_not_there_is_an_error_in_words(name: str, tmp_path: Path) -> None:
    with pytest.raises(ImportFormatError, match=r"no such file|cannot be read"):
        importers.read(tmp_path / name)


def test_a_link_to_itself_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").symlink_to("scores.csv")
    with pytest.raises(ImportFormatError, match=r"scores.csv cannot be read"):
        importers.read(tmp_path / "scores.csv")
