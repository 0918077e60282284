"""The progress of training, on standard error."""

import sys
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TextIO

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from rlaudit.results import Look
from rlaudit.terminal.console import console, name_of_run, printable
from rlaudit.types import RunEvent, RunSpec
from rlaudit.wording import evidence_text, look_says

_MOST_PAIRS = 4  # of a look that a line names


class ProgressDisplay(AbstractContextManager["ProgressDisplay"]):
    """Bars on a terminal: one for the whole, one for each running seed. Elsewhere a line for each finished seed."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._console = console(file or sys.stderr)
        self._n_runs = 0
        self._timesteps = 0
        self._tasks: set[str] = set()
        self._announced = 0  # runs of which somebody has been told
        self._n_ended = 0
        self._steps_ended = 0
        self._running: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}
        self._bars: Progress | None = None
        self._whole = TaskID(0)

    def __enter__(self) -> "ProgressDisplay":
        if self._console.is_terminal:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
            )
            self._bars = Progress(*columns, console=self._console, transient=True)
            self._whole = self._bars.add_task(self._count(), total=0, visible=False)
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    def notify(self, event: RunEvent) -> None:
        """What an executor calls."""
        run = event.spec.run_id
        if event.kind == "planned":
            self._plan(event.spec)
        elif event.kind == "started":
            if self._announced < self._n_runs:
                self._announce()
            self._started[run] = time.monotonic()
            if self._bars:
                self._running[run] = self._bars.add_task(f"  {self._name(event.spec)}", total=event.spec.timesteps)
        elif event.kind == "progress":
            self._advance(run, event.steps)
        elif event.kind == "retried":
            self._print(f"{self._name(event.spec)}: {event.message or 'its process was killed'}; trying again")
        elif event.kind == "waiting":
            self._print(f"{event.message[:1].upper()}{event.message[1:]}.")
        elif event.kind == "elsewhere":
            self._plan(event.spec, -1)
        else:
            self._end(event)

    def looked(self, look: Look) -> None:
        """What training calls where seeds are added and looked at."""
        said = [
            f"{look_says(pair.state, pair.agent_a, pair.agent_b)}{self._on(pair.task)} "
            f"({evidence_text(pair.p_value, pair.e_value)})"
            for pair in look.pairs[:_MOST_PAIRS]
        ]
        more = len(look.pairs) - _MOST_PAIRS
        self._print(f"Look {look.number}: {'; '.join([*said, *([f'and {more} more pairs'] if more > 0 else [])])}.")

    def _plan(self, spec: RunSpec, n: int = 1) -> None:
        """More to do: at the start, and where runs follow from the results of others; less where others do it."""
        self._n_runs += n
        self._timesteps += n * spec.timesteps
        self._tasks.add(spec.task_label)
        if self._bars:
            self._bars.update(self._whole, total=self._timesteps, description=self._count(), visible=True)

    def _announce(self) -> None:
        further = "further " if self._announced else ""
        self._print(f"Training {self._n_runs - self._announced} {further}runs.")
        self._announced = self._n_runs

    def _advance(self, run: str, steps: int) -> None:
        if self._bars and run in self._running:
            self._bars.update(self._running[run], completed=steps)
            running = sum(min(task.completed, task.total or 0) for task in self._bars.tasks if task.id != self._whole)
            self._bars.update(self._whole, completed=self._steps_ended + running, description=self._count())

    def _end(self, event: RunEvent) -> None:
        run = event.spec.run_id
        self._n_ended += 1
        self._steps_ended += event.spec.timesteps
        if self._bars:
            if run in self._running:
                self._bars.remove_task(self._running.pop(run))
            self._bars.update(self._whole, completed=self._steps_ended, description=self._count())
        seconds = time.monotonic() - self._started.pop(run, time.monotonic())
        name = f"[{self._n_ended}/{self._n_runs}] {self._name(event.spec)}"
        if event.kind == "failed":
            self._print(f"{name} FAILED: {_last_line(event.message)}", "red")
        elif not self._bars:
            self._print(f"{name} done in {seconds:.1f} s")

    def _count(self) -> str:
        return f"{self._n_ended}/{self._n_runs} runs"

    def _name(self, spec: RunSpec) -> str:
        return name_of_run(spec.agent, spec.task_label, spec.seed, several_tasks=len(self._tasks) > 1)

    def _on(self, task: str) -> str:
        return f" on {task}" if len(self._tasks) > 1 else ""

    def _print(self, line: str, style: str = "") -> None:
        self._console.print(Text(printable(line), style), soft_wrap=True)


def _last_line(message: str) -> str:
    """Of a traceback: what went wrong."""
    lines = [line for line in message.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason was given"
