"""Crossed runs with known components, made in milliseconds."""

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
from builders import record, spec

from rlaudit.config import AgentConfig, AuditConfig
from rlaudit.experiments.sources import analyze, label_of, seeds_at
from rlaudit.findings import find
from rlaudit.results import Audit
from rlaudit.types import Floats, RunRecord

CHAOS = (0.04, 0.0, 0.04, 0.04, 0.0, 0.04, 0.8, 0.04)  # as found in training: nearly all is interaction of three
MAINS = (0.3, 0.3, 0.3, 0.0, 0.0, 0.0, 0.04, 0.06)
MIXED = (0.3, 0.04, 0.0, 0.3, 0.04, 0.0, 0.3, 0.02)
NOISY = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2, 0.8)


def drawn(
    shares: Sequence[float], shape: Sequence[int], rng: np.random.Generator, tails: str = "normal", episodes: int = 20
) -> tuple[Floats, Floats]:
    """Scores and the variance of each from its episodes; total variance 1. `tails`: normal, skewed or bimodal."""
    scores = np.zeros(shape)
    terms = [term for size in range(1, len(shape) + 1) for term in combinations(range(len(shape)), size)]
    for term, part in zip(terms, shares, strict=False):
        sizes = [n if axis in term else 1 for axis, n in enumerate(shape)]
        scores = scores + np.sqrt(part) * effects(sizes, rng, tails)
    noise = np.full(shape, shares[-1])
    if tails != "normal":
        noise = noise * np.exp(rng.normal(0, 1, shape) - 0.5)  # runs differ in how noisy they are
    scores = scores + np.sqrt(noise) * rng.standard_normal(shape)
    return scores, noise * rng.chisquare(episodes - 1, shape) / (episodes - 1)


def effects(sizes: Sequence[int], rng: np.random.Generator, tails: str) -> Floats:
    """Mean 0 and variance 1."""
    normal: Floats = rng.standard_normal(sizes)
    if tails == "skewed":
        return rng.exponential(size=sizes) - 1
    return np.where(rng.random(sizes) < 0.5, 1, -1) * np.sqrt(0.96) + 0.2 * normal if tails == "bimodal" else normal


def crossed(returns: Floats, **changes: Any) -> list[RunRecord]:
    """A record for each cell of returns (n_init, n_env, n_algo, n_episodes); NaN: the run failed."""
    records = []
    for at in product(*map(range, returns.shape[:3])):
        of = spec(**{"agent": "a2c", **changes, "seed": label_of(*at), "seeds": seeds_at(*at)})
        failed = bool(np.isnan(returns[at]).any())
        final = np.empty(0) if failed else returns[at]
        hashed = "".join(f"{level:02x}" for level in at) * 8
        records.append(record(of, status="failed" if failed else "done", final_returns=final, weights_sha256=hashed))
    return records


def returns_of(shares: Sequence[float], shape: Sequence[int] = (5, 5, 5), episodes: int = 20, seed: int = 0) -> Floats:
    """(*shape, episodes) around 250 with a standard deviation of 100 between runs."""
    rng = np.random.default_rng(seed)
    scores, _ = drawn((*shares[:-1], 0.0), shape, rng)
    noise = np.sqrt(shares[-1] * episodes) * rng.standard_normal((*shape, episodes))
    found: Floats = 250 + 100 * (scores[..., None] + noise)
    return found


def config(shape: Sequence[int] = (5, 5, 5), **changes: Any) -> AuditConfig:
    """`experiment: sources` with so many levels a stream."""
    fields: dict[str, Any] = {
        "name": "sources",
        "experiment": "sources",
        "tasks": ("CartPole-v1",),
        "agents": {"a2c": AgentConfig(algo="A2C", timesteps=200)},
        "seeds": 2,
        "sources": dict(zip(("init", "env", "algo"), shape, strict=True)),
    }
    return AuditConfig.model_validate({**fields, **changes})


def audited(returns: Floats, **changes: Any) -> Audit:
    """Of crossed runs, with its findings."""
    from dataclasses import replace

    shape = returns.shape[:3]
    audit = replace(analyze(crossed(returns), config(shape, **changes)), experiment="sources")
    return replace(audit, findings=find(audit))
