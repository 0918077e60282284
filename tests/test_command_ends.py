"""How programs end: by themselves, by signals, over their time, with us. Nothing of them is ever left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from program_builder import LINE, is_alive, outcome, program, wait_until

from rlaudit.executors import run_local
from rlaudit.types import RunRecord, RunSpec

TESTS = Path(__file__).parent

# A program with a child in its process group and one that has left for a session of its own; it tells their ids.
FAMILY = """
import os, subprocess, sys, time
code = "import time; time.sleep(1000)"
children = [subprocess.Popen([sys.executable, "-S", "-c", code], start_new_session=away) for away in (False, True)]
print("alive and well")
with open(sys.argv[1] + ".new", "w") as file:
    print(os.getpid(), *(child.pid for child in children), file=file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
exec(sys.argv[3])
"""
WAITS = "time.sleep(1000)"


def family(tmp_path: Path, then: str = WAITS, **changes: object) -> RunSpec:
    (tmp_path / "family.py").write_text(FAMILY)
    return program(tmp_path, "python family.py {folder}/pids {seed} '" + then + "'", **changes)


def pids(tmp_path: Path) -> list[int]:
    """Of the program and its two children, once they are there."""
    file = tmp_path / "pids"
    wait_until(file.exists)
    found = [int(word) for word in file.read_text().split()]
    assert 3 == len(found)
    return found


def assert_all_end(processes: list[int]) -> None:
    wait_until(lambda: not any(map(is_alive, processes)), seconds=20)


# ---------------------------------------------------------------- by itself


def test_a_failure_shows_the_exit_code_and_the_last_lines_of_both_outputs(tmp_path: Path) -> None:
    lines = "for i in $(seq 30); do echo line $i; done; sleep .2; echo oh no >&2; exit 3"
    record = outcome(program(tmp_path, f"sh -c '{lines}' {{seed}}"))
    shown = (record.error or "").splitlines()
    assert "failed" == record.status
    assert "the program ended with exit code 3: oh no" == shown[-1]
    assert [f"line {i}" for i in range(12, 31)] + ["oh no"] == shown[:-1]


def test_an_exit_code_counts_although_there_is_a_result_and_the_curve_so_far_is_kept(tmp_path: Path) -> None:
    lines = "echo step=1 return=5; echo step=2 return=6; exit 1"
    record = outcome(program(tmp_path, f"sh -c '{lines}' {{seed}}", result={"pattern": "step={step} return={return}"}))
    assert "failed" == record.status
    assert [[5], [6]] == record.eval_returns.tolist()
    assert [] == record.final_returns.tolist()


@pytest.mark.parametrize("name", ["KILL", "SEGV", "TERM"])
def test_a_signal_is_called_by_its_name(name: str, tmp_path: Path) -> None:
    record = outcome(program(tmp_path, f"sh -c 'echo last words; kill -{name} $$' {{seed}}"))
    assert f"last words\nthe program was killed by SIG{name}: last words" == record.error


def test_a_program_that_is_gone_when_it_is_started_is_a_failed_run(tmp_path: Path) -> None:
    record = outcome(program(tmp_path, "./gone {seed}"))
    assert (record.error or "").endswith("./gone cannot be started: No such file or directory")


def test_control_characters_of_its_output_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "loud.sh").write_text(r"printf '\033]0;title\007\n'; exit 1")
    record = outcome(program(tmp_path, "sh loud.sh {seed}"))
    assert "\033" not in (record.error or "")
    assert "?]0;title?" in (record.error or "")


def test_what_a_program_leaves_running_ends_with_it(tmp_path: Path) -> None:
    record = outcome(family(tmp_path, 'print("return=1")'))
    assert [1] == record.final_returns.tolist(), record.error
    assert_all_end(pids(tmp_path))


def test_the_cpu_seconds_are_those_of_the_program_and_its_children(tmp_path: Path) -> None:
    burn = "import sys, time; t = time.process_time()\nwhile time.process_time() < t + .4: pass\n"
    (tmp_path / "burn.py").write_text(burn + "if len(sys.argv) > 1: print('return=1')")
    (tmp_path / "both.py").write_text("import subprocess, sys\nsubprocess.run(sys.argv[1:3])\n" + burn)
    alone = outcome(program(tmp_path, "python burn.py {seed}"))
    both = outcome(program(tmp_path, "python both.py python3 burn.py {seed}"))
    assert [1] == alone.final_returns.tolist()
    assert 0.4 <= alone.seconds < both.seconds
    assert 0.8 <= both.seconds < 3


# ---------------------------------------------------------------- over its time


def timed_out(of: RunSpec) -> RunRecord:
    (record,) = run_local([of], workers=1)
    assert "failed" == record.status
    return record


def test_a_program_over_its_time_ends_with_its_children_and_its_last_words_are_kept(tmp_path: Path) -> None:
    record = timed_out(family(tmp_path, timeout=4.0))
    assert (record.error or "").endswith("TimeoutError: stopped after 4 s of wall time")
    assert "alive and well" in (record.error or "")
    assert_all_end(pids(tmp_path))


def test_the_shorter_of_two_limits_counts(tmp_path: Path) -> None:
    (record,) = run_local([family(tmp_path, timeout=1000.0)], workers=1, timeout=3.0)
    assert (record.error or "").endswith("TimeoutError: stopped after 3 s of wall time")
    assert_all_end(pids(tmp_path))


def test_a_program_is_asked_before_it_is_killed(tmp_path: Path) -> None:
    asked = 'import signal; signal.signal(15, lambda *_: (open(sys.argv[1] + 2 * sys.argv[2], "w"), sys.exit()));'
    timed_out(family(tmp_path, asked + WAITS, timeout=4.0))
    wait_until((tmp_path / "pids33").exists, seconds=10)
    assert_all_end(pids(tmp_path))


def test_a_program_that_will_not_listen_is_killed(tmp_path: Path) -> None:
    timed_out(family(tmp_path, f"import signal; signal.signal(15, signal.SIG_IGN); {WAITS}", timeout=4.0))
    assert_all_end(pids(tmp_path))


# ---------------------------------------------------------------- with us


def test_closing_the_generator_ends_the_program(tmp_path: Path) -> None:
    records = run_local([family(tmp_path), program(tmp_path, "sh -c 'echo return=1' {seed}")], workers=2)
    assert "done" == next(records).status
    processes = pids(tmp_path)
    assert all(map(is_alive, processes))
    records.close()
    assert_all_end(processes)


def test_a_launcher_that_is_killed_takes_the_program_along(tmp_path: Path) -> None:
    records = run_local([family(tmp_path), program(tmp_path, "sh -c 'echo return=1' {seed}")], workers=2, retries=0)
    next(records)
    of_program, *_ = pids(tmp_path)
    launcher = int(Path(f"/proc/{of_program}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(launcher, signal.SIGKILL)
    (record,) = records
    assert (record.error or "").endswith("the program was killed by SIGKILL: alive and well")
    assert_all_end([of_program])
    for orphan in pids(tmp_path)[1:]:  # these nobody can know any more
        os.kill(orphan, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("executor", ["run_local", "run_serial"])
def test_no_program_outlives_rlaudit(number: signal.Signals, executor: str, tmp_path: Path) -> None:
    """Nor its child, nor its grandchild in a session of its own, nor its folder."""
    (tmp_path / "family.py").write_text(FAMILY)
    script = tmp_path / "script.py"
    script.write_text(f"""
import sys
sys.path[:0] = {[str(TESTS), str(TESTS.parent)]!r}
from pathlib import Path
from test_command_ends import family
from rlaudit.executors import {executor}
list({executor}([family(Path({str(tmp_path)!r}))]))
""")
    with TemporaryDirectory(prefix="s-") as scratch:  # a short path: sockets in it have room for 107 characters
        running = subprocess.Popen(
            [sys.executable, str(script)],
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "TMPDIR": scratch},
        )
        processes = pids(tmp_path)
        assert all(map(is_alive, processes))
        if number == signal.SIGINT:
            os.killpg(running.pid, number)  # as a terminal does
        else:
            os.kill(running.pid, number)
        running.communicate(timeout=30)
        assert_all_end(processes)
        wait_until(lambda: not list(Path(scratch).glob("rlaudit-run-*")), seconds=10)


def test_a_worker_that_is_killed_takes_its_program_along_and_the_run_is_tried_again(tmp_path: Path) -> None:
    # The worker is the parent of the launcher, which is the parent of the program.
    kill = (
        'import signal; first = not os.path.exists(sys.argv[1] + sys.argv[2]); open(sys.argv[1] + sys.argv[2], "w");'
        'worker = open(f"/proc/{{os.getppid()}}/stat").read().rpartition(")")[2].split()[1];'
        'first and (os.kill(int(worker), 9), time.sleep(1000)); print("return=1")'
    )
    (record,) = run_local([family(tmp_path, kill, result=LINE)], workers=1)
    assert [1] == record.final_returns.tolist(), record.error
    assert_all_end(pids(tmp_path))


def test_the_launcher_costs_little(tmp_path: Path) -> None:
    started = time.process_time()
    record = outcome(program(tmp_path, "sh -c 'echo return=1' {seed}"))
    assert record.seconds < 0.5
    assert time.process_time() - started < 0.5
