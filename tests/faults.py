"""The fault bench: real training, disturbed on purpose, must end in the store of an undisturbed one, times aside.

`python tests/faults.py` injects the full number of faults and writes `data/fault_bench.csv`; `test_faults.py` injects
every kind of fault once or twice. What happens when comes from a fixed seed, counted in steps and in touches of the
results folder, not in seconds. `fault_envs` and `fault_site` make the trouble.
"""

import csv
import json
import os
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from fault_looks import content, differences, env_seed, finished, left_behind, lines, names, still_alive

from rlaudit.errors import StoreError
from rlaudit.store import Store
from rlaudit.store.run_files import read_run

TESTS = Path(__file__).parent
TABLE = TESTS / "data" / "fault_bench.csv"
N_RUNS, STEPS = 12, 256
AGENTS = {  # one per config, since agents share the seeds of their environments
    "a2c": {"algo": "A2C"},
    "ppo": {"algo": "PPO", "params": {"n_steps": 64, "batch_size": 32, "n_epochs": 2}},
}
MEMORY, TIMEOUT = "600MB", "60"  # a run takes 250 MB and a second, on a busy machine ten
FAILS = {  # what the record of a run says that had this trouble
    "exception": r"ValueError: the simulator broke",
    "exit": r"SystemExit: no licence",
    "NaN": r"TrainingDiverged: .* not finite",
    "endless loop": r"TimeoutError: stopped after 60 s of wall time",
    "endless loop in C": r"TimeoutError: stopped after 60 s of wall time",
    "memory": r"MemoryError: stopped at \d+ MB of 600 MB resident memory",
    "dies each time": r"killed by signal 9 \(after 4 tries\)",
}
SURVIVES = ("kill -9 of a worker", "segmentation fault", "clock jumps in a worker")
SENT = ("kill -9 of the parent", "SIGTERM", "SIGINT")
AT_A_TOUCH = {  # of the results folder: what the site does then
    "kill -9 of the parent while it writes": "kill",
    "full disk: ENOSPC": "ENOSPC",
    "full disk: truncated without an error": "truncate",
    "disk becomes read-only": "EROFS",
}
BEFORE = ("a file in the way", "full disk from the start", "read-only from the start")
TOUCHES = range(10, 60)  # a run touches the folder some 20 times
SAID = {
    "SIGTERM": (130, "To go on:"),
    "SIGINT": (130, "To go on:"),
    "full disk: ENOSPC": (2, "No space left"),
    "full disk: truncated without an error": (2, "does not read back"),
    "disk becomes read-only": (2, "Read-only file system"),
    "a file in the way": (2, "Not a directory"),
    "full disk from the start": (2, "No space left.*Free some space"),
    "read-only from the start": (2, "Read-only file system.*Make the folder writable"),
}


@dataclass
class Round:
    """One store: what was done to it, and how it ended."""

    injected: Counter[str] = field(default_factory=Counter)
    lost: int = 0  # runs that were said to be done, or had been there, and are not
    torn: int = 0  # directories of runs that cannot be read
    twice: int = 0  # runs that were trained although they had been, or were under way
    problems: list[str] = field(default_factory=list)  # everything else that is not as it should be


@dataclass
class Bench:
    """A folder for everything, and what undisturbed training leaves behind."""

    folder: Path
    moments: random.Random
    _undisturbed: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def undisturbed(self, agent: str) -> Mapping[str, object]:
        if agent not in self._undisturbed:
            store = Store(self.folder / f"undisturbed-{agent}")
            code, said = finished(self.start(agent, store, self.folder / "no faults"))
            assert code == 0, said
            self._undisturbed[agent] = content(store)
        return self._undisturbed[agent]

    def start(
        self, agent: str, store: Store, faults: Path, *options: str, at: str = "", workers: int = 2
    ) -> "subprocess.Popen[str]":
        """The command, on its way."""
        faults.mkdir(exist_ok=True)
        config = self.folder / f"{agent}.yaml"
        config.write_text(json.dumps({
            "name": agent,
            "task": "fault_envs:Faulty-v0",
            "agents": {agent: {**AGENTS[agent], "timesteps": STEPS, "memory": MEMORY}},
            "seeds": N_RUNS,
            "evaluation": {"episodes": 2},
        }))  # fmt: skip
        path = os.pathsep.join(map(str, (TESTS / "fault_site", TESTS, TESTS.parent)))
        faulty = {"RLAUDIT_FAULT": f"{at} {store.root}"} if at else {}
        return subprocess.Popen(
            [sys.executable, "-m", "rlaudit", "train", str(config), "--out", str(store.root), "--workers",
             str(workers), *options],
            env={**os.environ, "PYTHONPATH": path, "RLAUDIT_FAULTS": str(faults), **faulty},
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def fresh(self) -> tuple[Store, Path]:
        """A store, and the folder of its faults; neither exists."""
        name = f"{self.moments.getrandbits(48):012x}"
        return Store(self.folder / name), self.folder / f"{name}-faults"

    def order(self, faults: Path, kind: str, seed: int) -> None:
        """Trouble of a run, at a random step; a worker is killed twice, and 99 times where it is to die each time."""
        faults.mkdir(exist_ok=True)
        times = {"kill -9 of a worker": 2, "dies each time": 99}.get(kind, 1)
        order = {"kind": kind, "at": self.moments.randrange(10, STEPS - 10), "times": times}
        (faults / str(env_seed(seed))).write_text(json.dumps(order))


# ---------------------------------------------------------------- rounds


def in_workers(bench: Bench, kinds: Sequence[str], agent: str, workers: int = 2) -> Round:
    """Trouble of many kinds, each with another seed, in one command; the same again trains what failed."""
    found, (store, faults) = Round(), bench.fresh()
    seeds = bench.moments.sample(range(N_RUNS), len(kinds))
    for seed, kind in zip(seeds, kinds, strict=True):
        bench.order(faults, kind, seed)
    clock = "clock 29" if "clock jumps in a worker" in kinds else ""
    limit = ["--timeout", TIMEOUT] if any("loop" in kind for kind in kinds) else []
    code, said = finished(bench.start(agent, store, faults, "--keep-going", *limit, at=clock, workers=workers))
    expected = {seed: kind for seed, kind in zip(seeds, kinds, strict=True) if kind in FAILS}
    failed = {record.spec.seed: record.error or "" for record in store.records() if record.status == "failed"}
    if code != (4 if expected else 0) or failed.keys() != expected.keys():
        found.problems.append(f"exit code {code}, failed {sorted(failed)}, ordered {expected}\n{said}")
    for seed, kind in expected.items():
        if not re.search(FAILS[kind], failed.get(seed, "")) or not re.search(rf"seed {seed} FAILED", said):
            found.problems.append(f"seed {seed} ({kind}) is not named: {failed.get(seed)}\n{said}")
    _look(found, store, said, had=set())
    _count(found, faults)
    _take_away(faults)
    return _completed(bench, found, store, faults, agent, "--retry-failed")


def in_the_command(bench: Bench, kinds: Sequence[str], agent: str) -> Round:
    """One trouble after the other that ends the command, and the same command again each time."""
    found, (store, faults) = Round(), bench.fresh()
    for kind in kinds:
        if len(had := names(store)) == N_RUNS:
            break
        with _prepared(bench, kind, store, faults) as at:
            running = bench.start(agent, store, faults, at=at)
            code, said = finished(running)
        _look(found, store, said, had)
        expected, words = SAID.get(kind, (-signal.SIGKILL, ""))
        if code != expected or not re.search(words, said) or "Traceback" in said:
            found.problems.append(f"{kind}: exit code {code}\n{said}")
        cleans_up = code >= 0 and kind not in (*BEFORE, "disk becomes read-only")  # there nothing can be removed
        if cleans_up and left_behind(store):
            found.problems.append(f"{kind}: left behind {left_behind(store)}")
        if kind in BEFORE:
            found.injected[kind] += 1
    _count(found, faults)
    _take_away(faults)
    return _completed(bench, found, store, faults, agent)


def together(bench: Bench, n: int, kill: int, agent: str) -> Round:
    """`n` of the same command at once, of which `kill` are killed while they write."""
    found, (store, faults) = Round(), bench.fresh()
    touches = [f"kill {bench.moments.choice(TOUCHES)}" if i < kill else "" for i in range(n)]
    commands = [bench.start(agent, store, faults, at=at, workers=1) for at in touches]
    ended = [finished(command) for command in commands]
    said = "".join(text for _, text in ended)
    for code, text in ended:
        if code not in ((0, -signal.SIGKILL) if kill else (0,)):
            found.problems.append(f"exit code {code}\n{text}")
    killed = sum(code == -signal.SIGKILL for code, _ in ended)
    found.injected[f"{n} audits at once" + (f", {kill} killed" if kill else "")] += killed if kill else n - 1
    starts = Counter(line.split()[0] for line in lines(faults / "starts"))
    trained = [starts[str(env_seed(seed))] for seed in range(N_RUNS)]
    found.twice += max(0, sum(trained) - N_RUNS - killed)  # what was under way in a killed one
    _look(found, store, said, had=set())
    if len(names(store)) != N_RUNS:
        found.problems.append(f"the others did not finish the work: {len(names(store))} of {N_RUNS}\n{said}")
    (faults / "starts").unlink()
    _take_away(faults)
    return _completed(bench, found, store, faults, agent)


class _prepared:
    """Puts what a kind of trouble needs in place, and takes it away afterwards."""

    def __init__(self, bench: Bench, kind: str, store: Store, faults: Path) -> None:
        self.bench, self.kind, self.store, self.faults = bench, kind, store, faults

    def __enter__(self) -> str:
        """What the site is told."""
        bench, root = self.bench, self.store.root
        if self.kind in AT_A_TOUCH:
            return f"{AT_A_TOUCH[self.kind]} {bench.moments.choice(TOUCHES)}"
        if self.kind in SENT:
            done = {record.spec.seed for record in self.store.records()}
            left = [seed for seed in range(N_RUNS) if seed not in done]
            bench.order(self.faults, self.kind, left[bench.moments.randrange(min(3, len(left)))])
        elif self.kind == "a file in the way":
            if root.exists():
                root.rename(root.with_suffix(".away"))
            root.touch()
        elif self.kind in BEFORE:
            root.mkdir(exist_ok=True)
            size = "size=64k" if self.kind.startswith("full") else "ro"
            mount("-t", "tmpfs", "-o", size, "tmpfs", str(root))
        return ""

    def __exit__(self, *error: object) -> None:
        root = self.store.root
        if self.kind == "a file in the way":
            root.unlink()
            if root.with_suffix(".away").exists():
                root.with_suffix(".away").rename(root)
        elif self.kind in BEFORE:
            subprocess.run(["umount", str(root)], check=True)


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def can_mount(folder: Path) -> bool:
    """Only root can, and not in every container."""
    try:
        mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder))
    except (OSError, subprocess.CalledProcessError):
        return False
    return subprocess.run(["umount", str(folder)], check=True).returncode == 0


# ---------------------------------------------------------------- looking


def _look(found: Round, store: Store, said: str, had: set[str]) -> None:
    """What is lost or torn after a command."""
    there = names(store)
    told = set(re.findall(r"\] \S+, seed (\d+) done", said))
    found.lost += len(had - there) + len(told - {str(int(name.split("seed")[1][:5])) for name in there})
    for path in [*(store.root / "runs").glob("*"), *(store.root / "failed").glob("*")]:
        try:
            read_run(path)
        except StoreError:
            found.torn += 1


def _count(found: Round, faults: Path) -> None:
    """What really happened, as whoever did it wrote down."""
    at_a_touch = {site: kind for kind, site in AT_A_TOUCH.items()} | {"clock": "clock jumps in the command"}
    for line in lines(faults / "injected"):
        kind = line.rpartition(" ")[0]
        found.injected[at_a_touch.get(kind, kind)] += 1


def _take_away(faults: Path) -> None:
    """All orders: what made it fail has been mended."""
    for path in faults.glob("*"):
        if path.name.isdecimal():
            path.unlink()


def _completed(bench: Bench, found: Round, store: Store, faults: Path, agent: str, *options: str) -> Round:
    """The same command again: it ends well, in the undisturbed store, and nothing runs any more."""
    had = names(store)
    code, said = finished(bench.start(agent, store, faults, *options))
    _look(found, store, said, had)
    trained_again = [
        seed for seed in re.findall(r"seed (\d+) done", said) if any(f"seed{int(seed):05d}" in name for name in had)
    ]
    found.twice += len(trained_again)
    if code != 0:
        found.problems.append(f"the same command ended with {code}\n{said}")
    differing = differences(bench.undisturbed(agent), content(store))
    if differing or left_behind(store):
        found.problems.append(f"not the undisturbed store: {differing}, left behind {left_behind(store)}\n{said}")
    if alive := still_alive(faults):
        found.problems.append(f"workers are still alive: {alive}")
    shutil.rmtree(store.root)
    return found


# ---------------------------------------------------------------- the full form


def rounds(bench: Bench) -> Iterator[Round]:
    """At least 200 faults, in 70 commands."""
    some = bench.moments
    before = BEFORE if can_mount(bench.folder) else BEFORE[:1]
    for agent in AGENTS:
        yield in_workers(bench, ["kill -9 of a worker"] * 12, agent)
        yield in_workers(bench, ["exception", "NaN", "exit"] * 4, agent)
        yield in_workers(bench, ["memory"] * 6 + ["dies each time"] * 4, agent)
        yield in_workers(bench, ["endless loop", "endless loop in C"] * 3, agent, workers=4)
        yield in_workers(bench, ["clock jumps in a worker", "segmentation fault"] * 6, agent)
        kinds = [kind for _ in range(2) for kind in some.sample([*SENT, *AT_A_TOUCH], 7)]
        for place in range(3):
            first = before[place % len(before)]
            yield in_the_command(bench, [first, *kinds[4 * place : 4 * place + 4]], agent)
        yield together(bench, 2, 0, agent)
        yield together(bench, 3, 1, agent)


def row(kind: str, those: Sequence[Round]) -> dict[str, object]:
    """Of all rounds in which this happened; a round with several kinds counts for each."""
    mine = [one for one in those if one.injected[kind]]
    ended_well = sum(not one.problems for one in mine)
    return {
        "fault": kind,
        "injected": sum(one.injected[kind] for one in mine),
        "stores": len(mine),
        "lost": sum(one.lost for one in mine),
        "torn": sum(one.torn for one in mine),
        "trained_twice": sum(one.twice for one in mine),
        "completed_by_the_same_command": ended_well,
    }


def write(those: Sequence[Round]) -> None:
    """The table, of all rounds so far."""
    table = [row(kind, those) for kind in dict.fromkeys(kind for one in those for kind in one.injected)]
    versions = ", ".join(f"{name} {version(name)}" for name in ("stable_baselines3", "torch", "gymnasium", "numpy"))
    with TABLE.open("w", newline="") as file:
        file.write(f"# python tests/faults.py; {N_RUNS} runs a store; Python {platform.python_version()}, {versions}\n")
        writer = csv.DictWriter(file, table[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def main() -> None:
    """Exit code 1 where anything is not as it should be."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell does for what it starts in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    those: list[Round] = []
    started = time.monotonic()
    with TemporaryDirectory(prefix="rlaudit-faults-") as name:
        for one in rounds(Bench(Path(name).resolve(), random.Random(200))):
            those.append(one)
            write(those)
            print(f"{time.monotonic() - started:5.0f} s", dict(one.injected), *one.problems, flush=True)  # noqa: T201
    sys.exit(any(one.problems or one.lost or one.torn or one.twice for one in those))


if __name__ == "__main__":
    main()
