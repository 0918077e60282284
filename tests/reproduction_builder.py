"""Trials and what came of them, made in no time."""

from typing import Any

from rlaudit.findings import find
from rlaudit.results import Audit, Difference, Draw, Reproduction, Trial
from rlaudit.results.reproduction import Kind

AT_37 = Difference(37, 36, "rewards", "environment")


def trial(name: str = "again", kind: Kind = "same", first: Difference | None = None, **changes: Any) -> Trial:
    """Equal over 1,000 steps."""
    fields = {"label": f"trial {name}", "steps": 1000, "channels": {"rewards": first.step} if first else {}}
    return Trial(**{"name": name, "kind": kind, "first": first, **fields, **changes})


def reproduction(*trials: Trial, **changes: Any) -> Reproduction:
    """One that repeats, unless the trials say otherwise."""
    fields: dict[str, Any] = {
        "agent": "a2c", "task": "CartPole-v1", "seed": 0, "traced": True, "steps": 1000, "sources": (),
        "trials": trials or (trial(), trial("pool"), trial("other seed", "seed", AT_37)),
        "unchanged": ("the device",),
    }  # fmt: skip
    return Reproduction(**{**fields, **changes})


def parted(**changes: Any) -> Reproduction:
    """One whose source is the clock."""
    trials = (trial(first=AT_37), trial("hash order", "source", AT_37), trial("clock", "source"))
    return reproduction(*trials, **{"sources": ("clock",), **changes})


def odd_reproductions() -> tuple[Reproduction, ...]:
    """Whatever draws or writes must survive them all."""
    unknown = Difference(None, None, "final return", "unknown")
    return (
        reproduction(),
        parted(),
        parted(sources=()),
        reproduction(trial(first=unknown), agent='<script>alert("x")</script>', task="$\\frac{1}{0}$", traced=False),
        reproduction(trial(steps=0, error="ValueError: no"), n_failed=2, error="ValueError: no"),
        reproduction(trial(), trial("other seed", "seed"), draws=(Draw("random", 0, 3, 9),), left_behind=("a/b.txt",)),
        reproduction(trial(), trial("folder", "change", AT_37), trial("threads", "change", AT_37)),
    )


def audit_of(*reproductions: Reproduction) -> Audit:
    """With its findings."""
    empty: dict[str, Any] = dict.fromkeys(("arms", "splits", "comparisons", "findings"), ())
    audit = Audit(name="small", metric="final", higher_is_better=True, alpha=0.05, family="", **empty,
                  experiment="reproduce", reproduction=reproductions)  # fmt: skip
    return Audit(**{**{name: getattr(audit, name) for name in audit.__dataclass_fields__}, "findings": find(audit)})
