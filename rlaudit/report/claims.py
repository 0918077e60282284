"""The section: Do the claims hold?"""

from collections.abc import Iterator

from rlaudit.report.parts import FigureHtml, Rows, SectionHtml, Table, figure
from rlaudit.results import Audit, Claim, Flip, SeedsNeeded
from rlaudit.results.claims import most_changed
from rlaudit.wording import interval, is_are, listed, percent

_STATES = ("supported", "fragile", "undecided", "contradicted")
_MOST_DRAWN, _MOST_TOLD = 12, 3
_UNEQUAL = 3  # times as many seeds of one agent as of the other


def claims(audit: Audit) -> SectionHtml | None:
    """What is claimed, and what the runs say of it."""
    if not audit.claims:
        return None
    return SectionHtml(
        "claims",
        "Do the claims hold?",
        tuple(_sentences(audit)),
        (_intervals(audit),),
        (_table(audit),),
        tuple(_method(audit)),
        open_tables=True,
    )


def _sentences(audit: Audit) -> Iterator[str]:
    counts = {state: sum(claim.state == state for claim in audit.claims) for state in _STATES}
    others = [f"{n} {'is' if n == 1 else 'are'} {state}" for state, n in counts.items() if n and state != "supported"]
    n_held = counts["supported"]
    held = f"{n_held or 'Not one'} of {len(audit.claims)} claims {is_are(n_held or 1)} supported by these runs"
    if len(audit.claims) == 1:
        held, others = f"The claim is {audit.claims[0].state}", []
    yield f"{listed([held, *others])}.{' Undecided is neither true nor false.' if counts['undecided'] else ''}"
    fragile = [claim for claim in audit.claims if claim.state == "fragile"]
    for claim in fragile[:_MOST_TOLD]:
        yield f"“{claim.text}” is fragile: {claim.reason}."
    if len(fragile) > _MOST_TOLD:
        yield f"The table has the other {len(fragile) - _MOST_TOLD} that are fragile."


def _intervals(audit: Audit) -> FigureHtml:
    """The first dozen, those that do not stand before those that do."""
    doubtful = sorted(audit.claims, key=lambda claim: claim.state == "supported")[:_MOST_DRAWN]
    drawn = [claim for claim in audit.claims if any(claim is one for one in doubtful)]
    words = "; ".join(f"{claim.text}: {claim.state}, {interval(claim.low, claim.high)}" for claim in drawn)
    some = f" {len(drawn)} of {len(audit.claims)} claims." if len(drawn) < len(audit.claims) else ""
    dashed = (
        " Dashed: without the seeds that carry a fragile claim."
        if any(claim.state == "fragile" for claim in drawn)
        else ""
    )
    caption = (
        "A claim is supported where its interval lies on the green ground, contradicted where it lies beside it, and "
        f"undecided where it reaches over the edge.{dashed}{some}"
    )
    title = f"Differences of the means with the intervals that decide. {words}."
    return figure("claim_intervals", "all", title, drawn, audit.higher_is_better, caption=caption, wide=True)


def _table(audit: Audit) -> Table:
    head = (
        "claim", "state", "why", "undecided without", "undecided if they turn out badly",
        "as many fresh seeds support it", "seeds an agent that decide it",
    )  # fmt: skip
    rows: Rows = tuple(
        (
            claim.text, claim.state, claim.reason, _flip(claim, claim.removal), _flip(claim, claim.replacement),
            None if claim.repetition is None else percent(claim.repetition), _needed(claim.seeds_needed),
        )
        for claim in audit.claims
    )  # fmt: skip
    return Table("Claims", head, rows)


def _flip(claim: Claim, flip: Flip | None) -> str | None:
    """`2 seeds: ppo's seed 3, a2c's seed 7`."""
    if flip is None:
        return None
    n = most_changed(claim.n_a, claim.n_b) if flip.n is None else flip.n
    seeds = f"{n} {'seed' if n == 1 else 'seeds'}"
    if flip.n is None:
        return f"{'' if flip.exact else 'probably '}more than {seeds}"
    shown = [f"{agent}'s seed {seed}" for agent, seed in flip.seeds[:3]]
    more = f" and {n - 3} more" if n > 3 else ""
    return f"{'' if flip.exact else 'at most '}{seeds}: {', '.join(shown)}{more}"


def _needed(needed: SeedsNeeded | None) -> str | None:
    """`75 (18 or more)`."""
    if needed is None or needed.low is None:
        return None
    most = "too many" if needed.n is None else f"{needed.n:,}"
    return f"{most} ({needed.low:,} {f'to {needed.high:,}' if needed.high is not None else 'or more'})"


def _method(audit: Audit) -> Iterator[str]:
    yield (
        "a > b: two-sided Welch test; a >= b - m: one-sided, for the difference plus m (non-inferiority); a == b "
        "within m: two one-sided tests (Schuirmann 1987). All claims on all tasks share "
        f"alpha = {audit.alpha:g} (Holm 1979); each interval has the level that its claim has among the others."
    )
    if any(max(claim.n_a, claim.n_b) >= _UNEQUAL * min(claim.n_a, claim.n_b) > 0 for claim in audit.claims):
        yield (
            "Few seeds against many: where they are skewed, too, Welch's test errs more often than alpha says. Two "
            "copies of one agent with log-normal scores are called different in 12 % with 5 against 30 seeds, in 7 % "
            "with 10 against 30, and in 4 % or less where numbers differ less (level 5 %)."
        )
    yield (
        "Seeds that carry a claim: the smallest set without which it is undecided, at the same level; “turn out badly”:"
        " replaced by the least favourable score that their own agent reached. Up to two seeds all sets are tried, and "
        "all larger ones while they are few; “at most” and “probably” where a search stands in for it. Fragile: one "
        "seed, or one in twenty of the smaller group (at most five), carries the claim, or the failed seeds turn it, "
        "counted as the worst score that either agent reached. Of claims of a difference that "
        "is not there which come out significant about half are fragile with 10 seeds an agent (51 %), of true ones of "
        "1.5 sd 10 %, of 2 sd 2 %; with 5 seeds an agent most significant claims are."
    )
    yield (
        "Fresh seeds: pools that might as well have been seen are drawn anew, and a repetition from each (Goodman 1992;"
        " Killeen 2005). It is too high for claims that were picked because they came out significant (Miller 2009): "
        "at a true difference of 1 sd with 10 seeds an agent such claims are told 72 % and replicate in 56 %."
    )
    yield (
        "Seeds that decide it: for 80 % power of the claim's own test, if difference and spread are those seen; in "
        "brackets, if the difference lies elsewhere in its interval."
    )
