"""The backend `command`: any program that takes a seed, one run at a time.

    agents:
      ppo:
        command: python ppo.py --seed {seed} --env-id {env} --total-timesteps {steps} --lr {lr}
        params: {lr: 3e-4}                      # placeholders of one's own
        environment: {MY_CACHE: "{folder}/cache"}
        result: {file: runs, metric: charts/episodic_return}
        timesteps: 100000
        timeout: 3600                           # seconds of wall time

**Placeholders.** `{seed}` is the number that the config names (0, 1, 2, ...); `{seed.init}`, `{seed.env}` and
`{seed.algo}` are three seeds derived from it, far apart (a program that seeds its i-th environment with seed + i shares
environments between neighbouring seeds: give it `{seed.env}`). `{env}`, `{steps}`, `{agent}`, `{task}`, `{folder}` (of
the config), `{out}` (of the run), `{env.KEY}` for the task's keyword arguments, and every key of `params`. A command
without a seed is refused: all of its runs would be one run.

**Where it runs.** Without a shell, in an empty folder of its own, which is `{out}` and is removed when the result has
been read: no run sees the files of another one. An argument that names a file beside the config (`ppo.py`) becomes
its full path; the config's folder also comes first in PYTHONPATH, so that `python -m package.module` works. `python`
alone is the interpreter that runs rlaudit; for another one, write its path. Standard input is empty. Threads are
limited to one (OMP_NUM_THREADS and its like), Python's output is not buffered and its hashes are fixed; `environment`
stands over all of that.

**How it ends.** Exit code 0 and a result (see `command_result`) make a run; everything else makes a failed run that
shows the last lines of its output. Its whole process group ends with it (see `command_launcher`).

**What is not known.** A run's identity is the command line, not the program: after a change of `ppo.py` the stored
runs stay. Its SHA-256 is kept with each run (that of the files which the command names, not of what they import) and
the report lists them side by side; to train again after a change, use another folder (`--out`).
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from rlaudit.backends.command_line import arguments, beside, filled, texts, values, words
from rlaudit.backends.command_program import ONE_THREAD, Ended, run
from rlaudit.backends.command_result import Lines, compiled, of_file
from rlaudit.backends.provenance import hashes, machine, versions
from rlaudit.errors import RlauditError
from rlaudit.types import Problem, Progress, RunRecord, RunSpec

REPORT_SECONDS = 0.25  # between two calls of `progress`


def train(specs: Sequence[RunSpec], *, progress: Progress) -> Iterator[RunRecord]:
    """Runs the program of each spec once; whatever goes wrong with it becomes a failed record."""
    for spec in specs:
        yield replace(_train_one(spec, progress), provenance=_provenance(spec))


def check(spec: RunSpec) -> list[Problem]:
    """What is wrong with a spec, found without running anything: words, placeholders, the program, the result."""
    from rlaudit.backends.command_check import problems

    return problems(spec)


def _train_one(spec: RunSpec, progress: Progress) -> RunRecord:
    result = spec.params["result"]
    lines = Lines(compiled(result["pattern"])) if "pattern" in result else None
    ended = Ended(0, 0.0, ())
    with TemporaryDirectory(prefix="rlaudit-run-", ignore_cleanup_errors=True) as name:
        scratch, out = Path(name), Path(name, f"run__seed{spec.seed}__{spec.run_id}")  # importers take seeds from names
        out.mkdir()
        try:
            take = _reporting(spec, lines, progress) if lines else None
            ended = run(arguments(spec, out), scratch, out, _environment(spec, out), take)
            if ended.code:
                record = _failed(spec, lines, [*ended.last_lines, ended.how()])
            elif lines:
                record = lines.record(spec)
            else:
                given = {name: escape(value) for name, value in values(spec, out).items()} | {"out": "."}
                record = of_file(spec, out, scratch, filled(result["file"], given))
        except RlauditError as error:
            record = _failed(spec, lines, [*ended.last_lines, " ".join(str(error).split())])
    return replace(record, seconds=ended.seconds)


def _reporting(spec: RunSpec, lines: Lines, progress: Progress) -> Callable[[str], None]:
    due, told = 0.0, 0

    def take(line: str) -> None:
        nonlocal due, told
        lines.take(line)
        if lines.latest != told and time.monotonic() >= due:
            due, told = time.monotonic() + REPORT_SECONDS, lines.latest
            progress(spec, told)

    return take


def _failed(spec: RunSpec, lines: Lines | None, error: Sequence[str]) -> RunRecord:
    """With the curve as far as it came."""
    failed = RunRecord(spec, "failed", error="\n".join(error))
    if lines is None:
        return failed
    try:
        return replace(lines.record(spec), status="failed", final_returns=np.empty(0), error=failed.error)
    except RlauditError:
        return failed


def _environment(spec: RunSpec, out: Path) -> dict[str, str]:
    """The user's own, what makes runs alike and seen in time, and above all what the config says."""
    given = values(spec, out)
    own = {place[-1]: filled(text, given) for place, text in texts(spec) if place[0] == "environment"}
    path = os.pathsep.join(filter(None, (spec.folder, os.environ.get("PYTHONPATH"))))
    return {**os.environ, **ONE_THREAD, "PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0", "PYTHONPATH": path, **own}


def _provenance(spec: RunSpec) -> dict[str, str]:
    named = words(spec.algo)
    files = [path for word in named if (path := beside(spec, word))]
    program = shutil.which(named[0])
    where = {"program": os.path.realpath(program)} if program and named[0] != "python" else {}
    return {**versions(["rlaudit"]), **machine(), **where, **hashes(files)}
