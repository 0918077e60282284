"""The store: every record once, whole or not at all, readable by stable-baselines3, and never silently replaced."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import record, spec

from rlaudit import store as store_module
from rlaudit.errors import StoreError
from rlaudit.store import Store, is_results_folder
from rlaudit.store.run_files import FORMAT
from rlaudit.types import RunRecord, TrainingEpisodes

TESTS = Path(__file__).parent


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def failed(of: RunRecord | None = None, error: str = "Traceback\nValueError: no") -> RunRecord:
    return replace(of or record(), status="failed", error=error, final_returns=np.empty(0))


def run_directory(store: Store) -> Path:
    (path,) = (store.root / "runs").iterdir()
    return path


def leftovers(store: Store) -> list[Path]:
    return list((store.root / "tmp").glob("*"))


def assert_same(expected: RunRecord, actual: RunRecord) -> None:
    for name in ("spec", "status", "seconds", "weights_sha256", "error"):
        assert getattr(expected, name) == getattr(actual, name)
    assert dict(expected.provenance) == dict(actual.provenance)
    for name in ("eval_steps", "eval_returns", "eval_lengths", "final_returns"):
        np.testing.assert_array_equal(getattr(expected, name), getattr(actual, name))
    for name in ("returns", "lengths", "seconds"):
        np.testing.assert_array_equal(getattr(expected.episodes, name), getattr(actual.episodes, name))


# ---------------------------------------------------------------- round trips


def test_a_record_comes_back_to_the_last_bit(store: Store) -> None:
    of = spec(7, params={"gamma": 0.1 + 0.2, "train_freq": [2, "step"]}, normalize={"norm_obs": False}, n_envs=3)
    store.add(record(of))
    (read,) = store.records()
    assert_same(record(of), read)
    assert read.spec.run_id == of.run_id


def test_a_run_without_episodes_or_evaluations_comes_back_too(store: Store) -> None:
    bare = RunRecord(spec(), "failed", error="worker lost")
    store.add(bare)
    assert_same(bare, store.records()[0])


def test_a_number_that_is_not_finite_survives_without_breaking_the_json(store: Store) -> None:
    odd = replace(record(), final_returns=np.array([np.nan, np.inf, -np.inf]))
    store.add(odd)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    json.loads((run_directory(store) / "meta.json").read_text(), parse_constant=refuse)
    np.testing.assert_array_equal(odd.final_returns, store.records()[0].final_returns)


def test_the_monitor_file_is_read_by_stable_baselines3(store: Store) -> None:
    from stable_baselines3.common.monitor import load_results

    store.add(record())
    table = load_results(str(run_directory(store)))
    np.testing.assert_allclose(table["r"], record().episodes.returns, rtol=1e-15)
    np.testing.assert_array_equal(table["l"], record().episodes.lengths)
    np.testing.assert_array_equal(table["t"], record().episodes.seconds)


def test_the_evaluations_file_has_the_format_of_eval_callback(store: Store, tmp_path: Path) -> None:
    from stable_baselines3 import A2C
    from stable_baselines3.common.callbacks import EvalCallback
    from stable_baselines3.common.env_util import make_vec_env

    callback = EvalCallback(
        make_vec_env("CartPole-v1"), log_path=str(tmp_path), eval_freq=50, n_eval_episodes=2, verbose=0
    )
    A2C("MlpPolicy", make_vec_env("CartPole-v1"), device="cpu").learn(100, callback=callback)
    store.add(record())
    with np.load(tmp_path / "evaluations.npz") as theirs, np.load(run_directory(store) / "evaluations.npz") as ours:
        assert set(theirs) == set(ours)
        for name in theirs:
            assert (theirs[name].dtype, theirs[name].shape) == (ours[name].dtype, ours[name].shape)


def test_meta_json_tells_people_and_programs_what_was_run(store: Store) -> None:
    store.add(record(spec(12, agent="my agent/2")))
    path = run_directory(store)
    assert path.name == f"my-agent-2__seed00012__{spec(12).run_id}"
    meta = json.loads((path / "meta.json").read_text())
    assert (meta["format"], meta["status"], meta["weights_sha256"]) == (FORMAT, "done", "ab" * 32)
    assert meta["spec"]["agent"] == "my agent/2"
    assert meta["score"] == {"final_mean": 250.0, "episodes": 2}


@pytest.mark.parametrize("label", ["../../etc/passwd", "..", "", "con: <a|b>*?", "é" * 300, "a__b"])
def test_no_label_leaves_the_runs_folder_or_is_lost(store: Store, label: str) -> None:
    of = spec(agent=label)
    store.add(record(of))
    assert store.records()[0].spec.agent == label
    assert run_directory(store).parent == store.root / "runs"
    assert store.missing([of]) == ()


# ---------------------------------------------------------------- what is missing


def test_a_new_store_creates_nothing_and_misses_everything(store: Store) -> None:
    assert store.missing([spec(0), spec(1)]) == (spec(0), spec(1))
    assert store.records() == ()
    assert store.read_text("config.yaml") is None
    store.sweep()
    assert not store.root.exists()
    assert not is_results_folder(store.root)


def test_a_failed_run_is_missing_only_when_failed_ones_are_tried_again(store: Store) -> None:
    store.add(failed(record(spec(0))))
    store.add(record(spec(1)))
    specs = [spec(0), spec(1), spec(2)]
    assert store.missing(specs) == (spec(2),)
    assert store.missing(specs, retry_failed=True) == (spec(0), spec(2))
    assert is_results_folder(store.root)


def test_a_success_replaces_an_earlier_failure(store: Store) -> None:
    store.add(failed())
    store.add(failed(error="Traceback\nOSError: again"))
    (second,) = store.records()
    assert second.error == "Traceback\nOSError: again"
    store.add(record())
    assert [read.status for read in store.records()] == ["done"]
    assert list((store.root / "failed").iterdir()) == []


def test_a_late_failure_does_not_touch_a_finished_run(store: Store) -> None:
    store.add(record())
    store.add(failed())
    assert [read.status for read in store.records()] == ["done"]


def test_a_failure_is_kept_with_its_traceback_beside_it(store: Store) -> None:
    store.add(failed())
    path = store.root / "failed" / spec().run_id
    assert (path / "error.txt").read_text() == "Traceback\nValueError: no"
    assert json.loads((path / "meta.json").read_text())["error"] == "ValueError: no"


def test_one_run_under_two_labels_is_trained_once_and_read_under_both(store: Store) -> None:
    both = [spec(agent="one"), spec(agent="two")]
    assert store.missing(both) == (both[0],)
    store.add(record(both[0]))
    assert [read.spec.agent for read in store.records(both)] == ["one", "two"]


def test_records_come_in_the_order_that_was_asked_for(store: Store) -> None:
    for seed in range(4):
        store.add(failed(record(spec(seed))) if seed == 2 else record(spec(seed)))
    asked = [spec(3), spec(2), spec(9), spec(0)]
    assert [read.spec.seed for read in store.records(asked)] == [3, 2, 0]
    assert len(store.records()) == 4


# ---------------------------------------------------------------- nothing is overwritten, nothing torn


def test_adding_an_equal_record_again_changes_nothing(store: Store) -> None:
    store.add(record())
    before = {path: path.stat().st_mtime_ns for path in run_directory(store).iterdir()}
    store.add(replace(record(), seconds=99.0, provenance={"host": "another"}))
    assert {path: path.stat().st_mtime_ns for path in run_directory(store).iterdir()} == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weights_sha256": "cd" * 32}, "the weights"),
        ({"final_returns": np.array([1e-17, 499.0])}, "the final returns"),
        ({"eval_returns": np.array([[0.1, 1 / 3], [1.1e-17, 500.0]])}, "the learning curve"),
        ({"episodes": TrainingEpisodes(np.array([1.0]), np.array([1]), np.array([1.0]))}, "the training episodes"),
    ],
    ids=["weights", "final", "curve", "episodes"],
)
def test_another_result_under_the_same_id_is_refused_and_the_stored_one_kept(
    store: Store, changes: dict[str, Any], words: str
) -> None:
    store.add(record())
    with pytest.raises(StoreError, match=f"{words} differ.*not reproducible"):
        store.add(record(**changes))
    assert_same(record(), store.records()[0])


@pytest.mark.parametrize("name", ["meta.json", "monitor.csv", "evaluations.npz"])
@pytest.mark.parametrize("how", ["truncated", "empty", "gone", "altered"])
def test_a_damaged_run_is_refused_with_its_file_and_the_way_out(store: Store, name: str, how: str) -> None:
    store.add(record())
    path = run_directory(store) / name
    content = path.read_bytes()
    path.unlink()
    if how != "gone":
        path.write_bytes({"truncated": content[:-9], "empty": b"", "altered": content[:-9] + b"#" * 9}[how])
    with pytest.raises(StoreError, match=rf"{name} is damaged.*Delete the directory"):
        store.records()


def test_a_newer_format_is_refused_with_the_way_out(store: Store) -> None:
    store.add(record())
    path = run_directory(store) / "meta.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": FORMAT + 1}))
    with pytest.raises(StoreError, match=rf"format {FORMAT + 1}.*pip install --upgrade rlaudit"):
        store.records()


def test_a_pickle_in_a_results_folder_is_never_loaded(store: Store) -> None:
    store.add(record())
    path = run_directory(store) / "evaluations.npz"
    np.savez(path, timesteps=np.array([object()]), results=np.zeros((1, 1)), ep_lengths=np.zeros((1, 1)))
    meta = json.loads((path.parent / "meta.json").read_text())
    meta["sha256"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (path.parent / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(StoreError, match=r"allow_pickle=False"):
        store.records()


def test_a_disk_that_truncates_without_an_error_is_noticed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: os.ftruncate(handle, 5))
    with pytest.raises(StoreError, match="does not read back as it was written"):
        store.add(record())
    assert store.missing([spec()]) == (spec(),)
    assert leftovers(store) == []


def test_a_full_disk_gives_one_clear_error_and_leaves_nothing(store: Store) -> None:
    # The kernel's limit on a file's size stands in for the disk: the write itself fails half-way.
    code = f"""
import resource, sys
sys.path.insert(0, {str(TESTS)!r})
import numpy as np
from builders import record
from rlaudit.store import Store
from pathlib import Path
big = record(eval_steps=np.arange(9000), eval_returns=np.ones((9000, 2)), eval_lengths=np.ones((9000, 2)))
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
Store(Path({str(store.root)!r})).add(big)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=TESTS.parent, check=False)
    assert "StoreError" in done.stderr.splitlines()[-1]
    assert "Free some space" in done.stderr.splitlines()[-1]
    assert (store.records(), leftovers(store)) == ((), [])


def test_a_file_in_the_place_of_the_folder_gives_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be read: Not a directory"):
        Store(tmp_path / "results").add(record())


def test_two_processes_writing_the_same_runs_tear_nothing(store: Store) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from pathlib import Path
from builders import record, spec
from rlaudit.store import Store
store = Store(Path({str(store.root)!r}))
for seed in range(60):
    store.sweep()
    store.add(record(spec(seed)))
    store.write_text("scores.csv", str(seed) * 10_000)
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, cwd=TESTS.parent)
        for _ in range(2)
    ]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [("", 0), ("", 0)]
    assert sorted(read.spec.seed for read in store.records()) == list(range(60))
    assert leftovers(store) == []
    assert store.read_text("scores.csv") == "59" * 10_000


# ---------------------------------------------------------------- texts and tmp


def test_a_text_is_replaced_in_one_step_and_read_back(store: Store) -> None:
    store.write_text("config.yaml", "name: ä\n")
    store.write_text("config.yaml", "name: ö\n")
    assert store.read_text("config.yaml") == "name: ö\n"
    assert leftovers(store) == []


def test_sweeping_removes_what_dead_processes_left_and_nothing_else(store: Store) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = store_module._host()
    dead, ours, foreign = f"{ended.pid}.{host}.aa", f"{os.getpid()}.{host}.bb", f"{ended.pid}.another-host.cc"
    for name in (dead, ours, foreign):
        (store.root / "tmp" / name / "run").mkdir(parents=True)
    store.sweep()
    assert sorted(path.name for path in leftovers(store)) == sorted([ours, foreign])
