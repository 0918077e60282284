"""How fast seeds are trained: rlaudit's runner against the loop that people write, and against rl_zoo3.

    python tests/benchmarks/runner.py --zoo .venv-zoo/bin/python        (ten to twenty minutes on two idle cores)

Everyone trains PPO on CartPole-v1 with stable-baselines3's defaults, for as many steps and seeds, and evaluates each
agent in as many episodes at the end. Each way is one command, or one a seed; wall time runs from the first command to
the last one's end, and CPU seconds are those of all its processes. Linux only: orphans are waited for, too, since the
server that forks rlaudit's workers outlives the command by a moment.

Writes runner.md beside it.
"""

import argparse
import ctypes
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from rlaudit.store import Store
from rlaudit.types import RunRecord

TABLE = Path(__file__).with_name("runner.md")
ENV, EPISODES, WORKERS = "CartPole-v1", 20, 2
FASTER, OVERHEAD = 1.9, 0.05  # wanted: times the loop with one thread; of bare training
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl

LOOP = f"""
import json, sys, time
steps, seeds, threads = map(int, sys.argv[1:])
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
if threads:
    torch.set_num_threads(threads)
PPO("MlpPolicy", {ENV!r}, n_steps=2, batch_size=2, n_epochs=1).learn(2)  # what is imported at the first update
learn = evaluation = 0.0
for seed in range(seeds):
    start = time.process_time()
    agent = PPO("MlpPolicy", {ENV!r}, seed=seed).learn(steps)
    learned = time.process_time()
    evaluate_policy(agent, make_vec_env({ENV!r}, seed=1000 + seed), n_eval_episodes={EPISODES})
    learn, evaluation = learn + learned - start, evaluation + time.process_time() - learned
print(json.dumps([learn / seeds, evaluation / seeds]))
"""

# One run as a worker trains it, and what its evaluation and its storing take.
PARTS = """
import json, sys, time
from pathlib import Path
from rlaudit.config import load_config
from rlaudit.executors import run_serial
from rlaudit.plan import plan
from rlaudit.store import Store
from rlaudit.backends.sb3_evaluation import Evaluator
spent, evaluate = [], Evaluator.__call__
def timed(self, name):
    start = time.process_time()
    try:
        return evaluate(self, name)
    finally:
        spent.append(time.process_time() - start)
Evaluator.__call__ = timed
(record,) = run_serial(plan(load_config(Path(sys.argv[1]))[0])[:1])
start = time.process_time()
Store(Path(sys.argv[2])).add(record)
print(json.dumps([sum(spent), time.process_time() - start]))
"""


@dataclass(frozen=True)
class Took:
    """What some commands cost."""

    wall: float
    cpu: float  # of all processes
    own: float  # of the commands themselves, without what outlived them
    out: str  # of the last one


def took(*commands: list[str], cwd: str) -> Took:
    """Runs commands one after the other; a failure ends the benchmark with what it said."""
    start, cpu, own, out = perf_counter(), 0.0, 0.0, ""
    end = start
    for command in commands:
        with Path(cwd, "out").open("w+b") as log:
            child = subprocess.Popen(command, cwd=cwd, env=_environment(), stdout=log, stderr=subprocess.STDOUT)
            _, status, used = os.wait4(child.pid, 0)
            end = perf_counter()
            log.seek(0)
            out = log.read().decode(errors="replace")
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{out[-3000:]}")
        own += used.ru_utime + used.ru_stime
        cpu += used.ru_utime + used.ru_stime + _orphans()
    return Took(end - start, cpu, own, out)


def _orphans() -> float:
    """CPU seconds of the processes that outlive a command, when they have ended."""
    cpu = 0.0
    while True:
        try:
            _, _, used = os.wait4(-1, 0)
        except ChildProcessError:
            return cpu
        cpu += used.ru_utime + used.ru_stime


def _environment() -> dict[str, str]:
    """Threads as they are without anybody's care."""
    return {name: value for name, value in os.environ.items() if name not in _THREADS}


# ---------------------------------------------------------------- the ways


def loop(steps: int, seeds: int, threads: int, cwd: str) -> tuple[Took, float, float]:
    """What it took, and the CPU seconds a run of learning and of evaluation."""
    found = took([sys.executable, "-c", LOOP, str(steps), str(seeds), str(threads)], cwd=cwd)
    learn, evaluation = json.loads(found.out.splitlines()[-1])
    return found, learn, evaluation


def zoo(python: str, steps: int, seeds: int, cwd: str) -> Took:
    """With the defaults instead of its tuned hyper-parameters, without checkpoints."""
    Path(cwd, "ppo.yml").write_text(f"{ENV}: {{n_timesteps: {steps}, policy: MlpPolicy}}\n")
    command = [python, "-m", "rl_zoo3.train", "--algo", "ppo", "--env", ENV, "-n", str(steps), "--conf-file", "ppo.yml"]
    command += ["--eval-freq", str(steps), "--eval-episodes", str(EPISODES), "--n-eval-envs", "1", "--device", "cpu"]
    return took(*([*command, "--seed", str(seed), "-f", f"logs{seed}"] for seed in range(seeds)), cwd=cwd)


def ours(steps: int, seeds: int, cwd: str) -> tuple[Took, tuple[RunRecord, ...]]:
    """`rlaudit train`, and the records of its runs."""
    config = Path(cwd, "ours.yaml")
    config.write_text(
        f"name: ours\ntask: {ENV}\nagents: {{ppo: {{algo: PPO, timesteps: {steps}}}}}\nseeds: {seeds}\n"
        f"evaluation: {{episodes: {EPISODES}}}\n"
    )
    command = [sys.executable, "-m", "rlaudit", "train", config.name, "--workers", str(WORKERS), "--out", "ours"]
    found = took(command, cwd=cwd)
    return found, Store(Path(cwd, "ours")).records()


# ---------------------------------------------------------------- the table


def main() -> None:
    """Writes the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument(
        "--zoo",
        type=lambda given: str(Path(given).absolute()),
        metavar="PYTHON",
        help="an interpreter that has rl_zoo3; without it that row is empty",
    )
    options.add_argument("--steps", type=int, default=25_000)
    options.add_argument("--seeds", type=int, default=8)
    options.add_argument("--out", type=Path, default=TABLE, help="[default: runner.md beside this file]")
    given = options.parse_args()
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    steps, seeds = given.steps, given.seeds
    with TemporaryDirectory() as cwd:
        runner, records = ours(steps, seeds, cwd)
        evaluation, storing = json.loads(
            took([sys.executable, "-c", PARTS, "ours.yaml", "parts"], cwd=cwd).out.splitlines()[-1]
        )
        one, learn, their_evaluation = loop(steps, seeds, 1, cwd)
        default, *_ = loop(steps, seeds, 0, cwd)
        commands = zoo(given.zoo, steps, seeds, cwd) if given.zoo else None
    rows = {
        f"`rlaudit train`, {WORKERS} workers": runner,
        "(a) a loop over seeds, torch's default threads": default,
        "(b) the same loop, one thread": one,
        "(c) `rl_zoo3.train`, a command a seed": commands,
    }
    trained = sum(record.seconds for record in records) / seeds  # a run, by its worker
    parts = {
        "learning, in a worker": trained - evaluation,
        f"evaluation, {EPISODES} episodes at the end": evaluation,
        "storing": storing,
        "the command: its imports, checks and waiting": runner.own / seeds - storing,
        "the server that imports for all workers, and forking them": (runner.cpu - runner.own) / seeds - trained,
        "all but learning": runner.cpu / seeds - (trained - evaluation),
        "all": runner.cpu / seeds,
    }
    without = seeds * learn / runner.wall
    notes = (
        f"{_notes(steps, seeds)}\n\nThe loops evaluate with `evaluate_policy`, one episode after another, in "
        f"{their_evaluation:.2f} CPU seconds a run; beside (b) without any evaluation the runner is at {without:.2f}."
    )
    given.out.write_text("\n".join([*_ways(rows, seeds, one), "", *_parts(parts, learn), "", notes]) + "\n")
    sys.stdout.write(given.out.read_text())


def _ways(rows: dict[str, Took | None], seeds: int, one: Took) -> list[str]:
    lines = ["| way | wall time | seeds an hour | CPU seconds a seed | times (b) |", "|---|---|---|---|---|"]
    for name, row in rows.items():
        cells = ("-",) * 4
        if row is not None:
            hourly = 3600 * seeds / row.wall
            cells = (f"{row.wall:.0f} s", f"{hourly:,.0f}", f"{row.cpu / seeds:.1f}", f"{one.wall / row.wall:.2f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _parts(parts: dict[str, float], learn: float) -> list[str]:
    """What a run of rlaudit takes beside what bare learning takes."""
    lines = [
        "| CPU seconds of a run | | beside bare `learn()` |",
        "|---|---|---|",
        f"| bare `learn()` | {learn:.2f} | |",
    ]
    for name, seconds in parts.items():
        beside = seconds - learn if name in ("all", "learning, in a worker") else seconds
        lines.append(f"| {name} | {seconds:.2f} | {100 * beside / learn:+.1f} % |")
    return lines


def _notes(steps: int, seeds: int) -> str:
    names = ("rlaudit", "torch", "stable-baselines3", "gymnasium", "numpy")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"PPO on {ENV}, {steps:,} steps, {seeds} seeds. Wanted: {FASTER} times (b) on two cores, and all within "
        f"{100 * OVERHEAD:.0f} % of bare `learn()`. Python {platform.python_version()}, {versions}; "
        f"{platform.machine()}, {os.cpu_count()} cores."
    )


if __name__ == "__main__":
    main()
