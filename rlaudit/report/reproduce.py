"""The section: Does the same seed give the same run?"""

from collections.abc import Iterator

from rlaudit.report.parts import FigureHtml, KeyFigure, Rows, SectionHtml, Table, figure, full_name
from rlaudit.results import Audit, Reproduction, Trial
from rlaudit.results.reproduction import WHERE
from rlaudit.wording import listed, several

_DRAWN = 8  # agents with a figure of their own
_METHOD = (
    "Every trial is trained in an interpreter that is started for it alone, with a hash seed of its own, in an empty "
    "folder and with one thread. Along its way running 64-bit hashes are taken of the observations, actions and "
    "rewards (with the ends of episodes) of the training environments, at each of the first 300 steps and at about 150 "
    "places after them; of the weights before the first step and at each rollout, spaced alike. Equal hashes mean that "
    "everything up to there was equal; a later difference is known to lie between two places.",
    "What differs first tells who made it: the first observation, the environment's reset; rewards after equal "
    "actions, the environment; actions after equal observations from equal weights, the agent's sampling; weights "
    "after equal experience, its learning. Trials that only change a circumstance stop early, once the agent has "
    "learned something.",
    "A source is found by holding it still in two further trials: the clock counts looks instead of seconds, the "
    "system's entropy is a fixed sequence, every reset gets a seed. What makes them agree is the source; a library "
    "that has taken its clock or entropy before the trial began escapes that.",
    "What this does not show: equality to the bit on this machine, with these versions and this number of threads, "
    "says nothing about others. And repeatability is no evidence for a conclusion: a run that repeats is still one "
    "run.",
)


def same_seed_same_run(audit: Audit) -> SectionHtml | None:
    """None where the experiment was another one."""
    if not audit.reproduction:
        return None
    figures = tuple(_figure(one, place) for place, one in enumerate(_worst_first(audit)[:_DRAWN]))
    return SectionHtml(
        "same-seed",
        "Does the same seed give the same run?",
        tuple(_sentences(audit)),
        figures,
        (table(audit), _trials(audit)),
        _METHOD,
    )


def _sentences(audit: Audit) -> Iterator[str]:
    no = [one for one in audit.reproduction if one.difference]
    unused = [one for one in audit.reproduction if one.unused_seed]
    yes = [one for one in audit.reproduction if one.reproducible]
    if no:
        yield f"No: {several([_name(one) for one in no])} {'gives' if len(no) == 1 else 'give'} another run."
    if unused:
        yield f"Too much so: {several([_name(one) for one in unused])} give the same run for different seeds."
    if yes:
        yield f"{'Yes, here' if not no + unused else 'Yes'}: {several([_name(one) for one in yes])}, to the bit."
    untried = [one for one in audit.reproduction if one.reproducible is None]
    if untried:
        yield f"Not known: the runs of {several([_name(one) for one in untried])} failed."
    held = dict.fromkeys(text for one in audit.reproduction for text in one.unchanged)
    yield f"No trial changes {listed(held, 'or')}."


def _name(one: Reproduction) -> str:
    return full_name(one.agent, one.task)


def _worst_first(audit: Audit) -> list[Reproduction]:
    return sorted(audit.reproduction, key=lambda one: one.reproducible is True)


def identity(audit: Audit) -> Iterator[str]:
    """What was done."""
    agents, tasks = ({getattr(one, name) for one in audit.reproduction} for name in ("agent", "task"))
    yield "reproduce"
    yield f"{len(agents)} agent{'s' if len(agents) > 1 else ''}"
    yield next(iter(tasks)) if len(tasks) == 1 else f"{len(tasks)} tasks"
    yield f"{sum(len(one.trials) for one in audit.reproduction)} trials"


def key_figures(audit: Audit) -> Iterator[KeyFigure]:
    """How many agree; where the first one parts; what the seed does."""
    same = [trial for one in audit.reproduction for trial in one.of("same")]
    if same:
        equal = sum(trial.equal for trial in same)
        steps = max(trial.steps for trial in same)
        yield KeyFigure("trials of the same seed agree to the bit", f"{equal} of {len(same)}", f"over {steps:,} steps")
    for one in audit.reproduction:
        if (trial := one.difference) and trial.first is not None:
            step = "not known" if trial.first.step is None else f"{trial.first.step:,}"
            yield KeyFigure(f"step at which {_name(one)} first differs", step, f"in the {trial.first.channel}")
            break
    seeds = [trial for one in audit.reproduction for trial in one.of("seed")]
    if seeds:
        other = sum(not trial.equal for trial in seeds)
        beside = "of weights, environment, algorithm, and all of them"
        yield KeyFigure("changes of a seed give another run", f"{other} of {len(seeds)}", beside)
    changes = [trial for one in audit.reproduction for trial in one.of("change") if trial.name != "threads"]
    if changes:
        equal = sum(trial.equal for trial in changes)
        beside = "evaluation, folder, process, threads of the environment"
        yield KeyFigure("changed circumstances leave the run as it is", f"{equal} of {len(changes)}", beside)


def pictures(audit: Audit) -> tuple[tuple[FigureHtml, ...], str]:
    """The agent with most to tell."""
    worst = _worst_first(audit)[:1]
    return tuple(_figure(one, "first") for one in worst), ""


def _figure(one: Reproduction, key: int | str) -> FigureHtml:
    said = "; ".join(f"{trial.label}: {_outcome(trial)}" for trial in one.trials)
    title = f"Trials of {_name(one)}, seed {one.seed}, and how far each is the same run. {said}."
    caption = (
        f"{_name(one)}. Blue: the same to the bit; orange: from the first difference on, which is named beside it."
    )
    return figure("same_run", f"{key}", title, one, caption=caption, wide=True)


def _outcome(trial: Trial) -> str:
    if trial.error:
        return "failed"
    if trial.first is None:
        return f"the same over {trial.steps:,} steps"
    when = "" if trial.first.step is None else f" from step {trial.first.step:,}"
    return f"another run{when} ({trial.first.channel})"


def table(audit: Audit) -> Table:
    """A row for each agent; for the terminal, too."""
    head = ("agent", "same seed", "another seed", "source")
    return Table("does the same seed give the same run", head, tuple(_row(one) for one in audit.reproduction))


def _row(one: Reproduction) -> tuple[str, ...]:
    trial = one.difference
    labels = {source.name: source.label for source in one.of("source")}
    source = listed([labels[name] for name in one.sources], "and" if one.together else "or")
    same = _outcome(trial) if trial else "the same run" if one.of("same") else "failed"
    other = "" if not one.of("seed") else "the same run" if one.unused_seed else "another run"
    return (_name(one), same, other, source or ("not found" if trial else ""))


def _trials(audit: Audit) -> Table:
    head = (
        "agent", "task", "trial", "is", "over steps",
        "observations", "actions", "rewards", "weights", "evaluation", "why",
    )  # fmt: skip
    rows: Rows = tuple(
        (
            one.agent, one.task, trial.label, _is(trial), trial.steps,
            *(trial.channels.get(name) for name in head[5:10]),
            trial.error[:120] or ("" if trial.first is None else WHERE[trial.first.where]),
        )
        for one in audit.reproduction
        for trial in one.trials
    )  # fmt: skip
    return Table("every trial, and the step at which each channel is first seen to differ", head, rows)


def _is(trial: Trial) -> str:
    return "failed" if trial.error else "the same run" if trial.equal else "another run"
