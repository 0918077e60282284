"""Which blocks and agents go with which experiment."""

from collections.abc import Callable, Iterator, Mapping

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


def _weights_we_can_draw(config: AuditConfig) -> Iterator[Problem]:
    """Agents of stable-baselines3, whose weights are left to the experiment."""
    for label, agent in config.agents.items():
        if agent.trainer != "sb3":
            yield at(("agents", label), f"is trained by {agent.trainer}; only weights of backend sb3 can be drawn anew")
        elif agent.initializer:
            yield at(("agents", label, "initializer"), "is what the experiment tries out; say it in `initializers`")
    if config.audit.claims:
        yield at(
            ("audit", "claims"), "are about agents; here each agent has many initial weights: judge them in an audit"
        )


_PROBLEMS: Mapping[str, tuple[Callable[[AuditConfig], Iterator[Problem]], ...]] = {
    "initializers": (_weights_we_can_draw,),
}
