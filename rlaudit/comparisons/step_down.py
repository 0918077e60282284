"""Many pairs of agents at one level: max-T by permutation, stepped down by closed testing.

The largest |t| of several pairs is judged against the largest of the same pairs after the seeds have been dealt anew
(Westfall & Young 1993, Resampling-based multiple testing; Romano & Wolf 2005, JASA 100, 94-108). Dealing the seeds of
all agents anew is right only if all of them are alike. To be right whichever are, every way in which the agents could
fall into groups of alike ones is tested, and a pair counts as different where each way that has it in one group is
rejected (closed testing: Marcus, Peritz & Gabriel 1976, Biometrika 63, 655-660). So the chance of even one wrong call
stays at most alpha whichever agents do differ: .035-.052 in 4,000 families of 3-5 agents with 5 or 10 seeds, normal or
log-normal, all alike or in part. Agents with equal means and unequal variances are not alike: with sd 1, 1, 3 it is
.090 at n = 5 and .059 at n = 10, where Holm over Welch has .044 and .033. Three agents one standard deviation apart:
.38 and .70 of the pairs are found, by Holm over Welch .29 and .64.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import combinations
from math import factorial, prod
from typing import TypeAlias

import numpy as np

from rlaudit.comparisons.corrections import holm
from rlaudit.comparisons.patterns import blocks
from rlaudit.comparisons.studentised import permutation_studentised
from rlaudit.types import Floats, Ints

_CLOSED = 8  # agents up to which all groupings are tested (4,140 groupings of 247 groups); beyond: Holm
_LISTED = 2**11  # deals of a group of agents up to which all are listed: 3 agents with 3 seeds each have 1,680
_DEALS = 2**20  # labels in a chunk of random deals
_HELD = 16  # arrays of rows x deals that are held at once

Pair: TypeAlias = tuple[int, int]
Group: TypeAlias = int  # a set of agents: bit i is agent i


def max_t(groups: Sequence[Floats], pairs: Sequence[Pair], *, rng: np.random.Generator, n_resamples: int) -> Floats:
    """Adjusted two-sided p-values (..., n_pairs) of `pairs` of agents on one task; `groups` are (..., n_seeds) each.

    That several agents are alike is tested by the largest Welch |t| of their pairs: over all deals of their seeds
    where those are few, else p = (1 + c) / (1 + B); two agents alone by `permutation_studentised`, so that a family of
    one pair needs no correction. That g groups of agents are alike, each in itself, is tested by the smallest of
    their p-values, 1 - (1 - p)^g (Tippett 1931): the groups share no seeds.

    Beyond eight agents: Holm over the p-values of the pairs, which is as safe and finds less.
    One seed: p = 1. No seed: NaN; the pair still counts in the family.
    """
    shape, n_seeds = groups[0].shape[:-1], [group.shape[-1] for group in groups]
    rows = [group.reshape(prod(shape), n) for group, n in zip(groups, n_seeds, strict=True)]
    alone = {_group(pair): pair for pair in pairs if min(n_seeds[i] for i in pair) > 1}
    agents = reduce(int.__or__, alone, 0)
    closed = agents.bit_count() <= _CLOSED
    linked = list(_linked(agents, list(alone))) if closed else list(alone)
    p_of = {
        group: _pair_p(rows, alone[group], stream, n_resamples)
        if group in alone
        else _group_p(rows, _inside(group, alone.values()), stream, n_resamples)
        for group, stream in zip(linked, rng.spawn(len(linked)), strict=True)
    }
    if closed:
        p_of = _closed(p_of, alone, agents)
    nothing = np.ones(prod(shape))
    adjusted = np.array([p_of.get(_group(pair), nothing) for pair in pairs]).reshape(len(pairs), prod(shape)).T
    if not closed:
        adjusted = np.array([holm(row) for row in adjusted])
    missing = [min(n_seeds[i] for i in pair) == 0 for pair in pairs]
    return np.where(missing, np.nan, adjusted).reshape(*shape, len(pairs))


def max_t_tasks(
    tasks: Sequence[Sequence[Floats]], pairs: Sequence[Pair], *, rng: np.random.Generator, n_resamples: int
) -> Floats:
    """The same for a family of all pairs on all tasks (n_tasks, n_pairs): `tasks[t][i]` are the scores of agent i.

    An agent without scores on a task is an empty array. Max-T within each task; across tasks Bonferroni in closed
    testing, since the same seeds may have been used on several: a hypothesis that names k tasks is rejected where
    k times the smallest of their p-values is at most alpha. A task drops out of k once all its pairs are called.
    """
    alike: dict[tuple[int, ...], list[int]] = {}
    for t, task in enumerate(tasks):
        alike.setdefault(tuple(map(len, task)), []).append(t)
    within = np.empty((len(tasks), len(pairs)))
    for rows, stream in zip(alike.values(), rng.spawn(len(alike)), strict=True):
        groups = [np.stack([tasks[t][i] for t in rows]) for i in range(len(tasks[rows[0]]))]
        within[rows] = max_t(groups, pairs, rng=stream, n_resamples=n_resamples)
    return _across_tasks(within)


def _across_tasks(within: Floats) -> Floats:
    """max over k of k min(p, the k - 1 largest p-values that other tasks still have to offer)."""
    worst = np.nan_to_num(within, nan=1.0).max(axis=1, initial=0.0)
    adjusted = within.copy()
    for t, p in enumerate(within):
        others = np.sort(np.delete(worst, t))[::-1]
        named = np.arange(2, len(within) + 1) * np.minimum(p[:, None], others)
        adjusted[t] = np.minimum(np.maximum(p, named.max(axis=1, initial=0.0)), 1)
    return adjusted


# ---------------------------------------------------------------- groups of agents


def _group(agents: Sequence[int]) -> Group:
    return reduce(int.__or__, (1 << i for i in agents), 0)


def _inside(group: Group, pairs: Iterable[Pair]) -> list[Pair]:
    return [pair for pair in pairs if _group(pair) & ~group == 0]


def _linked(agents: Group, pairs: Sequence[Group]) -> Iterator[Group]:
    """All groups that hang together by pairs; that other agents are alike is nobody's question."""
    for group in range(1, agents + 1):
        if group & ~agents:
            continue
        reached, links = group & -group, [pair for pair in pairs if pair & ~group == 0]
        for _ in range(group.bit_count()):
            reached = reduce(int.__or__, (pair for pair in links if pair & reached), reached)
        if links and reached == group:
            yield group


def _closed(p_of: Mapping[Group, Floats], pairs: Iterable[Group], agents: Group) -> dict[Group, Floats]:
    """For each pair the largest p-value of all groupings that have it in one group."""
    best: dict[Group, list[Floats]] = {}  # of some agents: the largest smallest p of 0, 1, 2, ... groups of them

    def best_of(rest: Group) -> list[Floats]:
        if rest not in best:
            found = [np.ones_like(next(iter(p_of.values())))]
            for group in p_of:
                if group & ~rest == 0:
                    for g, others in enumerate(best_of(rest & ~group), start=1):
                        smallest = np.minimum(p_of[group], others)
                        found[g:] = [np.maximum(found[g], smallest) if g < len(found) else smallest, *found[g + 1 :]]
            best[rest] = found
        return best[rest]

    adjusted: dict[Group, Floats] = {}
    for pair in pairs:
        with_pair = [
            _together(np.minimum(p_of[group], others), g)
            for group in p_of
            if pair & ~group == 0
            for g, others in enumerate(best_of(agents & ~group), start=1)
        ]
        adjusted[pair] = np.max(with_pair, axis=0)
    return adjusted


def _together(smallest: Floats, g: int) -> Floats:
    """The p-value of the smallest of g independent ones."""
    return smallest if g == 1 else 1 - (1 - smallest) ** g


# ---------------------------------------------------------------- one group of agents


def _pair_p(rows: Sequence[Floats], pair: Pair, rng: np.random.Generator, n_resamples: int) -> Floats:
    a, b = (rows[i] for i in pair)
    return permutation_studentised(a, b, alpha=0.5, rng=rng, n_resamples=n_resamples, interval=False).p_value


def _group_p(rows: Sequence[Floats], pairs: Sequence[Pair], rng: np.random.Generator, n_resamples: int) -> Floats:
    """That all agents of these pairs are alike (n_rows,)."""
    agents = sorted({i for pair in pairs for i in pair})
    places = [(agents.index(i), agents.index(j)) for i, j in pairs]
    pool, sizes = np.concatenate([rows[i] for i in agents], axis=1), [rows[i].shape[1] for i in agents]
    largest = np.abs(pool).max(axis=1)
    pool = pool - pool[:, :1]
    pool -= pool.mean(axis=1, keepdims=True)
    scale = np.sqrt((pool**2).mean(axis=1))
    scale[scale == 0] = 1
    pool /= scale[:, None]
    tie = 1e-9 + 4 * np.finfo(np.float64).eps * largest / scale
    observed = np.repeat(np.arange(len(agents)), sizes)
    n_deals = factorial(len(observed)) // prod(map(factorial, sizes))
    listed = n_deals <= _LISTED
    chunks = [_every_deal(sizes)] if listed else _random_deals(observed, rng, n_resamples)
    bound = _largest_t(pool, _members(observed[None], len(agents)), sizes, places)[:, 0] - tie
    counts = np.zeros(len(pool))
    for deals in chunks:
        members = _members(deals, len(agents))
        for block in blocks(len(pool), _HELD * len(deals)):
            counts[block] += (_largest_t(pool[block], members, sizes, places) >= bound[block, None]).sum(axis=1)
    p: Floats = counts / n_deals if listed else (1 + counts) / (1 + n_resamples)
    return p


def _largest_t(pool: Floats, members: Sequence[Floats], sizes: Sequence[int], pairs: Sequence[Pair]) -> Floats:
    """The largest |t| of the pairs in each deal (n_rows, n_deals), as t^2 / (1 + t^2): a group without spread has 1."""
    means, errors = [], []
    for member, n in zip(members, sizes, strict=True):
        means.append(pool @ member / n)
        errors.append(np.maximum((pool**2 @ member / n - means[-1] ** 2) / (n - 1), 0))
    largest = np.zeros_like(means[0])
    for i, j in pairs:
        gap = (means[i] - means[j]) ** 2
        total = gap + errors[i] + errors[j]
        largest = np.maximum(largest, gap / np.where(total > 0, total, 1))
    return largest


def _members(deals: Ints, n_agents: int) -> list[Floats]:
    """For each agent (n_seeds, n_deals): 1 where a seed is dealt to it."""
    return [np.where(deals.T == i, 1.0, 0.0) for i in range(n_agents)]


def _random_deals(observed: Ints, rng: np.random.Generator, total: int) -> Iterator[Ints]:
    chunk = max(1, _DEALS // len(observed))
    for start in range(0, total, chunk):
        yield rng.permuted(np.tile(observed, (min(chunk, total - start), 1)), axis=1)


def _every_deal(sizes: Sequence[int]) -> Ints:
    """All ways to deal seeds to agents (n_deals, n_seeds): who gets each seed."""
    n = sum(sizes)
    if len(sizes) == 1:
        return np.zeros((1, n), dtype=np.int64)
    rest, deals = 1 + _every_deal(sizes[1:]), []
    for members in combinations(range(n), sizes[0]):
        deal = np.zeros((len(rest), n), dtype=np.int64)
        deal[:, np.setdiff1d(np.arange(n), members)] = rest
        deals.append(deal)
    return np.concatenate(deals)
