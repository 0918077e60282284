"""The columns of a tidy table: which are ours, what the user calls them, and what others may have meant.

agent, task (optional), seed, score; or agent, task (optional), seed, step, value. Also, if wanted, episode (several of
one evaluation: never seeds), status ("done" or "failed"), error (why it failed), and stage ("curve" or "final": an
evaluation after training that is no point of the curve). Other columns are left alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from shlex import join, quote

import numpy as np

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.importers import summaries
from rlaudit.importers.cells import Labels, RawTable, Trouble, number
from rlaudit.importers.nouns import Hints
from rlaudit.wording import first_of

TIDY = "agent,seed,score (task is optional), or agent,seed,step,value for learning curves"
KINDS: Mapping[str, str] = {  # how the cells of each column are kept
    "agent": "labels", "task": "labels", "seed": "labels", "score": "numbers", "step": "labels", "value": "numbers",
    "episode": "labels", "status": "labels", "error": "labels", "stage": "labels",
}  # fmt: skip
KNOWN = tuple(KINDS)
_SHOWN = 10  # names of columns
# What other tools call the same thing; only ever a suggestion, a column is never renamed for the user.
_RETURNS = (
    "return", "returns", "reward", "episode_reward", "episode_return", "episodic_return", "mean_reward", "mean_return",
    "eval_return", "eval_reward", "eval/mean_reward", "rollout/ep_rew_mean", "charts/episodic_return", "ep_rew_mean",
    "evaluation/return", "episode_reward_mean", "averageepret", "averagetestepret", "performance", "result",
)  # fmt: skip
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "agent": ("algorithm", "algo", "method", "model", "policy", "name", "exp_name", "algorithm_name", "variant"),
    "task": ("env", "env_id", "environment", "env_name", "task_name", "game"),
    "seed": ("run", "trial", "run_id", "random_seed", "replicate", "seed_id", "rng_seed"),
    "score": (*_RETURNS, "final", "final_return", "final_reward", "normalized_score"),
    "step": (
        "steps", "timestep", "timesteps", "total_timesteps", "time/total_timesteps", "timesteps_total", "global_step",
        "env_step", "env_steps", "num_env_steps_sampled", "totalenvinteracts", "frame", "frames", "iteration",
    ),
    "value": _RETURNS,
    "episode": ("episode_id", "eval_episode", "evaluation_episode", "ep"),
}  # fmt: skip


def theirs(hints: Hints) -> Mapping[str, str]:
    """Their names -> ours, as far as the user says. Raises ImportFormatError for a column that is not one of ours."""
    found: dict[str, str] = {}
    for ours, name in hints.columns.items():
        if ours not in KNOWN:
            raise ImportFormatError(f"{ours!r} is not a column of a tidy table.{did_you_mean(ours, KNOWN)}")
        if name in found:
            raise ImportFormatError(f"--{ours}-column {quote(name)}: that column is the {found[name]} already.")
        found[name] = ours
    return found


def kinds(hints: Hints) -> dict[str, str]:
    """Their name of every column that a tidy reading needs -> how its cells are kept."""
    ours = theirs(hints)
    unnamed = {name: kind for name, kind in KINDS.items() if name not in ours and name not in hints.columns}
    return {**unnamed, **{name: KINDS[column] for name, column in ours.items()}}


def mapped(raw: RawTable, hints: Hints) -> RawTable:
    """The table under our names; ImportFormatError with all columns that the user names and that are not there.

    A column of ours whose place another one takes is left out, and so are step and value where the user names the
    score, and the score where he names the value.
    """
    ours = theirs(hints)
    lost = [name for name in ours if name not in raw.names]
    if lost:
        raise ImportFormatError("\n".join(_no_such(raw, ours[name], name) for name in lost))
    aside = set(hints.columns) - set(ours)
    aside |= {"step", "value"} - set(ours) if "score" in hints.columns else set()
    aside |= {"score"} - set(ours) if "value" in hints.columns else set()
    kept = [i for i, name in enumerate(raw.names) if name in ours or name not in aside]
    names = tuple(ours.get(raw.names[i], raw.names[i]) for i in kept)
    return raw._replace(names=names, columns=tuple(raw.columns[i] for i in kept))


def _no_such(raw: RawTable, ours: str, name: str) -> str:
    near = did_you_mean(name, raw.names)
    flag = next((f" {_flag(ours, other)}" for other in raw.names if f"mean {other!r}?" in near), "")
    return f"{raw.header}: no column {name!r}, which {_flag(ours, name)} names.{near}{flag}"


def _flag(ours: str, name: str) -> str:
    return join([f"--{ours}-column", name])


def with_label(raw: RawTable, name: str, value: object) -> RawTable:
    """The table with a column that says the same in every row, unless it has one of that name."""
    if name in raw.names:
        return raw
    column = Labels(np.zeros(max(map(len, raw.columns), default=0), np.int64), [value])
    return raw._replace(names=(*raw.names, name), columns=(*raw.columns, column))


def with_hints(raw: RawTable, hints: Hints) -> RawTable:
    """The table with the labels that the user gives, where it has no column of its own."""
    for name, label in (("agent", hints.agent), ("task", hints.task)):
        raw = raw if label is None else with_label(raw, name, label)
    return raw


def looks_tidy(names: Sequence[str]) -> bool:
    """Whether a result and something that tells runs apart stand there, by our names or by others for the same."""
    return says_result(names) and any(_says(wanted, names) for wanted in ("agent", "seed", "step"))


def says_result(names: Sequence[str]) -> bool:
    """Whether a column holds scores, or values of curves, by our names or by others for the same."""
    return _says("score", names) or _says("value", names)


def _says(wanted: str, names: Sequence[str]) -> bool:
    return wanted in names or any(_plain(name) in SYNONYMS[wanted] for name in names if name not in KNOWN)


# ---------------------------------------------------------------- what is wrong with a header


def troubles(raw: RawTable) -> Iterator[Trouble]:
    """Everything that keeps a table, under our names, from being tidy."""
    names = raw.names
    words = " ".join(names).split()
    if words and all(isfinite(number(word)) for word in words):
        yield Trouble(raw.header, "numbers stand where the column names should", _matrix_way_out())
        return
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield Trouble(raw.header, f"column {name!r} stands there {names.count(name)} times", "Keep one of them.")
    if "score" in names and "value" in names:
        message = "both 'score' and 'value' are there, and only one of them can be the result"
        yield Trouble(
            raw.header,
            message,
            "One number per seed: --score-column score. A learning curve per seed: --value-column value.",
        )
    elif "score" in names and "step" in names:
        yield Trouble(raw.header, "column 'score' stands beside 'step'", "A learning curve? --value-column score")
    else:
        yield from _missing(raw)


def _missing(raw: RawTable) -> Iterator[Trouble]:
    names = raw.names
    missing = [name for name in ("agent", "seed", *result(names)) if name not in names]
    has_seed = "seed" in names or synonym("seed", names) is not None
    if summary := summaries.found(
        raw, has_seed=has_seed or (near("seed", names) is not None and not summaries.spreads(names))
    ):
        yield summary
        return
    meant = suggestions(missing, names)
    if {"agent", *result(names)} <= set(missing) - meant.keys():
        ways_out = f"The columns of a tidy table: {TIDY}.\nA wide table, a column per agent? {_WIDE}"
        yield Trouble(raw.header, f"found {_listed(names)}, and neither agents nor results among them", ways_out)
        missing = [name for name in missing if name in meant]
    for name in missing:
        if name not in meant:
            yield Trouble(raw.header, f"no column {name!r}. Found {_listed(names)}.", _way_out(name))
    for name, other in meant.items():
        aside = " (--task-name NAME if it does not tell tasks apart)" if name == "task" else ""
        yield Trouble(raw.header, f"no column {name!r}. Did you mean {other!r}?{aside}", _call(raw, meant))


def result(names: Sequence[str]) -> tuple[str, ...]:
    """The columns of the results: those of curves, where anything speaks of steps."""
    curves = "value" in names or "step" in names or ("score" not in names and synonym("step", names))
    return ("step", "value") if curves else ("score",)


def suggestions(missing: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Ours -> theirs; each of theirs once. Tasks are optional, and yet they must not be taken for one."""
    meant: dict[str, str] = {}
    if "task" not in names and (task := synonym("task", names)):
        meant["task"] = task
    for name in missing:
        other = near(name, [one for one in names if one not in meant.values()])
        if other is not None:
            meant[name] = other
    return meant


def near(wanted: str, names: Sequence[str]) -> str | None:
    """The column that may be meant: a synonym, else one that is spelt like it."""
    if same := synonym(wanted, names):
        return same
    others = {name.lower(): name for name in names if name not in KNOWN and not summaries.counts(name)}
    suggestion = did_you_mean(wanted, others)
    return next((name for low, name in others.items() if f"mean {low!r}?" in suggestion), None)


def synonym(wanted: str, names: Sequence[str]) -> str | None:
    """The column that says the same in other letters, or by a word that other tools have for it."""
    others = {_plain(name): name for name in names if name not in KNOWN}
    return next((others[one] for one in (wanted, *SYNONYMS.get(wanted, ())) if one in others), None)


def _plain(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")


def _call(raw: RawTable, meant: Mapping[str, str]) -> str:
    if raw.source == "DataFrame":
        return f"Name them: hints=rlaudit.Hints(columns={dict(meant)!r})"
    return "Name them: " + " ".join(_flag(ours, name) for ours, name in meant.items())


def _listed(names: Sequence[str]) -> str:
    return first_of([*map(repr, names)], _SHOWN)


def _way_out(name: str) -> str:
    if name == "agent":
        return (
            "One agent? Name it: --agent-name NAME. A file for each? Say what the files are called: --names '{agent}'"
        )
    if name == "seed":
        return "A file for each seed? Say what the files are called: --names '{agent}_seed{seed}'"
    return f"The columns of a tidy table: {TIDY}."


_WIDE = "Say so: --format wide; and, where there is no column of seeds, --axes seed,agent"


def _matrix_way_out() -> str:
    return f"A bare matrix does not say which axis is the seeds. Write a tidy table with the columns {TIDY}."
