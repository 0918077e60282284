"""Kill it at any moment, start it again: the store ends up like that of an undisturbed run."""

import random
import signal
import subprocess
import sys
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
print("ready", flush=True)
for record in run_local(store.missing(specs()), workers=2):
    store.add(record)
"""


def specs() -> list[RunSpec]:
    """Twelve runs of about a second each."""
    return [spec(seed, timesteps=1500, evaluation=EvaluationPlan(500, 3)) for seed in range(12)]


def program(store: Store) -> subprocess.Popen[str]:
    started = subprocess.Popen([sys.executable, "-c", PROGRAM, str(store.root)], stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


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
    moments = random.Random(20)
    done, in_the_middle = [0], 0
    for _ in range(KILLS):
        running = program(disturbed)
        try:
            running.wait(timeout=moments.uniform(1.0, 4.5))
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            in_the_middle += 1
        running.communicate()
        done.append(len(disturbed.records()))  # whole ones only, or this raises
    assert in_the_middle >= 3
    assert done == sorted(done)
    last = program(disturbed)
    assert last.communicate()[0] == ""
    assert last.returncode == 0
    for record in run_serial(specs()):
        undisturbed.add(record)
    expected, actual = (list(map(everything_but_times, store.records(specs()))) for store in (undisturbed, disturbed))
    assert len(expected) == 12
    assert expected == actual
    assert list((disturbed.root / "tmp").iterdir()) == []


def test_running_again_trains_only_what_is_missing(tmp_path: Path) -> None:
    store, few = Store(tmp_path), [spec(seed) for seed in range(4)]
    for record in run_serial(few[1:3]):
        store.add(record)
    assert [missing.seed for missing in store.missing(few)] == [0, 3]
    for record in run_serial(store.missing(few)):
        store.add(record)
    assert store.missing(few) == ()
    np.testing.assert_array_equal([0, 1, 2, 3], [record.spec.seed for record in store.records(few)])
