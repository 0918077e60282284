"""Many runs at once into the store, and the runs of others: whole or not at all, as found, never silently replaced."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from builders import record, spec
from test_store import assert_same, failed, leftovers

from rlaudit import durable, importers, pipeline
from rlaudit.errors import StoreError
from rlaudit.scores import score_table
from rlaudit.store import Store
from rlaudit.types import IMPORTED, RunRecord, RunSpec, Seeds, TrainingEpisodes

TESTS = Path(__file__).parent


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def imported(seed: int | str = 0, agent: str = "ppo", task: str = "", last: int = 200, **changes: object) -> RunRecord:
    """What the border makes of a run of somebody else."""
    of = RunSpec(agent, task, agent, last, seed, Seeds(0, 0, 0), backend=IMPORTED)
    curve = {"eval_steps": np.array([100, last]), "eval_returns": np.array([[1.0], [2.5]]), "eval_lengths": []}
    bare = {"final_returns": np.array([2.5]), "weights_sha256": "", "provenance": {"file": "scores.csv:2"}}
    return record(of, **{**curve, "episodes": TrainingEpisodes(), **bare, **changes})


def inodes(store: Store) -> dict[Path, int]:
    """A file that was written again has another one."""
    return {path: path.stat().st_ino for path in store.root.rglob("*") if path.is_file()}


# ---------------------------------------------------------------- many at once


def test_many_runs_are_kept_as_one_by_one(store: Store, tmp_path: Path) -> None:
    runs = [failed(record(spec(seed))) if seed % 50 == 7 else record(spec(seed)) for seed in range(500)]
    single = Store(tmp_path / "single")
    store.add_all(runs)
    for run in runs[:60]:
        single.add(run)
    for one, other in zip(runs, store.records([run.spec for run in runs]), strict=True):
        assert_same(one, other)
    names = [path.relative_to(single.root) for path in inodes(single)]
    assert all((store.root / name).read_bytes() == (single.root / name).read_bytes() for name in names)
    assert leftovers(store) == []


def test_runs_that_are_there_already_are_left_as_they_are(store: Store) -> None:
    store.add_all([record(spec(seed)) for seed in range(3)])
    before = inodes(store)
    store.add_all([record(spec(seed)) for seed in range(5)])
    assert before.items() <= inodes(store).items()
    assert 5 == len(store.records())


def test_none_is_written_where_one_is_refused_and_the_others_are_counted(store: Store) -> None:
    store.add_all([record(spec(seed)) for seed in range(4)])
    changed = [record(spec(seed), weights_sha256="cd" * 32) for seed in (1, 2, 3)]
    with pytest.raises(StoreError, match=r"the weights differ, and so do 2 other runs\. The run is not reproducible"):
        store.add_all([record(spec(9)), *changed])
    assert [0, 1, 2, 3] == sorted(run.spec.seed for run in store.records())


def test_successes_replace_earlier_failures(store: Store) -> None:
    store.add_all([failed(record(spec(seed))) for seed in range(3)])
    store.add_all([record(spec(seed)) for seed in range(2)])
    assert {0: "done", 1: "done", 2: "failed"} == {run.spec.seed: run.status for run in store.records()}
    assert 1 == len(list((store.root / "failed").iterdir()))


def test_a_run_given_twice_is_kept_once(store: Store) -> None:
    store.add_all([record(), record()])
    assert 1 == len(store.records())


def test_nothing_at_all_creates_nothing(store: Store) -> None:
    store.add_all([])
    assert not store.root.exists()


# ---------------------------------------------------------------- disks


def test_a_disk_that_truncates_one_of_many_files_is_noticed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "sync", lambda paths: os.truncate(paths[len(paths) // 2], 5))
    with pytest.raises(StoreError, match="does not read back as it was written"):
        store.add_all([record(spec(seed)) for seed in range(100)])
    assert (store.records(), leftovers(store)) == ((), [])


@pytest.mark.skipif(os.name != "posix", reason="there is no syncfs")
def test_what_the_one_call_for_many_files_reports_is_an_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int) -> int:
        durable.ctypes.set_errno(28)
        return -1

    monkeypatch.setattr(durable.ctypes, "CDLL", lambda name, use_errno: SimpleNamespace(syncfs=refuse))
    with pytest.raises(StoreError, match=r"40 runs cannot be written: No space left.*Free some space"):
        store.add_all([record(spec(seed)) for seed in range(40)])
    assert (store.records(), leftovers(store)) == ((), [])


def test_without_that_call_each_file_is_synced(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(durable.ctypes, "CDLL", lambda name, use_errno: SimpleNamespace())
    monkeypatch.setattr(os, "fsync", synced.append)
    store.add_all([record(spec(seed)) for seed in range(40)])
    assert 40 * 3 + 40 + 1 == len(synced)  # files, their directories, the folder of the runs


def test_a_killed_process_leaves_whole_runs_or_none(store: Store) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from pathlib import Path
from builders import record, spec
from rlaudit import store
store._BATCH = 20
print("started", flush=True)
store.Store(Path({str(store.root)!r})).add_all([record(spec(seed)) for seed in range(400)])
"""
    for wait in (0.05, 0.2, 0.4):
        writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=TESTS.parent)
        assert writer.stdout is not None
        assert b"started\n" == writer.stdout.readline()
        time.sleep(wait)
        writer.kill()
        writer.communicate()
        for run in store.records():
            assert_same(record(run.spec), run)
    store.sweep()
    assert leftovers(store) == []
    store.add_all([record(spec(seed)) for seed in range(400)])
    assert list(range(400)) == sorted(run.spec.seed for run in store.records())


# ---------------------------------------------------------------- runs of others


ODD = ["../x", "..", "🤖 seed", "a/b\\c", "CON", " ", "é" * 300, "run\nname", "-1", "~"]


def test_runs_of_others_come_back_as_they_were_found(store: Store) -> None:
    padded = np.array([[1.0, np.nan], [2.0, 3.0]])
    runs = [
        *(imported(seed, agent=f"agent {seed}", task="ALE/Pong-v5") for seed in ODD),
        imported(-3),
        imported(12345678901234567890),
        imported("gap", eval_returns=padded, final_returns=np.array([2.0, 3.0])),
        imported(
            "lost", status="failed", error="no score in x.csv:3", final_returns=[], eval_returns=[[1.0], [np.nan]]
        ),
        imported("bare", eval_steps=[], eval_returns=np.empty((0, 0))),
        imported("episodes", episodes=TrainingEpisodes(np.array([1.0, 4.0]), np.array([50, 60]), np.zeros(2))),
    ]
    store.add_all(runs)
    stored = store.records()
    assert all(path.parent.parent == store.root for path in [*store.root.glob("runs/*"), *store.root.glob("failed/*")])
    by_id = {run.spec.run_id: run for run in stored}
    for run in runs:
        assert_same(run, by_id[run.spec.run_id])


def test_scores_are_the_same_from_a_table_and_from_the_store(store: Store, tmp_path: Path) -> None:
    table = tmp_path / "scores.csv"
    table.write_text("agent,task,seed,step,value,status\n" + "".join(
        f"{agent},{task},{seed},{step},{len(agent) * seed + step / 7!r},{'failed' if seed == 3 else 'done'}\n"
        for agent in ("a", "b c") for task in ("x", "y/z") for seed in range(4) for step in (10, 20)
    ))  # fmt: skip
    records = importers.read(table).records
    store.add_all(records)

    def plain(runs: tuple[RunRecord, ...]) -> dict[tuple[str, str], object]:
        scored = score_table(runs)
        curves = {(curve.agent, curve.task): curve.values.tolist() for curve in scored.curves}
        return {
            (arm.agent, arm.task): (arm.seeds, arm.scores.tolist(), arm.failed, curves[arm.agent, arm.task])
            for arm in scored.arms
        }

    assert plain(records) == plain(store.records())


def test_five_hundred_runs_are_imported_as_they_stand_in_the_table(store: Store, tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(100, 15, (500, 20))
    table = tmp_path / "curves.csv"
    table.write_text("agent,task,seed,step,value\n" + "".join(
        f"agent {i % 5},task {i // 5 % 10},{i // 50},{1000 * point},{value!r}\n"
        for i, row in enumerate(values.tolist()) for point, value in enumerate(row)
    ))  # fmt: skip
    pipeline.import_runs([table], store)
    assert 500 == len(list((store.root / "runs").iterdir()))
    found = {(run.spec.agent, run.spec.task_label, run.spec.seed): run.eval_returns[:, 0] for run in store.records()}
    for i, row in enumerate(values):
        np.testing.assert_array_equal(row, found[f"agent {i % 5}", f"task {i // 5 % 10}", i // 50])


def test_runs_of_earlier_imports_are_told(store: Store, tmp_path: Path) -> None:
    for name, rows in (("a", "a,0,1\na,1,2\na,2,3\n"), ("b", "b,0,1\nb,1,2\n")):
        (tmp_path / f"{name}.csv").write_text(f"agent,seed,score\n{rows}")
    assert not any("earlier imports" in note.text for note in pipeline.import_runs([tmp_path / "a.csv"], store).notes)
    told = [note.text for note in pipeline.import_runs([tmp_path / "b.csv"], store).notes]
    assert f"runs of earlier imports are in {store.root}, too, and belong to these: 3" in told


def test_the_same_import_again_changes_nothing_and_other_runs_are_added(store: Store) -> None:
    runs = [imported(seed) for seed in range(3)]
    store.add_all(runs)
    before = inodes(store)
    store.add_all([*runs, imported(0, agent="a2c"), imported(0, task="Hopper")])
    assert before.items() <= inodes(store).items()
    assert 5 == len(store.records())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"final_returns": np.array([2.6])}, "the final returns differ"),
        ({"last": 300}, "the evaluation steps differ"),
        ({"status": "failed", "error": "killed"}, "done and failed differ"),
    ],
    ids=["score", "length", "status"],
)
def test_a_source_that_has_changed_is_refused_with_the_way_out(
    store: Store, changes: dict[str, object], words: str
) -> None:
    store.add_all([imported(0), imported(1)])
    with pytest.raises(StoreError, match=rf"{words}\. The source has changed.*Import into another folder.*or delete"):
        store.add_all([imported(0), imported(1, **changes)])
    assert_same(imported(1), store.records([imported(1).spec])[0])


def test_a_run_that_was_found_failed_may_be_found_done_later(store: Store) -> None:
    store.add_all([replace(imported(0), status="failed", error="killed")])
    store.add_all([imported(0, last=900)])
    assert ["done"] == [run.status for run in store.records()]
