"""Which blocks and agents go with which experiment."""

from collections.abc import Callable, Iterator, Mapping

from rlaudit.config.blocks import BLOCKS
from rlaudit.config.models import AuditConfig
from rlaudit.config.sentences import at
from rlaudit.types import Problem


def problems(config: AuditConfig) -> Iterator[Problem]:
    """A block that nobody reads; agents that the experiment cannot take apart."""
    for name in map(str, BLOCKS):
        if name != config.experiment and name in config.model_fields_set:
            yield at((name,), f"is for `experiment: {name}`; this is `experiment: {config.experiment}`")
    for find in _PROBLEMS.get(config.experiment, ()):
        yield from find(config)


def _convex(config: AuditConfig) -> Iterator[Problem]:
    """Its scores are losses, and its arms are models and initializers."""
    for label, agent in config.agents.items():
        if agent.trainer != "sb3":
            yield at(("agents", label), "is no agent with `algo`; the expert of `experiment: convex` is one")
    if config.score != "final":
        yield at(("score",), f"= {config.score!r}: `experiment: convex` is about the final loss; leave it out")
    if config.audit.higher_is_better and "higher_is_better" in config.audit.model_fields_set:
        yield at(("audit", "higher_is_better"), "= true: the scores of `experiment: convex` are losses; leave it out")
    if config.audit.claims:
        yield at(("audit", "claims"), "are about agents; `experiment: convex` compares initial weights. Leave them out")
    if not config.evaluation.deterministic:
        yield at(("evaluation", "deterministic"), "= false: the expert of `experiment: convex` decides without chance")
    if config.convex.schemes == ("zeros",):
        yield at(("convex", "schemes"), "names zeros alone, where a hidden layer stays on a saddle; name others, too")


_PROBLEMS: Mapping[str, tuple[Callable[[AuditConfig], Iterator[Problem]], ...]] = {"convex": (_convex,)}
