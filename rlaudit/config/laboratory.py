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


# ---------------------------------------------------------------- several experiments

_NOT_SB3: Mapping[str, str] = {
    "convex": "is no agent with `algo`; the expert of `experiment: convex` is one",
    "tickets": "has no `algo`: only weights of stable-baselines3's agents can be pruned",
    "initializers": "is trained by {trainer}; only weights of backend sb3 can be drawn anew",
}
_NO_CLAIMS: Mapping[str, str] = {
    "sources": "are not judged by `experiment: sources`: its runs share their seeds, and are no sample of independent "
    "ones. State them in an audit",
    "convex": "are about agents; `experiment: convex` compares initial weights. Leave them out",
    "tickets": "are not judged by this experiment: what it compares is planned. Leave them out",
    "initializers": "are about agents; here each agent has many initial weights: judge them in an audit",
}


def _sb3_only(config: AuditConfig) -> Iterator[Problem]:
    for label, agent in config.agents.items():
        if agent.trainer != "sb3":
            yield at(("agents", label), _NOT_SB3[config.experiment].format(trainer=agent.trainer))


def _no_claims(config: AuditConfig) -> Iterator[Problem]:
    if config.audit.claims:
        yield at(("audit", "claims"), _NO_CLAIMS[config.experiment])


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


# ---------------------------------------------------------------- convex


def _convex(config: AuditConfig) -> Iterator[Problem]:
    """Its scores are losses, and its arms are models and initializers."""
    if config.score != "final":
        yield at(("score",), f"= {config.score!r}: `experiment: convex` is about the final loss; leave it out")
    if config.audit.higher_is_better and "higher_is_better" in config.audit.model_fields_set:
        yield at(("audit", "higher_is_better"), "= true: the scores of `experiment: convex` are losses; leave it out")
    if not config.evaluation.deterministic:
        yield at(("evaluation", "deterministic"), "= false: the expert of `experiment: convex` decides without chance")
    if config.convex.schemes == ("zeros",):
        yield at(("convex", "schemes"), "names zeros alone, where a hidden layer stays on a saddle; name others, too")


# ---------------------------------------------------------------- tickets

# stable-baselines3's own gradients are what a mask is held by: these change weights past them.
_WITHOUT_GRADIENTS = ("ARS", "TRPO")


def _masks_hold(config: AuditConfig) -> Iterator[Problem]:
    for label, agent in config.agents.items():
        if agent.algo in _WITHOUT_GRADIENTS:
            sentence = f"= {agent.algo} changes weights past the gradients that would hold a mask; take PPO, A2C or DQN"
            yield at(("agents", label, "algo"), sentence)


def _labels_apart(config: AuditConfig) -> Iterator[Problem]:
    """`ppo again` and `ppo ticket 80%` are arms of `ppo`."""
    for label in config.agents:
        for other in config.agents:
            if label.startswith(f"{other} "):
                yield at(("agents", label), f"begins like the arms of {other!r} are called; give it another label")


def _enough_lineages(config: AuditConfig) -> Iterator[Problem]:
    wanted, n = 2 * config.tickets.extremes, len(config.seeds)
    if n < wanted:
        sentence = f"makes {n} initial weights, of which tickets.extremes = {config.tickets.extremes} takes {wanted}"
        yield at(("seeds",), sentence)


# ---------------------------------------------------------------- initializers


def _weights_left_to_it(config: AuditConfig) -> Iterator[Problem]:
    for label, agent in config.agents.items():
        if agent.initializer:
            yield at(("agents", label, "initializer"), "is what the experiment tries out; say it in `initializers`")


_PROBLEMS: Mapping[str, tuple[Callable[[AuditConfig], Iterator[Problem]], ...]] = {
    "sources": (_streams_apart, _not_too_many, _no_claims),
    "convex": (_sb3_only, _convex, _no_claims),
    "tickets": (_sb3_only, _masks_hold, _labels_apart, _enough_lineages, _no_claims),
    "initializers": (_sb3_only, _weights_left_to_it, _no_claims),
}
