"""Whether the tests keep their promise on these seeds: every "significant" split of one agent is a false positive."""

from collections.abc import Iterator

from rlaudit.report.luck import DEALING
from rlaudit.report.parts import (
    FigureHtml,
    Rows,
    SectionHtml,
    Table,
    figure,
    full_name,
    on_task,
    shares,
    splits_of,
    striking_split,
)  # fmt: skip
from rlaudit.results import Audit, SplitAudit
from rlaudit.wording import label_of, listed, name_of, number, percent

_POOLS = (
    "Disjoint splits give an unbiased false-positive rate, but they share seeds: the interval comes from redrawn "
    "pools of seeds (a smoothed bootstrap), never from the number of splits. The number of independent experiments "
    "is p (1 − p) divided by the variance of the rate between such pools."
)
_WHICH = (
    "Used as a test, the percentile bootstrap is too narrow with few seeds; the expanded percentile (Hesterberg "
    "2015) mends most of it. The permutation test looks at all regroupings where it can; its rate, and that of "
    "Mann-Whitney, is a constant of n. Welch's t test is the recommended default (Colas et al. 2019)."
)


def honest_tests(audit: Audit) -> SectionHtml | None:
    """p-values of the deciding test over the splits, against uniform."""
    split = striking_split(audit)
    if split is None or not split.tests:
        return None
    name = next(iter(split.tests))
    return SectionHtml(
        "honest-tests",
        "Are the tests honest here?",
        tuple(_honest_sentences(audit, split, name)),
        (_histogram(audit, split, name),),
        (_bins(split),),
        (DEALING, _POOLS),
    )


def _honest_sentences(audit: Audit, split: SplitAudit, name: str) -> Iterator[str]:
    test, n = split.tests[name], split.group_size
    yield (
        f"{name_of(name, capital=True)} calls two groups of {n} seeds of {on_task(audit, split.agent, split.task)} "
        f"different in {percent(test.rate)} of splits; it promises {percent(audit.alpha)}, and normal seeds would "
        f"give {percent(test.expected)}."
    )
    if test.constant:
        yield "For this test the rate is fixed by construction: it checks the computation and says nothing about seeds."
    else:
        worth = (
            f"are worth about {number(test.n_effective, 2)} independent experiments"
            if test.n_effective is not None
            else "are not as many experiments; how many they are worth cannot be said"
        )
        pool = (
            f"Another pool of as many seeds might give {shares(test.low, test.high)} (95 %). "
            if test.low is not None and test.high is not None
            else ""
        )
        yield f"{pool}The {split.n_splits:,} splits share their seeds and {worth}."
    yield (
        "The rate of a correct test is alpha by construction. A rate near alpha says that the test keeps its "
        f"promise, not that {n} seeds are enough: what few seeds lack is the power to find a difference, and its "
        "right size."
    )


def _histogram(audit: Audit, split: SplitAudit, name: str) -> FigureHtml:
    title = (
        f"Histogram of the p-values of {name_of(name)} over {split.n_splits:,} splits of {split.agent} on "
        f"{split.task}, {split.group_size} seeds a side: {percent(split.tests[name].rate)} are at most "
        f"{audit.alpha:g}."
    )
    caption = (
        f"{name_of(name, capital=True)} on splits of {on_task(audit, split.agent, split.task)}, {split.group_size} "
        "seeds a side. The first bar: at most alpha. Honest p-values fill every bin alike, up to the luck of one pool."
    )
    return figure("p_histogram", "striking", title, split, audit.alpha, caption=caption)


def _bins(split: SplitAudit) -> Table:
    n = len(split.p_histogram)
    rows: Rows = tuple(
        (f"{i / n:g} to {(i + 1) / n:g}", count, round(split.n_splits / n)) for i, count in enumerate(split.p_histogram)
    )
    return Table("the histogram in numbers", ("p-value", "splits", "uniform"), rows)


# ---------------------------------------------------------------- all tests, all sizes


def which_test(audit: Audit) -> SectionHtml | None:
    """False-positive rates of every test at every group size."""
    split = striking_split(audit)
    if split is None or not split.tests:
        return None
    return SectionHtml(
        "which-test",
        "Which test, at which number of seeds?",
        tuple(_test_sentences(audit)),
        (_rates(audit, split),),
        (_test_table(audit),),
        (_POOLS, _WHICH),
    )


def _test_sentences(audit: Audit) -> Iterator[str]:
    names = list(dict.fromkeys(name for split in audit.splits for name in split.tests))
    yield " ".join(sentence for name in names if (sentence := _too_often(audit, name))) or (
        f"No test calls the same agent different more often than the {percent(audit.alpha)} it promises by more than "
        "other pools of seeds would vary."
    )
    never = [f"{name_of(name)} with {listed(sizes, 'or')}" for name in names if (sizes := _hopeless_sizes(audit, name))]
    if never:
        yield f"Some designs can never reach alpha, whatever the scores: {listed(never)} seeds a side."


def _too_often(audit: Audit, name: str) -> str:
    rows = [(one, one.tests[name]) for one in audit.splits if name in one.tests]
    over = [(one, test) for one, test in rows if test.low is not None and test.low > audit.alpha]
    if not over:
        return ""
    one, test = max(over, key=lambda row: row[1].rate)
    opening = f"{name_of(name, capital=True)} finds differences that are not there: in {percent(test.rate)} of splits"
    if test.constant:
        return (
            f"{opening} instead of {percent(audit.alpha)}, with {one.group_size} seeds a side, whatever their scores."
        )
    return (
        f"{opening} ({shares(test.low, test.high)}) instead of {percent(audit.alpha)}, with {one.group_size} seeds a "
        f"side of {on_task(audit, one.agent, one.task)}."
    )


def _hopeless_sizes(audit: Audit, name: str) -> list[int]:
    """Group sizes at which the test's smallest p-value lies above alpha."""
    return sorted({one.group_size for one in audit.splits if name in one.tests and one.tests[name].min_p > audit.alpha})


def _rates(audit: Audit, split: SplitAudit) -> FigureHtml:
    splits = splits_of(audit, split)
    rates = "; ".join(
        f"{label_of(name)} " + ", ".join(f"{percent(one.tests[name].rate)} at {one.group_size}" for one in splits)
        for name in split.tests
    )
    title = f"False-positive rates against seeds a side, {full_name(split.agent, split.task)}: {rates}."
    caption = (
        f"{on_task(audit, split.agent, split.task)} against itself. Line: share of splits called different; bars: 95 "
        "% over seeds; hollow: normal seeds; dashed: alpha. The scale is stretched near 0."
    )
    return figure("false_positives", "striking", title, splits, audit.alpha, caption=caption, wide=True)


def _test_table(audit: Audit) -> Table:
    head = (
        "agent", "task", "seeds a side", "test", "false positives", "95 % over seeds", "normal seeds",
        "independent experiments", "smallest possible p", "fixed by construction",
    )  # fmt: skip
    rows: Rows = tuple(
        (
            one.agent, one.task, one.group_size, label_of(name), percent(test.rate), shares(test.low, test.high),
            percent(test.expected), test.n_effective, test.min_p, "yes" if test.constant else "no",
        )
        for one in audit.splits
        for name, test in one.tests.items()
    )  # fmt: skip
    return Table("false positives of every test", head, rows)
