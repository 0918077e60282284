"""What goes with seeds that are added until it is known who is better, and what does not."""

from collections.abc import Iterator

from rlaudit.config.models import AuditConfig
from rlaudit.config.sentences import at
from rlaudit.config.sequential import SequentialSeeds
from rlaudit.types import Problem

_FIXED = "a fixed number of seeds is written `seeds: 20`"
_NOT_AFTER_LOOKING = {  # key of audit -> why it has no place beside looks
    "claims": "are judged for a fixed number of seeds, and such a judgement does not hold after looking; the looks "
    f"themselves say who is better. Leave them out ({_FIXED})",
    "margin": f"is for the test of equality, which looks do not make: they say who is better, or nothing ({_FIXED})",
    "correction": "is for a fixed number of seeds: the looks share alpha over all pairs themselves. Leave it out",
}


def problems(config: AuditConfig) -> Iterator[Problem]:
    """Nothing where the number of seeds is fixed. `reproduce` takes any config, and looks at nothing."""
    asked = config.asked_seeds
    if not isinstance(asked, SequentialSeeds) or config.experiment == "reproduce":
        return
    if config.experiment != "audit":
        sentence = f"are added until it is known which agent is better: that is for `experiment: audit`; {_FIXED}"
        yield at(("seeds",), sentence)
        return
    if len(config.agents) < 2:
        yield at(("agents",), f"holds one agent, but looks are about which of two or more is better; {_FIXED}")
    for key, why in _NOT_AFTER_LOOKING.items():
        if key in config.audit.model_fields_set and getattr(config.audit, key):
            yield at(("audit", key), why)
