"""Which differences the looks so far leave possible: those that the same test does not reject.

A shift that was rejected once stays so: the interval never widens from look to look, and the estimate may, if rarely,
leave it again.
"""

from collections.abc import Callable, Sequence

import numpy as np

from rlaudit.types import Floats

_HALVINGS = 12  # of a bracket a few standard deviations wide: an end is known to about .001 of one

Side = Callable[[Sequence[tuple[Floats, Floats]]], int]  # what is found in such batches: 1 a is higher, -1 b is, 0


def limits(batches: Sequence[tuple[Floats, Floats]], side: Side) -> tuple[float | None, float | None]:
    """The lowest and the highest shift of a that is not rejected, by bisection; None: no shift is rejected there.

    Of the last two shifts the rejected one is taken, so that the interval is rather too wide.
    """
    a, b = (np.concatenate(scores) for scores in zip(*batches, strict=True))
    if not np.isfinite(a).any() or not np.isfinite(b).any():
        return None, None
    least, most = float(np.nanmin(a) - np.nanmax(b)), float(np.nanmax(a) - np.nanmin(b))
    margin = 0.01 * (most - least) or 1e-6 * max(abs(least), 1.0)  # where all of a is beyond all of b, with no tie
    middle = float(np.nanmean(a) - np.nanmean(b))

    def end(outside: float, sign: int) -> float | None:
        def rejected(shift: float) -> bool:
            return side([(scores - shift, others) for scores, others in batches]) == sign

        if not rejected(outside):
            return None
        if least == most:  # neither side has any spread
            return least
        inside = middle
        if rejected(inside):  # an earlier look said so
            outside, inside = inside, most + margin if sign > 0 else least - margin
        for _ in range(_HALVINGS):
            shift = (outside + inside) / 2
            outside, inside = (shift, inside) if rejected(shift) else (outside, shift)
        return outside

    return end(least - margin, 1), end(most + margin, -1)
