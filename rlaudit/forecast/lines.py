"""A forecast as people read it: plain lines of at most 80 columns, the same on a terminal and in a pipe."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil, floor, log10
from textwrap import wrap

from rlaudit.forecast.nouns import Forecast, LookForecast, Need, PlannedClaim, Reach, Runs
from rlaudit.terminal import printable
from rlaudit.wording import label_of, number, percent

_WIDTH, _LABEL, _COLUMNS = 80, 17, 7  # of a line, of what a row is called, of a table
_WORDS = {"reachable": "yes", "perhaps": "perhaps", "not": "no"}


def lines(found: Forecast) -> Iterator[str]:
    """What is planned; what budgets buy; each claim; what to mind."""
    for line in _all(found):
        yield printable(line)


def _all(found: Forecast) -> Iterator[str]:
    if found.runs and found.looks:
        yield from _looks(found, found.runs, found.looks)
        return
    if found.runs:
        yield from _runs(found, found.runs)
        yield ""
    if found.experiment != "audit":
        yield from (line for note in found.notes for line in _wrapped(note))
        return
    if not found.purchases:
        yield "There is only one agent: nothing to compare."
    else:
        yield from _tables(found)
    said = [claim for claim in found.claims if claim.reason]
    for claim in said:
        yield from _wrapped(f"{claim.text}: cannot be planned, {claim.reason}.")
    for text in (*_legend(found), *_hopeless(found), *found.notes):
        yield from _wrapped(text, "* ")


def _wrapped(text: str, first: str = "", rest: str = "  ") -> list[str]:
    bound = wrap(text.replace(" %", "\N{NO-BREAK SPACE}%"), _WIDTH, initial_indent=first, subsequent_indent=rest)
    return [line.replace("\N{NO-BREAK SPACE}%", " %") for line in bound]


# ---------------------------------------------------------------- of a config


def _runs(found: Forecast, runs: Runs) -> Iterator[str]:
    size = " x ".join(
        _counted(n, noun) for n, noun in ((runs.n_agents, "agent"), (runs.n_tasks, "task"), (runs.n_seeds, "seed"))
    )
    stored = f"{runs.n_runs - runs.n_missing} stored in {runs.store}, {runs.n_missing} missing."
    what = f"{size} = " if found.experiment == "audit" else f"experiment {found.experiment}, "
    yield from _wrapped(f"{found.name}: {what}{_counted(runs.n_runs, 'run')}; {stored}")
    yield from _prices(runs)
    if not runs.n_missing:
        yield "Nothing is left to train."
    elif runs.seconds is None or runs.wall_seconds is None:
        yield from _wrapped("What the missing runs cost is not known: none is stored, measured or given (--cost).")
    else:
        wall = f"{_duration(runs.wall_seconds)} with {_counted(runs.workers, 'worker')}"
        yield f"About {_duration(runs.seconds)} of CPU for what is missing: {wall}."


def _prices(runs: Runs) -> Iterator[str]:
    for price in runs.prices:
        text = f"  {price.agent} on {price.task}: {_duration(price.seconds)} of CPU a run ({price.basis})"
        yield from _wrapped(text, rest="    ")


# ---------------------------------------------------------------- of a config with looks


def _looks(found: Forecast, runs: Runs, looks: LookForecast) -> Iterator[str]:
    """The least, the most, and what lies between."""
    size = f"{_counted(runs.n_agents, 'agent')} x {_counted(runs.n_tasks, 'task')}"
    sizes = f"{looks.sizes[0]:,} to {looks.sizes[-1]:,} seeds"
    yield from _wrapped(
        f"{found.name}: {size} x {sizes} = {looks.n_least:,} to {looks.n_most:,} runs; {runs.n_runs - runs.n_missing} "
        f"stored in {runs.store}. {len(looks.sizes)} looks, {looks.n_made} made."
    )
    yield from _prices(runs)
    if looks.settled:
        yield "It is settled: nothing is left to train."
        return
    if looks.seconds_next is None or looks.seconds_most is None:
        yield from _wrapped("What runs cost is not known: none is stored, measured or given (--cost).")
    else:
        at_once = min(runs.workers, max(1, runs.n_missing))
        wall = _duration(looks.seconds_most / at_once)
        yield from _wrapped(
            f"About {_duration(looks.seconds_next)} of CPU to the next look ({_counted(runs.n_missing, 'run')}), and "
            f"at most {_duration(looks.seconds_most)} to the last: {wall} with {_counted(runs.workers, 'worker')}."
        )
    yield ""
    if looks.gaps:
        yield _row("gap, in sd", [f"{one.gap_in_sd:g}" for one in looks.gaps])
        yield _row("a winner in", [percent(one.winner) for one in looks.gaps])
        yield _row("seeds an agent", [number(one.mean_seeds, 2) for one in looks.gaps])
        draws = looks.gaps[0].n_draws
        yield from _wrapped(
            f"Two agents so far apart, {draws} simulated pairs with normal seeds (shares to about "
            f"{100 * draws**-0.5:.0f} points), while all pairs share alpha = {found.alpha:g}. Seeds: on average, where "
            "it stops. How far apart these agents are is not known beforehand.",
            "* ",
        )
    else:
        text = (
            "How soon it ends is not forecast: simulating this design takes too long. It depends on how far the agents"
        )
        yield from _wrapped(f"{text} are apart.", "* ")


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{number(seconds, 2)} s"
    return f"{number(seconds / 60, 2)} min" if seconds < 5400 else f"{number(seconds / 3600, 2)} h"


# ---------------------------------------------------------------- budgets and claims


def _tables(found: Forecast) -> Iterator[str]:
    for start in range(0, len(found.purchases), _COLUMNS):
        part = slice(start, start + _COLUMNS)
        yield from _table(found, part)
        yield ""


def _table(found: Forecast, part: slice) -> Iterator[str]:
    bought = found.purchases[part]
    if bought[0].minutes is not None:
        yield _row("CPU-minutes", [_round(row.minutes or 0.0) for row in bought])
    yield _row("more runs", [f"{row.n_runs:,}" for row in bought])
    yield _row("seeds an agent", [_levels(found, row.n_seeds) for row in bought])
    for claim in found.claims:
        if claim.reaches:
            yield ""
            yield from _wrapped(claim.text)
            yield from _reaches(claim.reaches[part])
            if part.start == 0 and claim.need:
                yield from _wrapped(f"{_needed(claim, claim.need, found)}{_seen(claim)}", "  ")
                yield from _margin(claim, found)


def _levels(found: Forecast, n_seeds: int) -> str:
    """A range where some agents have more already."""
    most = max(n_seeds, *(arm.n_seeds for arm in found.arms))
    return f"{n_seeds:,}" if most == n_seeds else f"{n_seeds:,}-{most:,}"


def _row(label: str, cells: Sequence[str]) -> str:
    return f"{label:<{_LABEL}}" + "".join(f"{cell:>{(_WIDTH - _LABEL) // _COLUMNS}}" for cell in cells)


def _reaches(reaches: Sequence[Reach]) -> Iterator[str]:
    rows: dict[str, Callable[[Reach], float | None]] = {
        "  power": lambda at: at.power,
        "  at worst": lambda at: at.low,
        "  at best": lambda at: at.high,
    }
    for label, share in rows.items():
        if share(reaches[0]) is not None:
            yield _row(label, [_short(share(at)) for at in reaches])
    yield _row("  in reach", [_WORDS[at.state] for at in reaches])


def _round(minutes: float) -> str:
    return f"{round(minutes, 1):,g}" if minutes >= 1 else f"{minutes:.2g}"


def _short(share: float | None) -> str:
    """Fits a column. A power is never 0 or 1, but its simulation may be."""
    if share is not None and share < 0.001:
        return "<0.1 %"
    if share is not None and share > 0.995:  # where whole percents would round to 100
        return ">99.9 %" if share > 0.999 else f"{100 * share:.1f} %"
    return percent(share)


def _seen(claim: PlannedClaim) -> str:
    if claim.gap is None:
        return ""
    ends = f"[{number(claim.low_in_sd, 2)}, {number(claim.high_in_sd, 2)}]"
    return f" The pilot's gap is {number(claim.gap)}: {number(claim.gap_in_sd, 2)} sd, 95 % {ends}."


def _needed(claim: PlannedClaim, need: Need, found: Forecast) -> str:
    asked = f"{percent(found.power)} power"
    if need.n is None:
        return f"No number of seeds gives {asked} if the pilot tells the truth{_unless(need)}."
    seeds = f"{asked} takes {need.n:,} seeds an agent"
    if claim.gap is not None:
        seeds += f" ({need.low or 2:,} to {f'{need.high:,}' if need.high else 'no limit'})"
    if not need.n_runs:
        return f"{seeds}, which are there."
    runs = _counted(need.n_runs, "more run")
    return f"{seeds}: {runs}." if need.minutes is None else f"{seeds}: {runs}, {_minutes(claim, need)}."


def _unless(need: Need) -> str:
    return f"; at best it takes {need.low:,} an agent" if need.low else ""


def _minutes(claim: PlannedClaim, need: Need) -> str:
    most = "no limit" if need.minutes_high is None else number(need.minutes_high, 2)
    spread = "" if claim.gap is None else f" ({number(need.minutes_low, 2)} to {most})"
    return f"{number(need.minutes, 2)} CPU-minutes{spread}"


def _margin(claim: PlannedClaim, found: Forecast) -> Iterator[str]:
    if claim.margin_in_reach is None or not claim.reaches:
        return
    margin, seeds = _rounded_up(claim.margin_in_reach), f"{min(claim.reaches[-1].n_a, claim.reaches[-1].n_b):,}"
    text = (
        f"Out of reach. Equality is another claim: '{claim.a} == {claim.b} within {margin}' has "
        f"{percent(found.power)} power with {seeds} seeds an agent, if the gap seen is the true one. "
    )
    if found.margin is None:
        text += "State it only if such a gap does not matter to you: a margin comes from the task, not from here."
    elif found.margin < claim.margin_in_reach:
        text += f"Your margin is {number(found.margin, 2)}: that takes more seeds."
    else:
        text += f"Your margin of {number(found.margin, 2)} is wide enough."
    yield from (f"  {line}" for line in wrap(text, _WIDTH - 2))


def _rounded_up(margin: float) -> str:
    """To two digits, so that the power is not less; without the commas that a claim would not take."""
    step = 10.0 ** (floor(log10(margin)) - 1)
    return f"{ceil(margin / step - 1e-9) * step:.10g}"


# ---------------------------------------------------------------- what to mind


def _legend(found: Forecast) -> Iterator[str]:
    if not found.purchases:
        return
    share = percent(found.power)
    if any(claim.reaches and claim.gap is not None for claim in found.claims):
        yield (
            "Power: the chance that so many fresh seeds like those of the pilot support the claim by Welch's test. At "
            "worst and at best: what the pilot leaves open of the gap and the spread (95 %). In reach: yes, if even "
            f"the worst has {share}; perhaps, if the pilot tells the truth."
        )
    else:
        yield f"Power of Welch's test with normal seeds; the gains are assumed, not seen. In reach: {share} or more."
    if found.purchases[0].minutes is None:
        yield "What a run costs is not known; --cost MINUTES turns seeds into budgets."


def _hopeless(found: Forecast) -> Iterator[str]:
    """The largest design of each test, for smaller ones cannot either; tests with the same numbers in one sentence."""
    largest = {(one.test, one.sides): one for one in found.hopeless}.values()
    for n, sides, enough in dict.fromkeys((one.n, one.sides, one.enough) for one in largest):
        alike = [one for one in largest if (one.n, one.sides, one.enough) == (n, sides, enough)]
        yield (
            f"{' and '.join(label_of(one.test) for one in alike)} can never reject with {n} against {n} seeds or "
            f"fewer, whatever comes out: {'one' if sides == 1 else 'two'}-sided p is at least "
            f"{number(min(one.p for one in alike), 2)}, the level {number(found.alpha / found.n_family, 2)}. It takes "
            f"{enough} seeds an agent."
        )
