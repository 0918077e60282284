"""Which blocks and agents go with which experiment."""

from collections.abc import Callable, Iterator, Mapping
from math import prod

from rlaudit.config.blocks import BLOCKS
from rlaudit.config.models import AuditConfig
from rlaudit.config.sentences import at
from rlaudit.types import Problem


def problems(config: AuditConfig) -> Iterator[Problem]:
    """A block that nobody reads; agents that the experiment cannot take apart. `reproduce` takes any config."""
    for name in map(str, BLOCKS):
        if config.experiment not in (name, "reproduce") and name in config.model_fields_set:
            yield at((name,), f"is for `experiment: {name}`; this is `experiment: {config.experiment}`")
    for find in _PROBLEMS.get(config.experiment, ()):
        yield from find(config)


# ---------------------------------------------------------------- sources

_MOST_RUNS = 100_000  # of an agent
_STREAMS = ("{seed.init}", "{seed.env}", "{seed.algo}")


def _streams_apart(config: AuditConfig) -> Iterator[Problem]:
    """Weights, environment and algorithm can be seeded one by one."""
    for label, agent in config.agents.items():
        if agent.trainer == "function":
            sentence = "is given one seed, and `experiment: sources` varies three: train it with `algo` or `command`"
            yield at(("agents", label, "train"), sentence)
        elif agent.trainer == "command":
            absent = [stream for stream in _STREAMS if not agent.takes(stream.strip("{}"))]
            if absent:
                sentence = f"does not take {' and '.join(absent)}, and `experiment: sources` varies each by itself"
                yield at(("agents", label, "command"), sentence)
            if any("{seed}" in text for text in (agent.command or "", *map(str, agent.environment.values()))):
                sentence = f"takes {{seed}}, but a run of `experiment: sources` has three: {', '.join(_STREAMS)}"
                yield at(("agents", label, "command"), sentence)


def _not_too_many(config: AuditConfig) -> Iterator[Problem]:
    counts = [len(levels) for levels in config.sources.levels(config.seeds)]
    if prod(counts) > _MOST_RUNS:
        crossed = " x ".join(map(str, counts))
        sentence = f"makes {crossed} = {prod(counts):,} runs of each agent, above {_MOST_RUNS:,}; 5 x 5 x 5 tell much"
        yield at(("sources",) if "sources" in config.model_fields_set else ("seeds",), sentence)


def _no_claims(config: AuditConfig) -> Iterator[Problem]:
    if config.audit.claims:
        sentence = (
            f"are not judged by `experiment: {config.experiment}`: its runs share their seeds, and are no sample of "
            "independent ones. State them in an audit"
        )
        yield at(("audit", "claims"), sentence)


_PROBLEMS: Mapping[str, tuple[Callable[[AuditConfig], Iterator[Problem]], ...]] = {
    "sources": (_streams_apart, _not_too_many, _no_claims),
}
