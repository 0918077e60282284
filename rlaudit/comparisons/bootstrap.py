"""Bootstrap tests of the difference of means: five ways to read where the resamples lie.

Each test is its interval, asked at which level it lets go of 0. The percentile and the pivotal (or basic) interval are
two: the first takes the quantiles q of the resampled differences d* as they are, [q_lo, q_hi]; the second mirrors them
at the difference d itself, [2 d - q_hi, 2 d - q_lo]. Papers mix them up. False positives of 2, 3, 5, 10, 30 seeds a
side, in percent at alpha = .05 (standard error .15); the third column is the HalfCheetah finals of SAC:

                 normal            log-normal         SAC
    percentile   33 19 12  8  6    33 18 13  9  7     33 19 13 10  8
    pivotal      33 19 12  8  6    33 16  9  5  4     33 15  8  4  3
    BCa          33 19 12  8  6    33 20 17 15 12     33 21 17 16 14
    bootstrap-t   0  1  3  5  5     0  1  1  2  2      0  1  2  2  2
    expanded      0  0  3  4  4     0  0  3  4  5      0  0  3  4  6

The symmetric bootstrap-t and the expanded interval are the ones to use. BCa corrects for the skewness of the seeds and
errs more where they are skewed: in the difference of two agents that are alike it cancels.

With `interval=False`, `low` and `high` are NaN: where all resamples are enumerated, the quantiles of a batch cost 20
times its p-values.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import comb
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from rlaudit.comparisons import bca
from rlaudit.comparisons.moments import Moments, centre, ends, flat_reach, moments, one_seed, per_side, without_spread
from rlaudit.comparisons.resampling import Blocks, Distribution, Values, differences, t_statistics
from rlaudit.types import Alternative, Comparison, Floats

_BUDGET = 2**21  # rows x multisets: 16,644 times 5v5 (126 each), 325 times 8v8 (6,435 each); of pairs of them 4 times
_MOST = 10_000  # multisets of a group: n = 8; at n = 10 (92,378) one interval would take .25 s
_MOST_PAIRS = 2**18  # 6v6: 213,444
_TIE_OF_T = 1e-9  # values of t this close, relative to 1 + |t|, are a tie


def bootstrap_percentile(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """The percentile interval (Efron 1979, Annals of Statistics 7, 1-26): p = 2 min(P(d* <= 0), P(d* >= 0)).

    Too narrow for few seeds, by sqrt((n - 1) / n) and by a normal quantile where a t quantile belongs. Where all
    resamples lie on one side p is 0, whatever n. Simulated shares are taken as they are, c / B, as the literature does.
    """
    if min(a.shape[-1], b.shape[-1]) < 2:
        return one_seed("bootstrap_percentile", moments(a, b).effect, alternative)
    x = _groups(a, b, alpha, alternative, n_resamples, plus=0)
    below, above, low, high = _read(x.differences(rng), np.zeros_like(x.tie), x.left_out(x.level) if interval else None)
    greater, less = (x.plain(x.total - mass) for mass in (above, below))
    return x.answer("bootstrap_percentile", greater, less, low, high)


def bootstrap_pivotal(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """The pivotal or basic interval [2 d - q_hi, 2 d - q_lo] (Davison & Hinkley 1997, Bootstrap Methods, section 5.2).

    It takes d* - d for what d is off the truth: p = 2 min(P(d* >= 2 d), P(d* <= 2 d)). As narrow as the percentile
    interval, and p is as easily 0.
    """
    if min(a.shape[-1], b.shape[-1]) < 2:
        return one_seed("bootstrap_pivotal", moments(a, b).effect, alternative)
    x = _groups(a, b, alpha, alternative, n_resamples, plus=0)
    mirror = 2 * x.found.effect
    below, above, low, high = _read(x.differences(rng), mirror, x.left_out(x.level) if interval else None)
    greater, less = (x.plain(x.total - mass) for mass in (below, above))
    return x.answer("bootstrap_pivotal", greater, less, mirror - high, mirror - low)


def bootstrap_expanded(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """The expanded percentile interval (Hesterberg 2015, The American Statistician 69, 371-386) and its p-value.

    The interval is read at the level alpha' with Phi^-1(alpha'/2) = t_{alpha/2, m-1} sqrt(m / (m-1)), which for normal
    data makes it a t interval; for two samples m is the smaller group, as in Hesterberg's R package `resample`.
    Solved for alpha: p = 2 T_{m-1}(sqrt((m-1) / m) Phi^-1(tail)).

    Our addition: a tail below the probability of the single most extreme resample, 1 / (n_a^n_a n_b^n_b), is nothing
    that the bootstrap distribution knows, so it is not read there. Without this floor two groups that do not overlap
    are always significant: 33 % of the time for the same agent at n = 2 and 10 % at n = 3. With it n <= 3 never is.
    A simulated tail is (1 + c) / (1 + B), for the same reason.
    """
    n_a, n_b = a.shape[-1], b.shape[-1]
    m = min(n_a, n_b)
    if m < 2:
        return one_seed("bootstrap_expanded", moments(a, b).effect, alternative)
    x = _groups(a, b, alpha, alternative, n_resamples, plus=1)
    narrow, least = np.sqrt(1 - 1 / m), _rarest(n_a, n_b)

    def side(mass: Floats) -> _Side:
        tail = np.clip(x.share(mass), least, 1)
        z = ndtri(np.minimum(tail, 1 - 1e-12))
        t = narrow * z
        if not x.n_simulated:
            return _Side(stdtr(m - 1, t), np.zeros_like(t))
        # dp/dtail = f_{m-1}(t) narrow / phi(z), with the t density f from its own derivative of stdtr
        slope = (stdtr(m - 1, t + 1e-4) - stdtr(m - 1, t - 1e-4)) / 2e-4 * narrow * np.sqrt(2 * np.pi)
        return _Side(stdtr(m - 1, t), slope * np.exp(z**2 / 2) * x.error(tail))

    level = float(ndtr(stdtrit(m - 1, x.level) / narrow))
    left_out = x.left_out(level if level >= least else -1.0)
    below, above, low, high = _read(x.differences(rng), np.zeros_like(x.tie), left_out if interval else None)
    greater, less = side(x.total - above), side(x.total - below)
    t = stdtrit(m - 1, np.minimum(less.p, 0.5)) - stdtrit(m - 1, np.minimum(greater.p, 0.5))
    smallest = max(least, 1 / (1 + x.n_simulated) if x.n_simulated else 0.0)
    min_p = x.sides * float(stdtr(m - 1, narrow * ndtri(smallest)))
    return x.answer("bootstrap_expanded", greater, less, low, high, statistic=t, df=m - 1, min_p=min_p)


def bootstrap_t(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """The symmetric bootstrap-t interval d +- q se (Hall 1988, J. R. Stat. Soc. B 50, 35-45); one-sided: Efron 1982.

    q is the quantile of |t*|, t* = (d* - d) / se*, studentised by Welch's standard error; p = P(|t*| >= |t|). The
    equal-tailed interval corrects a skewness that cancels between like agents: .077 and .098 of SAC's splits are
    significant at n = 10 and 20, with the symmetric one .016 and .016. One-sided tests still have that: .076 for
    log-normal seeds, n = 10. Unequal groups err more where they are skewed (.09 at 5v5 with sd 3 : 1, Welch .13).
    A resample whose groups are both constant has no se*: its t* is infinite, with the sign of d* - d, and where d* = d
    it counts on both sides. So p >= .25 at n = 2 and >= .012 at n = 3. A simulated tail is (1 + c) / (1 + B).
    """
    n_a, n_b = a.shape[-1], b.shape[-1]
    if min(n_a, n_b) < 2:
        return one_seed("bootstrap_t", moments(a, b).effect, alternative)
    x = _groups(a, b, alpha, alternative, n_resamples, plus=1, pairs=True)
    effect, var_a, var_b = x.found
    se = np.sqrt(var_a / n_a + var_b / n_b)
    some = np.where(se > 0, se, 1.0)
    t = np.where(effect == 0, 0.0, effect / some)
    blocks = x.t_statistics(rng, _TIE_OF_T * (1 + np.abs(t)))
    statistic = np.where((se > 0) | (effect == 0), t, np.copysign(np.inf, effect))
    if alternative == "two-sided":
        below, _, _, reach = _read(_folded(blocks), np.abs(t), x.left_out(alpha) if interval else None)
        share = x.share(x.total - below)
        half = _Side(share / 2, x.error(share) / 2)
        least = 1 / (1 + x.n_simulated) if x.n_simulated else n_a * n_b * _rarest(n_a, n_b)
        low, high = effect - reach * some, effect + reach * some
        return x.answer("bootstrap_t", half, half, low, high, statistic=statistic, min_p=least)
    below, above, low, high = _read(blocks, t, x.left_out(alpha) if interval else None)
    greater, less = (x.plain(x.total - mass) for mass in (below, above))
    least = 1 / (1 + x.n_simulated) if x.n_simulated else min(n_a, n_b) * _rarest(n_a, n_b)
    low, high = effect - high * some, effect - low * some
    return x.answer("bootstrap_t", greater, less, low, high, statistic=statistic, min_p=least)


def _folded(blocks: Blocks) -> Blocks:
    """|t*| instead of t*; what lies on both sides stays beyond everything."""
    for rows, d in blocks:
        assert isinstance(d, Values)
        yield rows, replace(d, values=np.abs(d.values))


def bootstrap_bca(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """The bias-corrected and accelerated interval (Efron 1987, JASA 82, 171-185), solved for its level.

    The lower end is the quantile of d* at the level Phi(z0 + u / (1 - acceleration u)), u = z0 + Phi^-1(alpha / 2),
    z0 = Phi^-1(P(d* < d)), ties counting half. It reaches 0 where Phi^-1(alpha / 2) = w / (1 + acceleration w) - z0,
    w = Phi^-1(P(d* <= 0)) - z0. p is 0 as easily as for the percentile interval: BCa is no cure for few seeds.
    """
    if min(a.shape[-1], b.shape[-1]) < 2:
        return one_seed("bootstrap_bca", moments(a, b).effect, alternative)
    x = _groups(a, b, alpha, alternative, n_resamples, plus=0)
    bend = bca.acceleration(x.a, x.b)

    def read(rows: slice, d: Distribution) -> tuple[Floats, ...]:
        below, above = d.beyond(x.found.effect[rows])
        half = 0.5 / x.total
        middle = np.clip((below + x.total - above) * half, half, 1 - half)
        z0, nothing = ndtri(middle), np.full_like(middle, np.nan)
        out = (x.left_out(bca.level_read(x.level, sign * z0, sign * bend[rows])) for sign in (1, -1))
        return middle, *d.beyond(np.zeros_like(z0)), *(d.ends(*out) if interval else (nothing, nothing))

    def side(mass: Floats, middle: Floats, bend: Floats) -> _Side:
        share = x.share(mass)
        error = bca.error_of(share, middle, bend, x.total) if x.n_simulated else np.zeros_like(share)
        # A share that meets its level but for the rounding of ndtr(ndtri(share)) must not miss it.
        return _Side(ndtr(bca.level_of(share, ndtri(middle), bend)[0]) * (1 - 1e-12), error)

    middle, below, above, low, high = _each(x.differences(rng), read)
    greater, less = side(x.total - above, middle, bend), side(x.total - below, 1 - middle, -bend)
    return x.answer("bootstrap_bca", greater, less, low, high)


# ---------------------------------------------------------------- what the five share


class _Side(NamedTuple):
    """One-sided p-values (n_rows,), and their standard errors where they are simulated."""

    p: Floats
    error: Floats


@dataclass(frozen=True, eq=False)
class _Groups:
    """A batch of two groups as rows, centred and in units of a power of two, so that no cube is too large or small."""

    a: Floats  # (n_rows, n_a)
    b: Floats  # (n_rows, n_b)
    tie: Floats  # (n_rows,)
    found: Moments  # (n_rows,)
    unit: Floats  # (n_rows,)
    shape: tuple[int, ...]
    alpha: float
    alternative: Alternative
    n_simulated: int  # 0: all resamples are enumerated
    total: float  # resamples
    plus: int  # resamples added to each simulated tail

    @property
    def level(self) -> float:
        return per_side(self.alpha, self.alternative)

    @property
    def sides(self) -> int:
        return 2 if self.alternative == "two-sided" else 1

    def differences(self, rng: np.random.Generator) -> Blocks:
        return differences(self.a, self.b, self.tie, rng, self.n_simulated)

    def t_statistics(self, rng: np.random.Generator, tie_t: Floats) -> Blocks:
        a, b = (x - x.mean(axis=1, keepdims=True) for x in (self.a, self.b))
        return t_statistics(a, b, self.tie, tie_t, rng, self.n_simulated)

    def share(self, mass: Floats) -> Floats:
        return (self.plus + mass) / (self.plus + self.total)

    def left_out(self, level: Floats | float) -> Floats:
        """The most mass that an end may leave out, so that its `share` is at most `level`; below 0 if not even none."""
        most = np.asarray(level) * (self.plus + self.total)
        return np.floor(most + 1e-15 * most + 1e-9) - self.plus

    def error(self, share: Floats) -> Floats:
        """Of a simulated share; no resample out there is not nothing out there: at least 1 / (1 + B) counts."""
        if not self.n_simulated:
            return np.zeros_like(share)
        least = 1 / (1 + self.n_simulated)
        share = np.clip(share, least, 1 - least)
        return np.sqrt(share * (1 - share) / self.n_simulated)

    def plain(self, mass: Floats) -> _Side:
        """The share itself is the p-value."""
        return _Side(self.share(mass), self.error(self.share(mass)))

    def answer(
        self,
        test: str,
        greater: _Side,
        less: _Side,
        low: Floats,
        high: Floats,
        *,
        statistic: Floats | None = None,
        df: float = np.nan,
        min_p: float = 0.0,
    ) -> Comparison:
        """Both sides or one, back in the units and the shape of the batch, with an answer where nothing has spread."""
        n_a, n_b, effect = self.a.shape[1], self.b.shape[1], self.found.effect
        flat = (self.found.var_a == 0) & (self.found.var_b == 0)
        smaller = _Side(*(np.where(less.p < greater.p, *pair) for pair in zip(less, greater, strict=True)))
        side = {"two-sided": smaller, "greater": greater, "less": less}[self.alternative]
        p = without_spread(np.minimum(self.sides * side.p, 1), self.found, n_a, n_b, self.alternative)
        reach = flat_reach(effect, n_a, n_b, self.alpha, self.alternative)
        low, high = (np.where(np.abs(end) <= self.tie, 0.0, end) for end in (low, high))
        low, high = ends(np.where(flat, effect - reach, low), np.where(flat, effect + reach, high), self.alternative)
        statistic = self.unit * effect if statistic is None else statistic

        def shaped(x: Floats) -> Floats:
            return x.reshape(self.shape)

        return Comparison(
            test=test,
            effect=shaped(self.unit * effect),
            low=shaped(self.unit * low),
            high=shaped(self.unit * high),
            statistic=shaped(statistic),
            df=np.full(self.shape, df),
            p_value=shaped(p),
            min_p=min_p,
            mc_error=shaped(np.where(flat, 0.0, self.sides * side.error)),
            alternative=self.alternative,
        )


def _groups(
    a: Floats,
    b: Floats,
    alpha: float,
    alternative: Alternative,
    n_resamples: int,
    *,
    plus: int,
    pairs: bool = False,
) -> _Groups:
    """Enumerated where the budget allows that for all rows: all multisets of each group, or, for t, `pairs` of them."""
    n_a, n_b, shape = a.shape[-1], b.shape[-1], a.shape[:-1]
    a, b, tie = centre(a.reshape(-1, n_a), b.reshape(-1, n_b))
    unit = np.ldexp(1.0, np.frexp(np.maximum(np.abs(a).max(axis=1), np.abs(b).max(axis=1)))[1])
    a, b = a / unit[:, None], b / unit[:, None]
    work = (comb(2 * n_a - 1, n_a), comb(2 * n_b - 1, n_b))
    if pairs:
        exact = work[0] * work[1] <= min(_MOST_PAIRS, 4 * _BUDGET // len(tie))
    else:
        exact = max(work) <= min(_MOST, _BUDGET // len(tie))
    return _Groups(
        a=a,
        b=b,
        tie=tie / unit,
        found=moments(a, b),
        unit=unit,
        shape=shape,
        alpha=alpha,
        alternative=alternative,
        n_simulated=0 if exact else n_resamples,
        total=float(n_a**n_a * n_b**n_b) if exact else float(n_resamples),
        plus=0 if exact else plus,
    )


def _rarest(n_a: int, n_b: int) -> float:
    """The probability of a resample that comes about in one way only, such as the most extreme one."""
    return float(np.exp(-n_a * np.log(n_a) - n_b * np.log(n_b)))


def _read(blocks: Blocks, at: Floats, left_out: Floats | None) -> tuple[Floats, ...]:
    """Mass below and above `at` (n_rows,), and the two ends, which leave out the same mass."""

    def read(rows: slice, d: Distribution) -> tuple[Floats, ...]:
        nothing = np.full_like(at[rows], np.nan)
        if left_out is None:
            return *d.beyond(at[rows]), nothing, nothing
        out = np.full_like(nothing, left_out)
        return *d.beyond(at[rows]), *d.ends(out, out)

    return _each(blocks, read)


def _each(blocks: Blocks, read: Callable[[slice, Distribution], tuple[Floats, ...]]) -> tuple[Floats, ...]:
    parts = [read(rows, d) for rows, d in blocks]
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))
