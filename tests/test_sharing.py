"""Sharing: a run is one process's at a time, whatever becomes of that process."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import record, spec
from test_store import failed

from rlaudit import durable, sharing
from rlaudit.durable import lock_at_once
from rlaudit.errors import StoreError
from rlaudit.sharing import LOCKS, Share
from rlaudit.store import Store
from rlaudit.types import RunSpec

SPECS = [spec(seed) for seed in range(3)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


@pytest.fixture
def ours(store: Store) -> Iterator[Share]:
    with closing(Share(store)) as share:
        yield share


@pytest.fixture
def theirs(store: Store) -> Iterator[Share]:
    """Locks belong to open files, so that two shares of one process are as good as two processes."""
    with closing(Share(store)) as share:
        yield share


def locks(store: Store) -> list[str]:
    return [path.name for path in (store.root / LOCKS).glob("*")]


def train(share: Share, one: RunSpec, fails: bool = False) -> None:
    share.store.add(failed(record(one)) if fails else record(one))
    share.give_back(one)


# ---------------------------------------------------------------- one run, one process


def test_a_run_is_taken_by_one_and_seen_by_the_other(ours: Share, theirs: Share) -> None:
    assert ours.take(SPECS[0])
    assert not theirs.take(SPECS[0])
    assert [True, False] == [theirs.is_elsewhere(one) for one in SPECS[:2]]
    assert not ours.is_elsewhere(SPECS[0])


def test_what_the_other_has_recorded_is_not_taken_again(ours: Share, theirs: Share) -> None:
    assert ours.take(SPECS[0])
    train(ours, SPECS[0])
    assert not theirs.take(SPECS[0])
    assert SPECS[1:] == theirs.missing(SPECS)


def test_each_run_is_tried_once_also_where_it_failed(store: Store) -> None:
    with closing(Share(store, retry_failed=True)) as share:
        assert share.take(SPECS[0])
        train(share, SPECS[0], fails=True)
        assert SPECS[1:] == share.missing(SPECS)


def test_two_who_try_a_failed_run_again_try_it_once(store: Store) -> None:
    store.add(failed(record(SPECS[0])))
    with closing(Share(store, retry_failed=True)) as one, closing(Share(store, retry_failed=True)) as other:
        assert one.take(SPECS[0])
        train(one, SPECS[0], fails=True)
        assert SPECS == other.missing(SPECS)
        assert not other.take(SPECS[0])
        assert SPECS[1:] == other.missing(SPECS)
    with closing(Share(store, retry_failed=True)) as later:
        assert later.take(SPECS[0])


def test_what_was_not_finished_is_free_again(ours: Share, theirs: Share) -> None:
    assert ours.take(SPECS[0])
    ours.close()
    assert theirs.take(SPECS[0])


def test_one_who_waits_goes_on_when_a_run_is_recorded(ours: Share, theirs: Share) -> None:
    assert ours.take(SPECS[0])
    timer = threading.Timer(0.2, train, (ours, SPECS[0]))
    timer.start()
    theirs.wait(SPECS[:1])
    assert [] == theirs.missing(SPECS[:1])
    timer.join()


# ---------------------------------------------------------------- ends


def test_nothing_is_left_behind(store: Store) -> None:
    with closing(Share(store)) as share:
        assert share.take(SPECS[0])
        assert [SPECS[0].run_id] == locks(store)
        train(share, SPECS[0])
    assert not (store.root / LOCKS).exists()


def test_the_lock_of_a_killed_process_is_open_and_swept(store: Store, theirs: Share) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from builders import spec
from rlaudit.sharing import Share
from rlaudit.store import Store
share = Share(Store(Path({str(store.root)!r})))
print(share.take(spec(0)), flush=True)
sys.stdin.read()
"""
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert b"True\n" == other.stdout.readline()
    assert theirs.is_elsewhere(SPECS[0])
    assert [SPECS[0].run_id] == locks(store)
    store.sweep()
    Share(store)
    assert not theirs.take(SPECS[0])
    other.kill()
    other.communicate()
    assert not theirs.is_elsewhere(SPECS[0])
    assert [] == locks(store)
    assert theirs.take(SPECS[0])


# ---------------------------------------------------------------- locks


def test_a_lock_that_was_removed_while_one_opened_it_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "lock", []

    def removed_once(file: object, path: Path) -> bool:
        seen.append(path)
        if len(seen) == 1:
            path.unlink()
        return still(file, path)  # type: ignore[arg-type]

    still = durable._is_still
    monkeypatch.setattr(durable, "_is_still", removed_once)
    lock = lock_at_once(path)
    assert lock is not None
    assert 2 == len(seen)
    assert os.fstat(lock.file.fileno()).st_ino == path.stat().st_ino
    lock.release()


def test_where_the_file_system_knows_no_locks_everybody_trains_and_the_store_keeps_one(
    ours: Share, theirs: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(*arguments: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert ours.take(SPECS[0])
    assert theirs.take(SPECS[0])
    train(ours, SPECS[0])
    train(theirs, SPECS[0])
    assert 1 == len(ours.store.records())


def test_a_lock_that_cannot_be_made_is_one_clear_message(ours: Share) -> None:
    ours.store.root.mkdir()
    (ours.store.root / sharing.LOCKS).touch()
    with pytest.raises(StoreError, match=r"locks.*: the lock of a run cannot be taken: "):
        ours.take(SPECS[0])


def test_eight_at_once_take_each_run_once(store: Store) -> None:
    specs, taken = [spec(seed) for seed in range(20)], []

    def work() -> None:
        with closing(Share(store)) as share:
            for one in specs:
                if share.take(one):
                    taken.append(one.seed)
                    train(share, one)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(range(20)) == sorted(taken)
    assert not (store.root / LOCKS).exists()
