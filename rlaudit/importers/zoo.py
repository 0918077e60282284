"""Log trees of rl-baselines3-zoo: `logs/ppo/CartPole-v1_3/` with evaluations, Monitor files, and settings.

The 3 in the folder's name numbers the runs; algorithm, environment and seed stand in `CartPole-v1/args.yml`, the
hyper-parameters in `config.yml` beside it. A seed that nobody chose is drawn by rl_zoo3 and stands there, too.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.importers import evaluations, monitor, run_names, zoo_settings
from rlaudit.importers.cells import Trouble, import_error
from rlaudit.importers.files import walk
from rlaudit.importers.nouns import Found, Hints, Run
from rlaudit.importers.run_names import FullName, RunName
from rlaudit.importers.zoo_settings import Setting, brief, differing
from rlaudit.results import ReadNote
from rlaudit.types import SeedLabel

ARGS, CONFIG = "args.yml", "config.yml"
_OF_THE_AGENT = ("algo", "env_kwargs", "trained_agent")  # of args.yml, beside what config.yml says
_SHOWN = 10
_LOOKED_AT = 10  # args.yml, until one of them is rl_zoo3's: one that is torn says nothing of the others


class Settings(NamedTuple):
    """What a run was told."""

    args: dict[str, Setting]  # the command line
    agent: dict[str, Setting]  # hyper-parameters, n_timesteps and what else makes another agent

    @property
    def n_envs(self) -> int:
        return max(_whole(self.agent.get("n_envs")) or 1, 1)


def read(path: Path, hints: Hints) -> Found:
    """Every run below `path` whose settings are there."""
    for name in hints.columns.keys() - {"agent"}:
        raise ImportFormatError(f"--{name}-column: args.yml says it; --agent-column alone means something here.")
    settings = {place: _settings(args) for place, args in _args_files(path).items()}
    if not settings:
        raise ImportFormatError(f"{path}: no {ARGS} of rl_zoo3 below it.")
    names, notes = _names(path, settings, hints)
    files = evaluations.files_of_runs(path)
    monitors, more = monitor.files_of_runs(path, hints)
    if not names.keys() & {*files, *monitors}:
        raise ImportFormatError(
            f"{path}: settings of rl_zoo3, but no {evaluations.NAME} and no Monitor files of its runs."
        )
    found = evaluations.as_found(names, files, monitors, hints)
    settings_of = {run.place: settings[Path(run.place)] for run in found.runs}
    _refuse_twice(found.runs, settings_of)
    left = [place for place in {**files, **monitors} if place not in settings]
    if left:
        text = f"folders without {ARGS}, so that nothing says their seed ({len(left):,}): {run_names.shown(left)}"
        notes.append(ReadNote("left_out", text))
    return replace(found, notes=(*notes, *more, *found.notes, *_doubts(found.runs, settings_of)))


def fits(path: Path) -> bool:
    """Whether one of the first args.yml below says an algorithm, an environment and a seed."""
    try:
        found = islice((file for file in walk(path) if file.name == ARGS), _LOOKED_AT)
        return path.is_dir() and any(map(_says_all, found))
    except (OSError, ImportFormatError):
        return False


def _says_all(args_file: Path) -> bool:
    try:
        return {"algo", "env", "seed"} <= zoo_settings.read(args_file).keys()
    except ImportFormatError:
        return False


def _args_files(path: Path) -> dict[Path, Path]:
    """The run's folder -> its args.yml, which stands in a folder of its own there."""
    found = (file for file in walk(path) if file.name == ARGS)
    return {file.parent.parent: file for file in found if file.parent != path}


def _settings(args_file: Path) -> Settings:
    args = zoo_settings.read(args_file)
    config = args_file.with_name(CONFIG)
    agent = zoo_settings.read(config) if config.is_file() else {}
    said = _whole(args.get("n_timesteps")) or 0
    agent["n_timesteps"] = said if said > 0 else _whole(agent.get("n_timesteps"))
    return Settings(args, {**{key: args[key] for key in _OF_THE_AGENT if args.get(key)}, **agent})


def _whole(value: Setting) -> int | None:
    return value if isinstance(value, int) else int(value) if isinstance(value, float) and value.is_integer() else None


# ---------------------------------------------------------------- names


def _names(path: Path, settings: Mapping[Path, Settings], hints: Hints) -> tuple[dict[Path, FullName], list[ReadNote]]:
    """As args.yml says, unless the user has a pattern that says otherwise."""
    patterned: dict[Path, RunName | None] = dict.fromkeys(settings)
    notes: list[ReadNote] = []
    if hints.names is not None:
        found, notes = run_names.of_runs(list(settings), path, monitor.folder_hints(hints))
        patterned = {place: name for place, name in zip(settings, found, strict=True) if name is not None}
    agents, more = _agents(path, settings, hints)
    fields = [field for field in run_names.FIELDS if f"{{{field}}}" in (hints.names or "")]
    names = {}
    for place, said in patterned.items():
        args = settings[place].args
        name = FullName(agents[place], _text(args.get("env")) or hints.task, _seed(args, place))
        names[place] = name._replace(**{field: getattr(said, field) for field in fields})
    unseeded = [place for place, name in names.items() if isinstance(name.seed, str)]
    if unseeded:
        text = f"{len(unseeded):,} of {len(names):,} runs say no seed, and are called by their folders"
        more.append(ReadNote("warning", f"{text}: {run_names.shown(unseeded)}"))
    return names, [*notes, *more]


def _agents(path: Path, settings: Mapping[Path, Settings], hints: Hints) -> tuple[dict[Path, str], list[ReadNote]]:
    """The algorithm; with its log folder where there are several, with a setting where --agent-column names one."""
    folders = {place: _log_folder(path, place, one) for place, one in settings.items()}
    several = len(set(folders.values())) > 1
    suffixes = _suffixes(path, settings, hints.columns.get("agent"))
    agents = {}
    for place, one in settings.items():
        algo = _text(one.args.get("algo")) or hints.agent
        if algo is None:
            raise ImportFormatError(f"{place}: its {ARGS} names no 'algo'. Say it: --agent-name NAME.")
        agents[place] = "/".join([*folders[place] * several, algo]) + suffixes[place]
    if not several or "{agent}" in (hints.names or ""):
        return agents, []
    text = f"agents are called by their log folder and algorithm: {', '.join(sorted(set(agents.values()))[:_SHOWN])}"
    return agents, [ReadNote("rule", text)]


def _log_folder(path: Path, place: Path, settings: Settings) -> tuple[str, ...]:
    """What stands above `ppo/CartPole-v1_3`, seeds left out."""
    parts = list(place.relative_to(path).parts[:-1])
    if parts and parts[-1] == settings.args.get("algo"):
        parts.pop()
    return tuple(run_names.without_seeds(parts))


def _suffixes(path: Path, settings: Mapping[Path, Settings], key: str | None) -> dict[Path, str]:
    """` learning_rate=0.001`, where the user wants agents told apart by it."""
    if key is None or key == "algo":
        return dict.fromkeys(settings, "")
    known = {place: {**one.args, **one.agent} for place, one in settings.items()}
    if not any(key in one for one in known.values()):
        names = dict.fromkeys(name for one in known.values() for name in one)
        raise ImportFormatError(f"{path}: --agent-column {key!r}: no run has this setting.{did_you_mean(key, names)}")
    return {place: f" {key}={brief(one.get(key))}" for place, one in known.items()}


def _text(value: Setting) -> str | None:
    return value if isinstance(value, str) and value else None


def _seed(args: Mapping[str, Setting], place: Path) -> SeedLabel:
    """The folder's name where no seed is said."""
    seed = _whole(args.get("seed"))
    return place.name if seed is None or seed < 0 else seed


# ---------------------------------------------------------------- what should make a reader doubt


def _refuse_twice(runs: Sequence[Run], settings: Mapping[str, Settings]) -> None:
    """A seed that was trained twice: which run counts is for the user to say, with what tells the two apart."""
    first: dict[tuple[str, str, SeedLabel], Run] = {}
    troubles = []
    for run in runs:
        twin = first.setdefault((run.agent, run.task, run.seed), run)
        if twin is not run:
            said = f"seed {run.seed} of {run.agent!r} on {run.task!r} is already in {twin.place}"
            troubles.append(Trouble(run.place, *_apart(said, [twin, run], settings)))
    if troubles:
        raise import_error(troubles)


def _apart(said: str, twins: Sequence[Run], settings: Mapping[str, Settings]) -> tuple[str, str]:
    """The message and the way out."""
    different = differing([settings[run.place].agent for run in twins])
    if different:
        key, values = next(iter(different.items()))
        told = f"{key} ({brief(values[0])} there, {brief(values[1])} here)"
        return f"{said}, and the two differ in {told}", f"Two agents? --agent-column {key} tells them apart."
    same = "equal" if np.array_equal(twins[0].returns, twins[1].returns) else "other"
    return f"{said}, with the same settings and {same} results", "A rerun? Move one of the two folders away."


def _doubts(runs: Sequence[Run], settings: Mapping[str, Settings]) -> Iterator[ReadNote]:
    arms: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        arms.setdefault((run.agent, run.task), []).append(run)
    for (agent, task), mine in arms.items():
        yield from _mixed(f"{agent!r} on {task!r}", [settings[run.place].agent for run in mine])
    short = [run for run in runs if run.error is None and _is_short(run, settings[run.place])]
    if short:
        one = short[0]
        wanted = settings[one.place].agent["n_timesteps"]
        text = f"{len(short):,} of {len(runs):,} runs end before the steps they were to train, such as {one.place}"
        text += f" (at {int(one.steps[-1]):,} of {wanted:,}); they count as they are, or as failed with --until"
        yield ReadNote("warning", text)
    yield from _seeding(arms, settings)


def _mixed(name: str, settings: Sequence[dict[str, Setting]]) -> Iterator[ReadNote]:
    different = differing(settings)
    if different:
        counted = []
        for key, values in list(different.items())[:_SHOWN]:
            counts = Counter(map(brief, values)).most_common(3)
            counted.append(f"{key} ({', '.join(f'{value} in {n:,}' for value, n in counts)})")
        text = f"the runs of {name} differ in {'; '.join(counted)}: several agents under one name? "
        yield ReadNote("warning", f"{text}--agent-column {next(iter(different))} tells them apart")


def _is_short(run: Run, settings: Settings) -> bool:
    """Before its last evaluation; or, by training episodes, more than the longest of them before the end."""
    wanted = _whole(settings.agent["n_timesteps"])
    if wanted is None or not len(run.steps):
        return False
    if run.sort == "training":
        return int(run.steps[-1]) + settings.n_envs * int(run.lengths.max()) < wanted
    frequency = _whole(settings.args.get("eval_freq")) or 0
    every = max((frequency if frequency > 0 else wanted) // settings.n_envs, 1) * settings.n_envs
    return int(run.steps[-1]) < wanted // every * every


def _seeding(arms: Mapping[tuple[str, str], Sequence[Run]], settings: Mapping[str, Settings]) -> Iterator[ReadNote]:
    """rl_zoo3 (2.9) seeds environment i with seed + i, those of training and those of evaluation alike."""
    if any(run.sort == "evaluations" and len(run.steps) for mine in arms.values() for run in mine):
        text = (
            "evaluation environments have the seeds of the training environments (rl_zoo3 gives both the run's own): "
        )
        yield ReadNote("warning", f"{text}evaluation goes through the start states that training began with")
    shared = [
        found for (agent, task), mine in arms.items() if (found := _shared(f"{agent!r} on {task!r}", mine, settings))
    ]
    if shared:
        text = "environment i of a run has its seed + i, so that runs with near seeds share environment seeds"
        yield ReadNote("warning", f"{text}, in {len(shared)} of {len(arms)} arms, such as {shared[0]}")


def _shared(name: str, runs: Sequence[Run], settings: Mapping[str, Settings]) -> str:
    """Two seeds that are nearer than the number of environments."""
    n_envs = max(settings[run.place].n_envs for run in runs)
    seeds = sorted(run.seed for run in runs if isinstance(run.seed, int))
    near = next(((a, b) for a, b in pairwise(seeds) if b - a < n_envs), None)
    return f"{name} with {n_envs} environments and the seeds {near[0]} and {near[1]}" if near else ""
