"""A control in which luck must vanish."""

from dataclasses import dataclass

from rlaudit.types import Finding, SeedLabel
from rlaudit.wording import interval, number, p_text, percent

CONVEX_SPREAD = 1e-8  # of final losses: below it luck has vanished
HIDDEN_SPREAD = 1e-4  # above it there is luck to be found


@dataclass(frozen=True)
class LossArm:
    """One model from the initial weights of one scheme."""

    scheme: str
    seeds: tuple[SeedLabel, ...]
    distances: tuple[float, ...]  # (n_seeds,) final loss less the lowest of the model, as measured
    n_failed: int
    n_losses: int  # final losses that differ by more than rounding
    mean: float
    sd: float | None  # between seeds


@dataclass(frozen=True)
class LossPath:
    """One run on its way down."""

    scheme: str
    seed: SeedLabel
    iterations: tuple[int, ...]  # (n_points,)
    losses: tuple[float, ...]


@dataclass(frozen=True)
class Surface:
    """One model on the expert's data, and what the audit says of its arms."""

    label: str  # the task of its arms
    is_convex: bool
    n_weights: int
    arms: tuple[LossArm, ...]
    lowest: float  # final loss
    spread: float  # highest less lowest final loss, over all schemes and seeds, as measured
    n_losses: int
    gradient_norm: float  # the largest at the end of a run
    iterations: tuple[int, int]  # of the fastest and of the slowest run
    accuracy: tuple[float, float]  # share of the expert's decisions that the worst and the best run make
    n_pairs: int  # of schemes
    n_apart: int  # pairs that the audit calls different
    smallest_p: float | None  # of the deciding test over the pairs, adjusted
    farthest: tuple[str, str] | None  # the schemes whose means differ most; the first has the lower loss
    difference: float | None  # of their means, with Welch's interval
    low: float | None
    high: float | None
    gap: float | None  # of two groups of `group_size` seeds of one scheme, in one of twenty splits: share of the loss
    group_size: int | None
    said: tuple[Finding, ...]  # by the ordinary audit of these arms, the most important first
    paths: tuple[LossPath, ...]

    @property
    def n_runs(self) -> int:
        """Finished ones."""
        return sum(len(arm.seeds) for arm in self.arms)

    @property
    def n_failed(self) -> int:
        """Runs without a loss."""
        return sum(arm.n_failed for arm in self.arms)

    @property
    def n_lucky(self) -> int:
        """Schemes whose seeds end at different losses."""
        return sum(arm.n_losses > 1 for arm in self.arms)

    @property
    def luck_in_words(self) -> str:
        """How much seeds and initializers matter where the loss is not convex."""
        text = (
            f"Behind the hidden layer {self.n_runs} runs end at {self.n_losses} different losses. Two groups of "
            f"{self.group_size} seeds of one initializer differ by {percent(self.gap)} of the loss or more in one of "
            "twenty splits."
        )
        if self.farthest is None:
            return text
        better, worse = self.farthest
        return (
            f"{text} {self.n_apart} of {self.n_pairs} pairs of initializers are told apart (smallest adjusted "
            f"{p_text(self.smallest_p)}); farthest are {better} and {worse}, by {number(self.difference)} "
            f"{interval(self.low, self.high)}, the largest difference of all pairs."
        )


@dataclass(frozen=True)
class Convex:
    """The same data through a convex model and through one that is not."""

    agent: str  # the expert
    task: str
    expert_return: float
    n_states: int
    n_features: int
    n_actions: int
    l2: float
    hidden: int  # units
    surfaces: tuple[Surface, ...]  # the convex one first; one that has no runs yet is not there

    def surface(self, *, convex: bool) -> Surface | None:
        """None where it has no runs yet."""
        return next((one for one in self.surfaces if one.is_convex == convex), None)

    @property
    def within(self) -> float | None:
        """How far above the minimum the convex losses are at most, proved by their gradients: g^2 / (2 l2)."""
        convex = self.surface(convex=True)
        return convex.gradient_norm**2 / (2 * self.l2) if convex else None

    @property
    def spreads_in_words(self) -> str:
        """What was measured on both models."""
        convex, hidden = self.surface(convex=True), self.surface(convex=False)
        parts = [
            f"the {convex.n_runs} final losses of the convex model differ by {number(convex.spread, 2)}"
            if convex
            else "",
            f"the {hidden.n_runs} behind a hidden layer by {number(hidden.spread, 2)}" if hidden else "",
        ]
        text = f"{', '.join(filter(None, parts))} at most, from the same {self.n_states:,} decisions of {self.agent}"
        return f"{text[:1].upper()}{text[1:]} on {self.task}."

    @property
    def faults(self) -> tuple[str, ...]:
        """What went otherwise than it must; none: the control passes."""
        return tuple(_faults(self.surface(convex=True), self.surface(convex=False)))


def _faults(convex: Surface | None, hidden: Surface | None) -> list[str]:
    checks = [
        (convex is None or hidden is None, "runs of one model are missing"),
        (convex and not convex.spread < CONVEX_SPREAD, "the convex losses differ"),
        (convex and convex.n_lucky, "the audit finds an effect of the seed where there is none"),
        (convex and convex.n_apart, "the audit calls initializers different that reach one minimum"),
        (hidden and not hidden.spread > HIDDEN_SPREAD, "the losses behind the hidden layer do not differ"),
        (hidden and not hidden.n_lucky, "the audit finds no effect of the seed where there is one"),
        (any(one and one.n_failed for one in (convex, hidden)), "runs failed"),
    ]
    return [text for found, text in checks if found]
