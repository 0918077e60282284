"""The section: Does the conclusion hang on failed or single seeds?"""

from collections import Counter
from collections.abc import Iterator, Sequence

from rlaudit.figures.failures import CHANGES
from rlaudit.report.parts import (
    Cell,
    FigureHtml,
    Rows,
    SectionHtml,
    Table,
    figure,
    level,
    on_task,
    shares,
)  # fmt: skip
from rlaudit.results import Arm, Audit, Carrier, FailureAudit, PairAudit, StuckRuns
from rlaudit.wording import interval, listed, name_of, number, p_text, percent

_DRAWN_PAIRS = 2
_DRAWN_STUCK = 2  # agents
_DRAWN_ARMS = 8  # of one task
_NAMED = 4  # agents in a sentence
_REASONS = 3  # in a sentence


def what_carries(audit: Audit) -> SectionHtml | None:
    """Failed seeds, stuck runs, outliers, and the one seed; None for an audit that was made before this was asked."""
    if not audit.failures:
        return None
    return SectionHtml(
        "what-carries",
        "Does the conclusion hang on failed or single seeds?",
        tuple(_sentences(audit)),
        tuple(_figures(audit)),
        tuple(_tables(audit)),
        tuple(_methods(audit)),
    )


def _pair(audit: Audit, one: Carrier) -> PairAudit:
    return next(pair for pair in audit.comparisons if (pair.a, pair.b, pair.task) == (one.a, one.b, one.task))


def _versus(audit: Audit, one: Carrier) -> str:
    return on_task(audit, f"{one.a} against {one.b}", one.task)


def _seed(one: Carrier) -> str:
    return f"seed {one.seed} of {one.agent or 'both'}"


# ---------------------------------------------------------------- the answer


def _sentences(audit: Audit) -> Iterator[str]:
    yield from _on_one_seed(audit)
    yield _failed(audit)
    yield from _stuck(audit)
    yield from _outliers(audit)


def _on_one_seed(audit: Audit) -> Iterator[str]:
    if not audit.carriers:
        return
    decided = [one for one in audit.carriers if _pair(audit, one).verdict.has_winner]
    fragile = [one for one in decided if one.turns]
    if fragile:
        one, do = max(fragile, key=lambda each: each.p_without), "does" if len(fragile) == 1 else "do"
        yield (
            f"{'Yes' if len(decided) == 1 else f'{len(fragile)} of {len(decided)} verdicts {do}'}: "
            f"{_versus(audit, one)} is decided with all seeds ({p_text(one.p_value)}), but not without {_seed(one)}, "
            f"whose score is {number(one.score)} ({p_text(one.p_without)})."
        )
    elif decided:
        one = max(decided, key=lambda each: each.p_without)
        yield (
            f"No verdict{f' of {len(decided)}' if len(decided) > 1 else ''} hangs on one seed. Nearest to it is "
            f"{_versus(audit, one)}: without {_seed(one)} the difference is {number(one.effect_without)} instead of "
            f"{number(one.effect)}, {p_text(one.p_without)}."
        )
    else:
        yield "No comparison is decided, so that there is no verdict that could hang on one seed."
    nearly = [one for one in audit.carriers if one.turns and one not in decided]
    if nearly:
        one = min(nearly, key=lambda each: each.p_without)
        yield (
            f"Undecided, but decided without one well-chosen seed: {len(nearly)} of "
            f"{len(audit.carriers) - len(decided)}, such as {_versus(audit, one)} without {_seed(one)} "
            f"({p_text(one.p_without)}). A seed chosen for that is no evidence."
        )


def _failed(audit: Audit) -> str:
    failed = [one for one in audit.failures if one.n_failed]
    if not failed:
        fewest = min(audit.failures, key=lambda one: one.n)
        return (
            f"No seed failed. {fewest.n} seeds an agent still allow a failure rate of up to {percent(fewest.high)} "
            f"(95 % bound){'; 59 would bring it to 5 %' if fewest.n < 59 else ''}."
        )
    worst = sorted(failed, key=lambda one: -one.n_failed / one.n)
    more = f" {len(worst) - _NAMED} more are in the table." if len(worst) > _NAMED else ""
    return "Failed: " + "; ".join(_failed_words(audit, one) for one in worst[:_NAMED]) + f".{more}{_reasons(failed)}"


def _reasons(failed: Sequence[FailureAudit]) -> str:
    """The most frequent first; which seed had which stands in the table."""
    reasons = Counter(run.reason for one in failed for run in one.failed if run.reason).most_common()
    if not reasons:
        return ""
    said = [f"{reason} ({_seeds(n)})" for reason, n in reasons[:_REASONS]]
    others = len(reasons) - _REASONS
    more = f"; and {others} other {'reason' if others == 1 else 'reasons'}, which the table has" if others > 0 else ""
    return f" Why: {'; '.join(said)}{more}."


def _seeds(n: int) -> str:
    return "1 seed" if n == 1 else f"{n} seeds"


def _failed_words(audit: Audit, one: FailureAudit) -> str:
    means = (
        f", mean {number(one.mean)} without them, {number(one.mean_imputed)} with each at the worst score of the task "
        f"({number(one.floor)})"
        if one.mean is not None and one.floor is not None
        else ""
    )
    return (
        f"{one.n_failed} of {one.n} seeds of {on_task(audit, one.agent, one.task)} (rate {shares(one.low, one.high)})"
        f"{means}"
    )


def _stuck(audit: Audit) -> Iterator[str]:
    stuck = _with_stuck(audit)
    for one, found in stuck[:_NAMED]:
        n, k = one.n - one.n_failed, len(found.runs)
        explained = (
            f" {'It explains' if k == 1 else 'They explain'} {percent(found.share)} of the variance between seeds, "
            f"where the worst {k} of {n} normal seeds explain {percent(found.share_by_chance)}."
            if found.share is not None
            else ""
        )
        yield (
            f"{k} of {n} runs of {on_task(audit, one.agent, one.task)} finished, but fell behind in the first half of "
            f"training and never came back.{explained} Mean with them {number(one.mean)}, without "
            f"{number(found.mean_others)}."
        )
    if not stuck and any(one.curves_seen for one in audit.failures):
        yield "By their learning curves no run fell behind early and stayed there."
    if not any(one.curves_seen for one in audit.failures):
        yield "There are no learning curves (or too few) to see runs that fell behind early."


def _with_stuck(audit: Audit) -> list[tuple[FailureAudit, StuckRuns]]:
    """That whose spread they explain most first."""
    found = [(one, one.stuck) for one in audit.failures if one.stuck]
    return sorted(found, key=lambda item: -(item[1].share or 0))


def _outliers(audit: Audit) -> Iterator[str]:
    far = sorted((one for one in audit.failures if one.outliers), key=lambda one: -abs(one.outliers[0].distance))
    for one in far[:_NAMED]:
        first, k = one.outliers[0], len(one.outliers)
        curve = (
            f", although its learning curve ends among the others at {number(first.curve_end)}"
            if first.only_final
            else ""
        )
        count = f"Outliers of {on_task(audit, one.agent, one.task)}: {k}, the farthest" if k > 1 else "Outlier:"
        whose = "" if k > 1 else f" of {on_task(audit, one.agent, one.task)}"
        yield (
            f"{count} seed {first.seed}{whose} with {number(first.score)}, {number(abs(first.distance), 2)} robust "
            f"standard deviations from the median{curve}. Without {'them' if k > 1 else 'it'} the mean is "
            f"{number(one.mean_without_outliers)} instead of {number(one.mean)}, the standard deviation "
            f"{number(one.sd_without_outliers)} instead of {number(one.sd)}."
        )
    if len(far) > _NAMED:
        yield f"Outliers are also among the seeds of {len(far) - _NAMED} more agents and tasks; the table has them."


# ---------------------------------------------------------------- figures


def _figures(audit: Audit) -> Iterator[FigureHtml]:
    for place, one in enumerate(_most_telling(audit)[:_DRAWN_PAIRS]):
        words = "; ".join(f"{row[3]}: {row[4]} {row[5]}, {p_text(row[7])}" for row in _redone_rows(audit, one))
        red = " Red: the verdict turns." if one.turns or any(other.turns for other in one.others) else ""
        title = f"{_versus(audit, one)} with all seeds and without some. {words}."
        caption = (
            f"{_versus(audit, one)}: the difference of the means with its {level(audit)} interval, and p, with all "
            "seeds and with some of them changed; the second row is without the seed that moves p most. An interval "
            f"across the line at 0 does not tell the agents apart.{red}"
        )
        yield figure("without_seeds", str(place), title, _pair(audit, one), one, caption=caption, wide=True)
    for place, (agent, stuck) in enumerate(_with_stuck(audit)[:_DRAWN_STUCK]):
        yield _stuck_figure(audit, str(place), agent, stuck)
    yield from _strip(audit)


def _most_telling(audit: Audit) -> list[Carrier]:
    """Pairs that turn first, those whose verdict is at stake before the others; then those with more to leave out."""

    def weight(one: Carrier) -> tuple[bool, bool, bool, int, float]:
        decided, turns = _pair(audit, one).verdict.has_winner, any(other.turns for other in one.others)
        nearer = abs(one.p_value - audit.alpha)
        return not (decided and one.turns), not turns, not decided, -len(one.others), nearer

    return sorted(audit.carriers, key=weight)


def _stuck_figure(audit: Audit, key: str, one: FailureAudit, stuck: StuckRuns) -> FigureHtml:
    ends = "; ".join(f"seed {run.seed} from step {run.since:,} on, score {number(run.score)}" for run in stuck.runs)
    title = (
        f"Learning curves of {len(stuck.runs)} stuck runs of {one.agent}: {ends}. The others end at "
        f"{number(stuck.others[-1])}."
    )
    caption = (
        f"{on_task(audit, one.agent, one.task)}: each line with triangles is a stuck run. The band is where one more "
        "run like the others is expected, the line in it their mean."
    )
    return figure("stuck_runs", key, title, audit.arm(one.agent, one.task), one, caption=caption)


def _strip(audit: Audit) -> Iterator[FigureHtml]:
    """The seeds of the task that has most to show; none where no seed stands apart."""
    apart = {(one.agent, one.task): one for one in audit.failures if one.n_failed or one.stuck or one.outliers}
    counts: dict[str, int] = {}
    for _, task in apart:
        counts[task] = counts.get(task, 0) + 1
    if not counts:
        return
    task = max(counts, key=lambda name: counts[name])
    arms = [arm for arm in audit.arms if arm.task == task]
    arms.sort(key=lambda arm: (arm.agent, arm.task) not in apart)
    title = (
        f"Seeds of {task or 'all agents'}. " + "; ".join(_strip_words(arm, audit) for arm in arms[:_DRAWN_ARMS]) + "."
    )
    caption = f"Every seed{f' on {task}' if task else ''}; those that stand apart have marks of their own."
    yield figure("seeds_apart", "task", title, arms[:_DRAWN_ARMS], audit.failures, caption=caption, wide=True)


def _strip_words(arm: Arm, audit: Audit) -> str:
    one = next((one for one in audit.failures if (one.agent, one.task) == (arm.agent, arm.task)), None)
    stuck, far = (len(one.stuck.runs) if one and one.stuck else 0), (len(one.outliers) if one else 0)
    return f"{arm.agent}: {arm.n_seeds} finished, {arm.n_failed} failed, {stuck} stuck, {far} outliers"


# ---------------------------------------------------------------- tables and method


def _tables(audit: Audit) -> Iterator[Table]:
    head = (
        "agent", "task", "seeds", "failed", "failure rate, 95 %", "mean of the finished", "mean, failed at the worst",
        "stuck", "variance they explain", "as many by chance", "outliers", "mean without", "sd", "sd without",
    )  # fmt: skip
    yield Table("seeds that stand apart", head, tuple(_arm_row(one) for one in audit.failures))
    whys: Rows = tuple((one.agent, one.task, run.seed, run.reason) for one in audit.failures for run in one.failed)
    if whys:
        yield Table("seeds that failed", ("agent", "task", "seed", "the last line of its error"), whys)
    rows: Rows = tuple(row for one in _most_telling(audit) for row in _redone_rows(audit, one))
    if rows:
        columns = ("A", "B", "task", "seeds", "A − B", f"{level(audit)} interval", "in sd", "p", "verdict turns")
        yield Table("comparisons with some seeds changed", columns, rows)


def _arm_row(one: FailureAudit) -> tuple[Cell, ...]:
    stuck = one.stuck
    return (
        one.agent, one.task, one.n, one.n_failed, shares(one.low, one.high), one.mean, one.mean_imputed,
        listed(run.seed for run in stuck.runs) if stuck else "" if one.curves_seen else None,
        percent(stuck.share) if stuck else None, percent(stuck.share_by_chance) if stuck else None,
        listed(seed.seed for seed in one.outliers) if one.reach is not None else None,
        one.mean_without_outliers, one.sd, one.sd_without_outliers,
    )  # fmt: skip


def _redone_rows(
    audit: Audit, one: Carrier
) -> Iterator[tuple[str, str, str, str, float, str, float | None, float, str]]:
    pair = _pair(audit, one)
    result = pair.tests[pair.decided_by]
    low, high = (pair.low, pair.high) if one.agent else (result.low, result.high)
    names = (one.a, one.b, one.task)
    yield (*names, "all", one.effect, interval(low, high), pair.cohen_d, one.p_value, "")
    yield (
        *names, f"without {_seed(one)}", one.effect_without, interval(one.low_without, one.high_without),
        one.cohen_d_without, one.p_without, _yes(one.turns),
    )  # fmt: skip
    for other in one.others:
        yield (
            *names, CHANGES[other.change, other.n_changed == 1].format(n=other.n_changed), other.effect,
            interval(other.low, other.high), other.cohen_d, other.p_value, _yes(other.turns),
        )  # fmt: skip


def _yes(turns: bool) -> str:
    return "yes" if turns else "no"


def _methods(audit: Audit) -> Iterator[str]:
    yield (
        "Failure rate: Clopper-Pearson; without a failure the one-sided 95 % bound. Outliers: farther from the median "
        "than 99 of 100 agents with as many normal seeds have any, in units of the median absolute deviation (Davies & "
        "Gather 1993); 8 seeds or more. Skewed and long-tailed scores have more of them: an outlier is no error."
    )
    yield (
        "Stuck (after Bjorck et al. 2022): from the first half of training to its end less than half the progress that "
        "the median run made since the first evaluation, below the prediction bound of the other runs (5 % for all "
        "runs together), and a quarter of that progress away from each of them. Runs that a ceiling cuts off can look "
        "like it. Where half of the runs or more are stuck the rule sees none."
    )
    if audit.carriers:
        test = name_of(_pair(audit, audit.carriers[0]).decided_by)
        yield (
            f"The one seed: {test} again without each seed (where that is no t test: of more than 20 seeds the eight "
            "that move the t test most, for the 100 comparisons nearest to alpha); shown is the seed that moves p most "
            "to the other side. A verdict turns if its p, corrected for all comparisons, changes sides. For normal "
            "seeds (5 to 50 an agent, alpha = 0.05) nearly all results with p above 0.03 turn so, and hardly any with "
            "p below 0.01."
        )
