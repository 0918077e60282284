"""Numbers as people read them, the same in the terminal, in the report and in messages."""

from collections.abc import Iterable, Sequence
from math import floor, isinf, log10
from unicodedata import category

TEST_NAMES = {
    "welch": "Welch's t test",
    "student": "Student's t test",
    "yuen": "Yuen's trimmed t test",
    "permutation": "the permutation test",
    "permutation_studentised": "the studentised permutation test",
    "bootstrap_percentile": "the percentile bootstrap",
    "bootstrap_pivotal": "the pivotal bootstrap",
    "bootstrap_expanded": "the expanded bootstrap",
    "bootstrap_t": "the bootstrap-t",
    "bootstrap_bca": "the BCa bootstrap",
    "mann_whitney": "the Mann-Whitney test",
    "brunner_munzel": "the Brunner-Munzel test",
    "rank_t": "the t test on ranks",
    "kolmogorov_smirnov": "the Kolmogorov-Smirnov test",
    "almost_stochastic_order": "the almost stochastic order",
    "paired_t": "the paired t test",
    "sign_flip": "the sign-flip test",
    "paired_bootstrap": "the paired bootstrap",
    # where seeds were added
    "group_sequential": "the group-sequential permutation test",
    "anytime": "the anytime-valid test",
}


_LABELS = {
    "welch": "Welch",
    "student": "Student",
    "yuen": "Yuen",
    "bootstrap_t": "bootstrap-t",
    "bootstrap_bca": "bootstrap BCa",
    "mann_whitney": "Mann-Whitney",
    "brunner_munzel": "Brunner-Munzel",
    "rank_t": "t on ranks",
    "group_sequential": "group-sequential permutation",
    "anytime": "anytime-valid",
    "kolmogorov_smirnov": "Kolmogorov-Smirnov",
    # streams of random numbers
    "init": "initial weights",
    "env": "environment",
    "algo": "sampling",
    # habits of concluding
    "mean_higher": "the better mean wins",
    "top_run": "the best single run wins",
    "error_bars_se": "bars of ± 1 SE do not overlap",
    "error_bars_sd": "bars of ± 1 sd do not overlap",
    "error_bars_ci": "intervals of the means do not overlap",
    "best_k_of_n": "the better half of the runs",
    "adding_seeds": "adding seeds until p < alpha",
    "per_point": "any point of the learning curve",
    "evaluations_as_samples": "evaluations counted as samples",
    "best_checkpoint": "best checkpoint against the last",
    "choose_metric": "choosing the metric afterwards",
    "choose_task": "choosing the task afterwards",
    "tune_and_report": "tuned and reported on the same seeds",
}


def label_of(test: str) -> str:
    """How a table or a figure calls a test or a habit."""
    return _LABELS.get(test, test.replace("_", " "))


def name_of(test: str, *, capital: bool = False) -> str:
    """How a sentence calls a test of the registry."""
    name = TEST_NAMES.get(test, test)
    return name[0].upper() + name[1:] if capital else name


def on(task: str) -> str:
    """` on CartPole-v1`; nothing where a table names no task."""
    return f" on {task}" if task else ""


def number(value: float | None, digits: int = 3) -> str:
    """At least `digits` significant digits, no exponent between 0.001 and 1,000,000: 57.2, 11,920, 0.0314."""
    if value is None:
        return "n/a"
    if value == 0 or isinf(value):
        return f"{value:g}"
    size = floor(log10(abs(value)))
    if not -4 < size < 9:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(0, digits - 1 - size)}f}"


def percent(share: float | None) -> str:
    """`21 %`; `2.4 %` below ten; never a bare 0 or 100 for what is not exactly that."""
    if share is None:
        return "n/a"
    value = 100 * share
    if 0 < value < 0.1:
        return "under 0.1 %"
    if 99.9 < value < 100:
        return "over 99.9 %"
    fine = 0 < value < 9.95 or 99.5 <= value < 100
    return f"{value:.1f} %" if fine else f"{value:.0f} %"


def signed_percent(share: float | None) -> str:
    """`−20 %`: of a share that may come out below zero."""
    return f"−{percent(-share)}" if share is not None and share < 0 else percent(share)


def more_seeds(n: float | None) -> str:
    """`2.4 more seeds`: never a small part of a seed, which nobody can train."""
    return "less than one more seed" if n is not None and n < 1 else f"{number(n, 2)} more seeds"


def p_text(p: float | None) -> str:
    """`p = 0.075`, `p < 0.001`; never rounded across a usual level: 0.0499 does not become 0.05."""
    if p is None:
        return "no p-value"
    if p < 0.001:
        return "p < 0.001"
    digits = 2 if p >= 0.1 else 3
    while any(
        (round(p, digits) >= level) != (p >= level) or round(p, digits) == level != p for level in (0.01, 0.05, 0.1)
    ):
        digits += 1
    return f"p = {p:.{digits}f}"


def evidence_text(p_value: float | None, e_value: float | None) -> str:
    """`p = 0.004`, or `e = 31` where a look weighs evidence."""
    return p_text(p_value) if e_value is None else f"e = {number(e_value)}"


def look_says(state: str, a: str, b: str) -> str:
    """What a look says of a pair of agents: `ppo is better than a2c`."""
    return {
        "a_better": f"{a} is better than {b}",
        "b_better": f"{b} is better than {a}",
        "open": f"{a} against {b} goes on",
        "futile": f"{a} against {b} is given up, undecided",
        "undecided": f"{a} against {b} stays undecided",
    }[state]


def interval(low: float | None, high: float | None) -> str:
    """`[-6.1, 120]`; an end that cannot be said is infinite. "none": no value fits, as a test of shifts may find."""
    if low is not None and high is not None and low > high:
        return "none"
    ends = (number(low) if low is not None else "-inf", number(high) if high is not None else "inf")
    return f"[{ends[0]}, {ends[1]}]"


def sentence(text: str) -> str:
    """A capital in front, unless a name stands there, and a full stop behind."""
    first = text.partition(" ")[0].rstrip(",;:")
    start = text[:1].upper() if first.isalpha() else text[:1]
    return f"{start}{text[1:]}" + ("" if text.endswith((".", "?", "!")) else ".")


def listed(words: Iterable[object], join: str = "and") -> str:
    """`a, b and c`."""
    *most, last = [str(word) for word in words] or [""]
    return f"{', '.join(most)} {join} {last}" if most else last


def several(names: Sequence[str], most: int = 6) -> str:
    """`a, b and c`; of more than `most` the first ones and how many more."""
    return listed(names if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"])


def first_of(names: Sequence[object], most: int) -> str:
    """`a, b, ...`: at most so many, and whether there are more."""
    return ", ".join(map(str, names[:most])) + (", ..." if len(names) > most else "")


def is_are(n: int) -> str:
    """`1 is`, `2 are`."""
    return "is" if n == 1 else "are"


def decided_of(n: int, n_open: int, noun: str) -> str:
    """`2 of 3 pairs are decided, 1 is not`; in words where all are, or none is."""
    if n_open in (0, n):
        return f"Not one of {n} {noun}s is decided" if n_open else f"All {n} {noun}s are decided"
    return f"{n - n_open} of {n} {noun}s {is_are(n - n_open)} decided, {n_open} {is_are(n_open)} not"


_METRICS = {
    "final": "the final evaluation",
    "last": "the last evaluation",
    "auc": "the area under the curve",
    "best": "the best evaluation",
}


def metric_name(metric: str, until: float = 1.0, *, capital: bool = False) -> str:
    """How a sentence calls a score, and the part of the training that it looks at."""
    last = metric.removeprefix("last ")
    name = f"the mean of the last {last} evaluations" if last.isdecimal() else _METRICS.get(metric, metric)
    name = name if until == 1 else f"{name} in the first {percent(until)} of training"
    return name[:1].upper() + name[1:] if capital else name


_TICKET_ARMS = {
    "dense": "no mask",
    "again": "no mask on the same weights",
    "ticket": "the ticket",
    "new weights": "its mask on new weights",
    "permuted mask": "its mask permuted",
    "random mask": "a random mask on new weights",
}


def ticket_arm(name: str) -> str:
    """How a sentence calls what an arm of the experiment `tickets` was trained with."""
    return _TICKET_ARMS[name]


def carried(text: str) -> str:
    """A stranger's text as every file can carry it: what has no place in XML or UTF-8 becomes its escape.

    Control codes but for line ends and tabs, and bytes of file names that are no UTF-8: "\\x1b", "\\udcff".
    """
    if text.isprintable():
        return text
    return "".join(char if char in "\n\t" or category(char)[0] != "C" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char if category(char) == "Cf" else char.encode("unicode_escape").decode()  # Cf: joiners, marks of direction
