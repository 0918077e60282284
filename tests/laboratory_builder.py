"""Audits of every experiment of the laboratory, and their oddities."""

from dataclasses import replace

import numpy as np
from audit_builder import build_audit
from convex_builder import some_convex
from initializers_builder import audited as initialized
from looks_builder import FEW_LOOKS, odd_looks
from reproduction_builder import audit_of, odd_reproductions
from sources_builder import CHAOS, audited, returns_of
from tickets_builder import luck, tickets_audit

from rlaudit.results import Audit, Tickets


def without_masked_runs(one: Tickets) -> Tickets:
    """As far as the dense runs tell."""
    arms = tuple(replace(arm, mean=None, low=None, high=None) if arm.sparsity else arm for arm in one.arms)
    return replace(one, arms=arms, contrasts=(), relived=(), survival=None)


LABORATORY: dict[str, Audit] = {  # one of each experiment, seeds that are added, and the oddities of all
    "convex": replace(build_audit(), convex=(some_convex("CartPole-v1"),)),
    "reproduce": audit_of(*odd_reproductions()),
    "initializers": initialized(),
    "initializers, equal scores and one gain": initialized(spread=0.0, initializers={"last_gains": [1]}),
    "sources": audited(returns_of(CHAOS, (3, 3, 3))),
    "sources, equal scores": audited(np.ones((2, 2, 2, 2))),
    "tickets": tickets_audit(),
    "tickets all alike": tickets_audit(lambda spec: 500.0),
    "tickets of hostile names": tickets_audit(luck(), agents={"<b>$x$": {"algo": "PPO", "timesteps": 100}}),
    "tickets, no masked run": replace(tickets_audit(), tickets=(without_masked_runs(tickets_audit().tickets[0]),)),
    **{name: one for name, one in odd_looks().items() if name in FEW_LOOKS},
}
