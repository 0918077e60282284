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


# stable-baselines3's own gradients are what a mask is held by: these change weights past them.
_WITHOUT_GRADIENTS = ("ARS", "TRPO")


def _masks_hold(config: AuditConfig) -> Iterator[Problem]:
    for label, agent in config.agents.items():
        if agent.trainer != "sb3":
            yield at(("agents", label), "has no `algo`: only weights of stable-baselines3's agents can be pruned")
        elif agent.algo in _WITHOUT_GRADIENTS:
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


def _claims_unread(config: AuditConfig) -> Iterator[Problem]:
    if config.audit.claims:
        yield at(("audit", "claims"), "are not judged by this experiment: what it compares is planned. Leave them out")


_PROBLEMS: Mapping[str, tuple[Callable[[AuditConfig], Iterator[Problem]], ...]] = {
    "tickets": (_masks_hold, _labels_apart, _enough_lineages, _claims_unread),
}
