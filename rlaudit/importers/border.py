"""The border: what every format's runs must stand before they are believed, and the records they become.

Here stands what concerns several runs at once; what concerns one cell of one file is said by its importer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rlaudit.errors import ImportFormatError, NotEnoughSeeds, did_you_mean
from rlaudit.importers import comparable, training
from rlaudit.importers.nouns import Found, Hints, Run
from rlaudit.results import ReadArm, Reading, ReadNote
from rlaudit.types import IMPORTED, RunRecord, RunSpec, Seeds, TrainingEpisodes
from rlaudit.wording import carried, first_of

SHOWN = 10  # problems that one error lists
HEEDED = ("format", "until", "skip")  # hints that concern every format


def reading(runs: Sequence[Run], notes: Sequence[ReadNote], sources: Mapping[str, str]) -> Reading:
    """What was understood; `sources` are path -> format. Raises ImportFormatError for a run that is there twice."""
    if not runs:
        raise ImportFormatError(f"{' and '.join(sources)}: no run is left. {' '.join(note.text for note in notes)}")
    _refuse_twice(runs)
    arms: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        arms.setdefault((run.agent, run.task), []).append(run)
    return Reading(
        sources=tuple(map(carried, sources)),
        formats=tuple(sources.values()),
        arms=tuple(_arm(agent, task, mine) for (agent, task), mine in arms.items()),
        notes=tuple(
            dict.fromkeys(ReadNote(note.kind, carried(note.text)) for note in (*notes, *comparable.notes(arms)))
        ),
    )


def prepared(found: Found, hints: Hints) -> tuple[tuple[Run, ...], tuple[ReadNote, ...]]:
    """The runs that the user wants, cut where the user says so; their texts as every file can carry them."""
    runs = tuple(map(_carried, found.runs))
    _refuse_overruled(runs, hints)
    names = {name for run in runs for name in (run.agent, run.task)}
    for name in hints.skip:
        if name not in names:
            near = did_you_mean(name, names)
            raise ImportFormatError(f"--skip {name!r}: there is no agent or task of that name.{near}")
    kept = tuple(run for run in runs if run.agent not in hints.skip and run.task not in hints.skip)
    notes = [*found.notes, *(ReadNote("left_out", f"{name!r}, as --skip asks") for name in hints.skip)]
    if hints.until is not None:
        kept = tuple(_cut(run, hints.until) for run in kept)
        short = sum(run.error is not None for run in kept)
        ends = f"; {short} that end before count as failed" if short else ", which all of them reach"
        notes.append(ReadNote("rule", f"every run up to step {hints.until:,}{ends}"))
    for width in sorted(set(_widths(kept).values())):
        notes.append(ReadNote("rule", training.RULE.format(width=width)))
    return kept, tuple(notes)


def _carried(run: Run) -> Run:
    return replace(
        run,
        agent=carried(run.agent),
        task=carried(run.task),
        seed=carried(run.seed) if isinstance(run.seed, str) else run.seed,
        place=carried(run.place),
        error=None if run.error is None else carried(run.error),
    )


def _refuse_overruled(runs: Sequence[Run], hints: Hints) -> None:
    """Raises ImportFormatError for a label that the user gives and that no run got: the results name their own."""
    for field, flag, given in (("agent", "--agent-name", hints.agent), ("task", "--task-name", hints.task)):
        found = dict.fromkeys(getattr(run, field) for run in runs)
        if given is not None and given not in found:
            shown = ", ".join(map(repr, list(found)[:SHOWN]))
            raise ImportFormatError(f"{flag} {given!r}: these results name their {field}s themselves: {shown}.")


def _cut(run: Run, until: int) -> Run:
    """Up to a step; a run that ends before it has failed."""
    if not len(run.steps) and run.error:
        return run
    if not len(run.steps):
        raise ImportFormatError(f"{run.place}: --until {until} needs a learning curve, and there is only a score.")
    n = int(np.searchsorted(run.steps, until, side="right"))
    reached = int(run.steps[-1]) >= until
    error = run.error or (None if reached else f"ends at step {run.steps[-1]:,}, before {until:,}")
    return replace(
        run,
        steps=run.steps[:n],
        returns=run.returns[:n],
        final=run.final[: len(run.final) if n == len(run.steps) else 0],
        lengths=run.lengths[:n],
        seconds=run.seconds[:n],
        error=error,
        training=TrainingEpisodes(),  # nothing says which of them had ended by then
    )


def records(runs: Sequence[Run], source: str, planned: int | None = None) -> Iterator[RunRecord]:
    """A record for each run; training episodes become curves on windows that are common to a task.

    They are those of `planned` steps, or of the task's longest run.
    """
    widths = _widths(runs)
    for run in runs:
        yield _record(run, source, training.window(planned) if planned else widths.get(run.task, 1))


def _widths(runs: Sequence[Run]) -> dict[str, int]:
    """Steps of a window by task, where training episodes are the curve."""
    longest: dict[str, int] = {}
    for run in runs:
        if run.sort == "training" and len(run.steps):
            longest[run.task] = max(longest.get(run.task, 0), int(run.steps[-1]))
    return {task: training.window(steps) for task, steps in longest.items()}


def refuse_single_seeds(found: Reading) -> None:
    """Raises NotEnoughSeeds where an agent has one seed on a task; failed seeds are seeds."""
    lonely = [arm for arm in found.arms if arm.n_seeds < 2]
    if lonely:
        names = first_of([*map(_arm_name, lonely)], SHOWN)
        raise NotEnoughSeeds(
            f"{' and '.join(found.sources[:3])}: one seed only for {names}. One seed says nothing about the spread "
            "between seeds: add seeds (at least 2 an agent; 10 or more to learn something), or leave it out: "
            f"--skip '{lonely[0].agent}'."
        )


def _arm_name(arm: ReadArm) -> str:
    return repr(arm.agent) + (f" on {arm.task!r}" if arm.task else "")


def _refuse_twice(runs: Sequence[Run]) -> None:
    first: dict[tuple[str, str, object], Run] = {}
    for run in runs:
        twin = first.setdefault((run.agent, run.task, run.seed), run)
        if twin is not run:
            task = f" on {run.task!r}" if run.task else ""
            raise ImportFormatError(
                f"{run.place}: seed {run.seed!r} of agent {run.agent!r}{task} is already in {twin.place}. Keep one of "
                "the two; several episodes of one seed are not seeds."
            )


def _arm(agent: str, task: str, runs: Sequence[Run]) -> ReadArm:
    points = [len(run.steps) for run in runs]
    ends = [int(run.steps[-1]) if len(run.steps) else 0 for run in runs]
    n_failed = sum(run.error is not None for run in runs)
    return ReadArm(agent, task, len(runs), n_failed, (min(points), max(points)), (min(ends), max(ends)))


def _record(run: Run, source: str, width: int) -> RunRecord:
    steps, returns, final = run.steps, run.returns, run.final
    episodes = run.training
    if run.sort == "training":
        n = len(returns)  # a store wants lengths and times: 0 where the source does not say them
        lengths = run.lengths if len(run.lengths) else np.zeros(n, np.int64)
        seconds = run.seconds if len(run.seconds) else np.zeros(n)
        episodes = TrainingEpisodes(returns[:, 0], lengths, seconds)
        score = training.score(steps, returns[:, 0])
        steps, means = training.curve(steps, returns[:, 0], width)
        returns, final = means[:, None], final if len(final) else np.array([score])
    elif run.sort == "evaluations" and not len(final) and len(returns):
        final = returns[-1]
    final = final[np.isfinite(final)]
    error = run.error or (None if len(final) else f"no score in {run.place}")
    spec = RunSpec(
        agent=run.agent,
        env_id=run.task,
        algo=run.agent,  # the label is all that is known; without it two agents' runs would have one identity
        timesteps=int(run.steps[-1]) if len(run.steps) else 0,
        seed=run.seed,
        seeds=Seeds(0, 0, 0),  # unknown
        backend=IMPORTED,
    )
    return RunRecord(
        spec=spec,
        status="failed" if error else "done",
        eval_steps=steps,
        eval_returns=returns if len(steps) else np.empty((0, 0)),
        episodes=episodes,
        final_returns=final,
        provenance={"source": carried(source), "file": run.place},
        error=error,
    )
