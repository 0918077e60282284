"""How far a results folder has got, at one moment."""

from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from shlex import quote
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from rlaudit.results.sequential import LookState
from rlaudit.status import ArmStatus, ProcessStatus, RunningSeed, Status
from rlaudit.terminal.console import MANY, add_row, name_of_run, printable, table_of
from rlaudit.wording import evidence_text, look_says, number, several

_FEW = 5  # retries that are shown
_LONGEST = 200  # characters of a reason


class StatusView:
    """A status as rich draws it, at the width there is."""

    def __init__(self, status: Status) -> None:
        self.status = status

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Counts, who works on it, time left; what runs; agents where there are several; what went wrong; looks."""
        status = self.status
        yield Text(_headline(status), "bold")
        yield from (Text(printable(line)) for line in _who(status))
        if status.is_worked_on:
            yield Text(_time_left(status))
        if status.running:
            yield ""
            yield _running(status)
            yield from _rest(len(status.running))
        if len(status.arms) > 1:
            yield ""
            yield _arms(status)
            yield from _rest(len(status.arms))
        yield from (Text(printable(line)) for line in _trouble(status))


def print_status(status: Status, out: Console) -> None:
    """All of it, and the command that goes on, where there is something left and nobody works on it."""
    out.print(StatusView(status))
    if (command := _to_go_on(status)) is not None:
        out.print(Text("To go on:"))
        out.print(Text(f"    {printable(command)}"), soft_wrap=True)


def status_line(status: Status) -> str:
    """The counts, and the time left, as far as it is known."""
    left = f" About {_duration(status.left.seconds)} left." if status.left else ""
    return f"{_headline(status)}{left}"


def _headline(status: Status) -> str:
    """One line: how many runs are done, failed, running, to come."""
    done = f"{status.done:,} of {status.planned:,} runs" if status.planned is not None else f"{status.done:,} runs"
    parts = [f"{done} done", f"{status.failed:,} failed"]
    parts += [f"{status.n_running:,} running"] if status.n_running else []
    parts += [f"{status.to_come:,} to come"] if status.to_come else []
    return printable(f"{status.folder}: {', '.join(parts)}.")


def _time_left(status: Status) -> str:
    """An estimate, and what it rests on."""
    if status.left is None:
        return "Time left: no estimate yet, since no run has finished."
    left, pace = status.left, status.per_hour
    rests = f"from {left.n_finished:,} finished runs" if left.n_finished > 1 else "from one finished run"
    rough = ", and the steps of agents without one" if left.is_rough else ""
    rate = f"; {number(pace, 2)} runs an hour so far" if pace else ""
    return f"Time left: about {_duration(left.seconds)}, {rests}{rough}, {left.at_once:,} at a time{rate}."


def _duration(seconds: float | None) -> str:
    """One unit, no more digits than anybody can know: 40 s, 12 min, 3 h, 2 days."""
    if seconds is None:
        return "an unknown time"
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


# ---------------------------------------------------------------- who works on it


def _who(status: Status) -> Iterator[str]:
    if status.is_worked_on:
        for process in status.processes[:MANY]:
            yield _worker(process)
        return
    if status.is_complete and not status.failed:
        yield "Complete; nobody works on it now."
    elif not status.has_log:
        yield "It has no log: what was planned, and whether somebody works on it, is not known."
    else:
        yield from map(_ended, status.processes)
    if status.is_complete and status.failed:
        yield "To train the failed runs again, add --retry-failed to the command that trained it."


def _worker(process: ProcessStatus) -> str:
    if process.state == "working":
        waits = f" It waits: {_short(process.message)}." if process.message else ""
        so_far = _duration(process.seconds_since_start)
        return f"Process {process.pid} of this machine works on it, for {so_far} so far.{waits}"
    who = f"process {process.pid} of {process.host}" if process.pid is not None else "somebody"
    sign = _duration(process.seconds_since_sign)
    return f"Perhaps {who} works on it, which cannot be asked from here: last sign of life {sign} ago."


def _ended(process: ProcessStatus) -> str:
    ago = f"{_duration(process.seconds_since_sign)} ago"
    why = {
        "ended": f"the last one to work on it ended {ago}",
        "gave_up": f"process {process.pid} gave up {ago}: {_first_line(process.message)}",
        "interrupted": f"process {process.pid} was interrupted {ago}",
        "killed": f"process {process.pid} ended without a word, as a killed one does; last sign of life {ago}",
    }
    return f"Nobody works on it now: {why.get(process.state, 'nothing more is known').rstrip('.')}."


def _first_line(message: str) -> str:
    """Of what a command said when it gave up: what happened; the ways on stand below it."""
    return _short(message.partition("\n")[0])


def _to_go_on(status: Status) -> str | None:
    """The command that trains what is left, where nobody does."""
    last = status.processes[-1] if status.processes else None
    if last is None or not last.command or status.is_worked_on or not status.to_come:
        return None
    is_here = not last.cwd or Path(last.cwd) == Path.cwd()
    return last.command if is_here else f"cd {quote(last.cwd)} && {last.command}"


# ---------------------------------------------------------------- tables


def _running(status: Status) -> Table:
    elsewhere = len({(seed.host, seed.pid) for seed in status.running}) > 1
    table = table_of("running", "steps", "%", "for", *(["process"] if elsewhere else []))
    for seed in status.running[:MANY]:
        place = [f"{seed.pid} of {seed.host}"[:24]] if elsewhere else []
        name = name_of_run(seed.agent, seed.task, seed.seed, several_tasks=_several_tasks(status))
        again = f" (try {seed.tries})" if seed.tries > 1 else ""
        add_row(table, name + again, *_steps(seed), _duration(seed.seconds), *place)
    return table


def _rest(n: int) -> Iterator[Text]:
    if n > MANY:
        yield Text(f"... and {n - MANY:,} more; `--json` has them all.", "dim")


def _steps(seed: RunningSeed) -> tuple[str, str]:
    if seed.steps is None:
        return "-", "-"
    return f"{seed.steps:,}", f"{min(100, 100 * seed.steps // seed.timesteps)}" if seed.timesteps else "-"


def _arms(status: Status) -> Table:
    """Where there are too many, those with something left come first."""
    arms = status.arms
    if len(arms) > MANY:
        arms = tuple(sorted(arms, key=lambda arm: not (arm.to_come or arm.running)))
    planned = status.planned is not None
    table = table_of("agent", *(("planned", "done", "failed", "running", "to come") if planned else ("done", "failed")))
    for arm in arms[:MANY]:
        add_row(table, f"{arm.agent} on {arm.task}" if _several_tasks(status) else arm.agent, *_counts(arm))
    return table


def _counts(arm: ArmStatus) -> list[str]:
    if arm.planned is None:
        return [f"{arm.done:,}", f"{arm.failed:,}"]
    return [f"{n:,}" for n in (arm.planned, arm.done, arm.failed, arm.running, arm.to_come)]


def _several_tasks(status: Status) -> bool:
    return len({arm.task for arm in status.arms}) > 1


# ---------------------------------------------------------------- what else happened


def _trouble(status: Status) -> Iterator[str]:
    several_tasks = _several_tasks(status)
    for failed in status.failures[:MANY]:
        name = name_of_run(failed.agent, failed.task, failed.seed, several_tasks=several_tasks)
        tries = f" after {failed.tries} tries" if (failed.tries or 1) > 1 else ""
        yield f"Failed{tries}: {name}: {_short(failed.reason) or 'no reason was given'}"
    yield from map(str, _rest(len(status.failures)))
    if len(status.retries) > _FEW:
        yield f"Tried again so far: {len(status.retries):,} times; the last {_FEW}:"
    for retry in status.retries[-_FEW:]:
        name = name_of_run(retry.agent, retry.task, retry.seed, several_tasks=several_tasks)
        reason = _short(retry.reason) or "its process was killed"
        yield f"Tried again {_duration(retry.seconds_ago)} ago: {name}: {reason}"
    for look in status.looks[-_FEW:]:
        yield _look(look)
    if status.others:
        yield f"{_counted(status.others, 'further run')} stored that the latest plan does not ask for."
    if status.n_unreadable:
        yield f"{_counted(status.n_unreadable, 'line')} left out of the log, which could not be read."


def _look(look: Mapping[str, Any]) -> str:
    pairs = look.get("pairs")
    seen = [_pair(pair) for pair in pairs if isinstance(pair, dict)] if isinstance(pairs, list) else []
    return f"Look {look.get('number', '')}: {several(seen, _FEW) if seen else 'nothing was open'}."


def _pair(pair: Mapping[str, Any]) -> str:
    """As the display of a training says it; its words are for states that this rlaudit knows."""
    state, a, b = (str(pair.get(name, "?")) for name in ("state", "agent_a", "agent_b"))
    said = look_says(state, a, b) if state in {*LookState} else f"{a} against {b}: {state}"
    p_value, e_value = map(_finite, (pair.get("p_value"), pair.get("e_value")))
    return _short(f"{said} ({evidence_text(p_value, e_value)})")


def _finite(value: Any) -> float | None:
    return value if isinstance(value, float) and isfinite(value) else None


def _counted(n: int, noun: str) -> str:
    return f"One {noun} is" if n == 1 else f"{n:,} {noun}s are"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."
