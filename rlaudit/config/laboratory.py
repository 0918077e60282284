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


_PROBLEMS: Mapping[str, tuple[Callable[[AuditConfig], Iterator[Problem]], ...]] = {}
