"""Kill it at any moment, start it again: the store ends up like that of an undisturbed run."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from builders import spec

from rlaudit.executors import run_serial
from rlaudit.store import Store
from rlaudit.types import EvaluationPlan, RunRecord, RunSpec

TESTS = Path(__file__).parent
KILLS = 10

PROGRAM = f"""
import sys
sys.path[:0] = {[str(TESTS), str(TESTS.parent)]!r}
from pathlib import Path
from test_resume import specs
from rlaudit.executors import run_local
from rlaudit.store import Store
store = Store(Path(sys.argv[1]))
store.sweep()

def tell(event):
    print(event.kind, flush=True)

for record in run_local(store.missing(specs()), workers=2, notify=tell):
    store.add(record)
"""


def specs() -> list[RunSpec]:
    """Twenty runs of half a second each."""
    return [spec(seed, timesteps=700, evaluation=EvaluationPlan(300, 3)) for seed in range(20)]


def program(store: Store) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(store.root)], stdout=subprocess.PIPE, text=True)


def kill_in_mid_training(store: Store, finished: int, seconds: float) -> bool:
    """Kills the program a moment after the next run under way, once `finished` have ended; False where all are done.

    Counted in runs, not in seconds, so that a busy machine is killed in the middle as well.
    """
    running = program(store)
    assert running.stdout is not None
    for line in running.stdout:
        finished -= line == "finished\n"
        if line == "progress\n" and finished <= 0:
            time.sleep(seconds)
            break
    trains = running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.communicate()
    return trains


def everything_but_times(record: RunRecord) -> tuple[object, ...]:
    return (
        record.status,
        record.weights_sha256,
        record.eval_steps.tolist(),
        record.eval_returns.tolist(),
        record.eval_lengths.tolist(),
        record.final_returns.tolist(),
        record.episodes.returns.tolist(),
        record.episodes.lengths.tolist(),
    )


@pytest.mark.slow
def test_killed_ten_times_at_random_moments_it_ends_in_the_store_of_an_undisturbed_run(tmp_path: Path) -> None:
    disturbed, undisturbed = Store(tmp_path / "disturbed"), Store(tmp_path / "undisturbed")
    moments, done, kills = random.Random(20), [0], 0
    for _ in range(KILLS):
        kills += kill_in_mid_training(disturbed, moments.randrange(3), moments.uniform(0.0, 0.3))
        done.append(len(disturbed.records()))  # whole ones only, or this raises
    assert kills >= KILLS / 2
    assert done[-1] > 0
    assert done == sorted(done)
    last = program(disturbed)
    last.communicate()
    assert last.returncode == 0
    for record in run_serial(specs()):
        undisturbed.add(record)
    expected, actual = (list(map(everything_but_times, store.records(specs()))) for store in (undisturbed, disturbed))
    assert len(expected) == 20
    assert expected == actual
    assert list((disturbed.root / "tmp").glob("*")) == []


def test_running_again_trains_only_what_is_missing(tmp_path: Path) -> None:
    store, few = Store(tmp_path), [spec(seed) for seed in range(4)]
    for record in run_serial(few[1:3]):
        store.add(record)
    assert [missing.seed for missing in store.missing(few)] == [0, 3]
    for record in run_serial(store.missing(few)):
        store.add(record)
    assert store.missing(few) == ()
    np.testing.assert_array_equal([0, 1, 2, 3], [record.spec.seed for record in store.records(few)])
