"""What a run is trained again under: each condition makes another run out of the first one of a seed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from rlaudit.results.reproduction import Kind
from rlaudit.seeds import run_seeds
from rlaudit.types import RunSpec, SeedLabel

PROGRAMS = ("command", "function")  # backends of which nothing is seen on the way, and which cannot be stopped early


class Condition(NamedTuple):
    """`change` gives the run under this condition, or None where the condition means nothing for it."""

    kind: Kind
    label: str
    change: Callable[[RunSpec, SeedLabel], RunSpec | None]  # (first run of the seed, another seed)


def treated(spec: RunSpec, **treatment: Any) -> RunSpec:
    """The run with more done to it; None takes something away."""
    given = {**spec.treatment, **treatment}
    return replace(spec, treatment={name: value for name, value in given.items() if value is not None})


def own_backend(spec: RunSpec) -> str:
    """Who would train the run if it were no trial."""
    backend: str = spec.treatment["backend"]
    return backend


def _traced(spec: RunSpec, changed: RunSpec) -> RunSpec | None:
    return changed if own_backend(spec) == "sb3" else None


def _other_stream(name: str) -> Callable[[RunSpec, SeedLabel], RunSpec | None]:
    def change(spec: RunSpec, other: SeedLabel) -> RunSpec | None:
        stream = getattr(run_seeds(int(other)), name)
        return _traced(spec, replace(spec, seeds=replace(spec.seeds, **{name: stream})))

    return change


def _other_seed(spec: RunSpec, other: SeedLabel) -> RunSpec:
    return replace(spec, seed=other, seeds=run_seeds(int(other)))


def _evaluated_otherwise(spec: RunSpec, other: SeedLabel) -> RunSpec | None:
    """Not on the way where it would be before the trial ends; else several times."""
    until = spec.treatment.get("until", spec.timesteps)
    plan = spec.evaluation
    every = None if plan.every and plan.every < until else max(1, until // 4)
    return _traced(spec, replace(spec, evaluation=replace(plan, every=every)))


def _same_process(spec: RunSpec, other: SeedLabel) -> RunSpec | None:
    return None if own_backend(spec) == "command" else treated(spec, again="process")


CONDITIONS: Mapping[str, Condition] = {
    "again": Condition("same", "again in a fresh process", lambda spec, other: replace(spec, replicate=1)),
    "pool": Condition("same", "in a pool of two workers", lambda spec, other: treated(spec, workers=2)),
    "other init": Condition("seed", "another seed for the initial weights", _other_stream("init")),
    "other env": Condition("seed", "another seed for the environment", _other_stream("env")),
    "other algo": Condition("seed", "another seed for the algorithm", _other_stream("algo")),
    "other seed": Condition("seed", "another seed for everything", _other_seed),
    "threads": Condition("change", "with two threads", lambda spec, other: treated(spec, threads=2)),
    "env threads": Condition(
        "change", "with two threads in the environment", lambda spec, other: _traced(spec, treated(spec, env_threads=2))
    ),
    "evaluation": Condition("change", "evaluated at other times", _evaluated_otherwise),
    "folder": Condition("change", "again in the same folder", lambda spec, other: treated(spec, again="folder")),
    "process": Condition("change", "again in the same process", _same_process),
}


# ---------------------------------------------------------------- sources


def _pinned(name: str, *backends: str) -> Callable[[RunSpec, SeedLabel], RunSpec | None]:
    def change(spec: RunSpec, other: SeedLabel) -> RunSpec | None:
        pinned = [*spec.treatment.get("pinned", ()), name]
        return treated(spec, pinned=pinned) if not backends or own_backend(spec) in backends else None

    return change


def _no_evaluation(spec: RunSpec, other: SeedLabel) -> RunSpec | None:
    return _traced(spec, replace(spec, evaluation=replace(spec.evaluation, every=None))) if _evaluates(spec) else None


def _evaluates(spec: RunSpec) -> bool:
    return spec.evaluation.every is not None


def _one_env(spec: RunSpec, other: SeedLabel) -> RunSpec | None:
    return _traced(spec, replace(spec, n_envs=1)) if spec.n_envs > 1 else None


_IN_PROCESS = ("sb3", "function")
SOURCES: Mapping[str, Condition] = {  # held still; the label is what was held
    "hash order": Condition("source", "the hash order of Python (PYTHONHASHSEED)", _pinned("hash order")),
    "clock": Condition("source", "the clock", _pinned("clock", *_IN_PROCESS)),
    "entropy": Condition("source", "a generator without a seed", _pinned("entropy", *_IN_PROCESS)),
    "resets": Condition("source", "resets without a seed", _pinned("resets", "sb3")),
    "spaces": Condition("source", "spaces without a seed", _pinned("spaces", "sb3")),
    "process": Condition("source", "the number of the process", _pinned("process", *_IN_PROCESS)),
    "evaluation": Condition("source", "evaluation on the way", _no_evaluation),
    "environments": Condition("source", "several environments side by side", _one_env),
}


def held(spec: RunSpec, names: tuple[str, ...]) -> RunSpec | None:
    """The run with these sources held still; None where one of them cannot be."""
    found: RunSpec | None = spec
    for name in names:
        found = found and SOURCES[name].change(found, spec.seed)
    return found


def sources_of(spec: RunSpec) -> tuple[str, ...]:
    """Those that can be held still for this run."""
    return tuple(name for name in SOURCES if held(spec, (name,)) is not None)


def unchanged(spec: RunSpec) -> tuple[str, ...]:
    """What might matter and no trial changes."""
    return {
        "sb3": ("the device (rlaudit trains on the CPU)",),
        "function": ("the environments that a function makes", "the device"),
        "command": ("a program's clock, entropy and environments", "the device"),
    }[own_backend(spec)]
