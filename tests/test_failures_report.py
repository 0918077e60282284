"""What findings, section and figures say of failed seeds, stuck runs, outliers and the one seed."""

import re
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from audit_builder import HOSTILE, build_audit, odd_audits
from matplotlib.backends.backend_agg import FigureCanvasAgg

from rlaudit.figures import FIGURES
from rlaudit.findings.failures import failures, outliers, single_seeds, stuck_runs
from rlaudit.report.failures import what_carries
from rlaudit.report.parts import SectionHtml
from rlaudit.results import (
    Arm,
    Audit,
    Carrier,
    FailedRun,
    FailureAudit,
    Outlier,
    PairAudit,
    Redone,
    StuckRun,
    StuckRuns,
    from_json,
    to_json,
)  # fmt: skip
from rlaudit.types import Finding, Level, Verdict

RULES = (failures, single_seeds, stuck_runs, outliers)


def failure_audit(arm: Arm, **changes: Any) -> FailureAudit:
    fields: dict[str, Any] = {
        "agent": arm.agent, "task": arm.task, "n": arm.n_seeds + arm.n_failed, "n_failed": arm.n_failed,
        "low": arm.failure_low, "high": arm.failure_high, "mean": arm.mean, "mean_imputed": arm.mean,
        "floor": min(arm.scores, default=None), "curves_seen": True, "reach": 5.3, "sd": arm.sd,
    }  # fmt: skip
    return FailureAudit(**{**fields, **changes})


def stuck_of(arm: Arm, n: int = 3, since: int = 5000) -> StuckRuns:
    steps = tuple(range(5000, 50_001, 5000))
    runs = tuple(StuckRun(seed, 9.0, since, (None, *[9.0 + i] * 9)) for i, seed in enumerate(arm.seeds[:n]))
    return StuckRuns(runs, 0.71, 0.43, arm.mean, steps, (50.0, *[200.0] * 9), (None, *[60.0] * 9))


def far_of(arm: Arm, n: int = 1, only_final: bool = False) -> dict[str, Any]:
    found = tuple(Outlier(seed, -566.0, -25.0 + i, 310.0, only_final) for i, seed in enumerate(arm.seeds[-n:]))
    return {"outliers": found, "mean_without_outliers": 312.0, "sd_without_outliers": 20.0}


def carrier_of(pair: PairAudit, arm: Arm, turns: bool = False, others: tuple[Redone, ...] = ()) -> Carrier:
    return Carrier(
        a=pair.a, b=pair.b, task=pair.task, agent=arm.agent, seed=arm.seeds[0], score=arm.scores[0],
        effect=pair.effect or 0.0, effect_without=1.5, low_without=-3.0, high_without=None, p_value=0.04,
        p_without=0.08 if turns else 0.045, cohen_d_without=None, turns=turns, others=others,
    )  # fmt: skip


def with_all(audit: Audit, **changes: Any) -> Audit:
    """Everything stands apart, in every agent that has seeds."""
    found = []
    for arm in audit.arms:
        mine = {"stuck": stuck_of(arm), **far_of(arm, 2)} if arm.n_seeds > 5 else {}
        found.append(failure_audit(arm, **{**mine, **changes}))
    redone = tuple(
        Redone(change, 1 + i, 2.0, None, 7.0, 0.2, bool(i % 2), None)
        for i, change in enumerate(("farthest outlier", "outliers", "stuck", "failed"))
    )
    pairs = [(pair, audit.arm(pair.a, pair.task)) for pair in audit.comparisons]
    carried = tuple(carrier_of(pair, arm, bool(i % 2), redone) for i, (pair, arm) in enumerate(pairs) if arm.seeds)
    return replace(audit, failures=tuple(found), carriers=carried)


def bare(audit: Audit) -> Audit:
    """Every number that may be None is None."""
    none = dict.fromkeys(("low", "high", "mean", "mean_imputed", "floor", "reach", "sd"))
    stuck = [replace(stuck_of(arm, 1), share=None, mean_others=None, others=(None,) * 10, edge=(None,) * 10,
                     runs=(StuckRun("x", 1.0, 1000, (None,) * 10),)) if arm.seeds else None
             for arm in audit.arms]  # fmt: skip
    found = [failure_audit(arm, **none, stuck=one) for arm, one in zip(audit.arms, stuck, strict=True)]
    carried = [
        replace(carrier_of(pair, audit.arm(pair.a, pair.task)), low_without=None, agent="")
        for pair in audit.comparisons
    ]
    return replace(audit, failures=tuple(found), carriers=tuple(carried))


def decided(audit: Audit) -> Audit:
    pairs = tuple(replace(pair, verdict=Verdict.A_BETTER) for pair in audit.comparisons)
    return replace(audit, comparisons=pairs)


def section(audit: Audit) -> SectionHtml:
    found = what_carries(audit)
    assert found
    return found


def said(audit: Audit) -> str:
    return " ".join(section(audit).answer)


def found_by(rule: Any, audit: Audit) -> list[Finding]:
    return list(rule(audit))


ODD = {
    f"{name}, {kind}": make(audit)
    for (name, audit), (kind, make) in product(
        odd_audits().items(), {"everything": with_all, "nothing known": bare}.items()
    )
}


# ---------------------------------------------------------------- nothing breaks


@pytest.mark.parametrize("case", ODD)
def test_every_odd_audit_has_a_section_and_findings_in_whole_sentences(case: str) -> None:
    made = section(ODD[case])
    texts = [*made.answer, *made.method]
    for rule in RULES:
        found = found_by(rule, ODD[case])
        assert len(found) <= 6
        assert all(finding.evidence and finding.next_step for finding in found)
        texts += [finding.sentence for finding in found]
    assert made.answer
    assert made.figures or case.endswith("nothing known")
    for text in texts:
        assert text.endswith(".")
        assert not re.search(r"\b(None|nan|inf)\b", text)


def test_an_audit_made_before_this_was_asked_has_no_section() -> None:
    assert what_carries(replace(build_audit(), failures=())) is None


def test_audits_with_these_nouns_come_back_from_json() -> None:
    audit = with_all(build_audit(n_failed=2))
    assert audit == from_json(to_json(audit))


def test_hostile_names_reach_the_figures_as_text_alone() -> None:
    audit = with_all(build_audit(HOSTILE, n_failed=2))
    assert not any("<script" in figure.svg for figure in section(audit).figures)


def test_many_agents_and_tasks_stay_a_few_sentences_and_pictures() -> None:
    audit = with_all(build_audit([f"agent{i}" for i in range(6)], tasks=["one", "two"], n_failed=2, curves=False))
    assert len(section(audit).figures) <= 5
    assert len(section(audit).answer) <= 12
    for rule in (single_seeds, stuck_runs, outliers):
        assert len(found_by(rule, audit)) <= 3
    assert "In all, 12 agents and tasks have stuck runs." in found_by(stuck_runs, audit)[-1].sentence


# ---------------------------------------------------------------- what is said


def plain(**changes: Any) -> Audit:
    """Two agents, of which the first one has what is asked for."""
    audit = build_audit()
    first, second = audit.arms
    return replace(audit, failures=(failure_audit(first, **changes), failure_audit(second)), carriers=())


def test_where_nothing_stands_apart_the_section_says_so_with_the_bound() -> None:
    audit = plain()
    assert "No seed failed. 20 seeds an agent still allow a failure rate of up to" in said(audit)
    assert "no run fell behind early" in said(audit)
    assert () == section(audit).figures


def test_why_seeds_failed_is_said_and_each_is_named_in_the_table() -> None:
    audit = build_audit(n_failed=5)
    reasons = ["TimeoutError: stopped after 9 s", "MemoryError: <b>", "KeyError: 1", "KeyError: 2"]
    failed = tuple(FailedRun(seed, reason) for seed, reason in enumerate([*reasons[:1], *reasons]))
    first, second = audit.arms
    told = replace(audit, failures=(failure_audit(first, failed=failed), failure_audit(second)), carriers=())
    assert (
        " Why: TimeoutError: stopped after 9 s (2 seeds); MemoryError: <b> (1 seed); KeyError: 1 (1 seed); "
        "and 1 other reason, which the table has."
    ) in said(told)
    assert " Most often: TimeoutError: stopped after 9 s (2 of 5)." in found_by(failures, told)[0].sentence
    assert "Most often" not in found_by(failures, with_all(audit))[0].sentence
    (table,) = [table for table in section(told).tables if table.caption == "seeds that failed"]
    assert (first.agent, first.task, 4, "KeyError: 2") == table.rows[-1]
    assert told == from_json(to_json(told))
    assert "Why" not in said(with_all(audit))


def test_without_curves_nothing_is_said_of_stuck_runs() -> None:
    audit = build_audit()
    blind = replace(audit, failures=tuple(failure_audit(arm, curves_seen=False) for arm in audit.arms))
    assert "no learning curves" in said(blind)
    assert "fell behind early and stayed" not in said(blind)


def test_stuck_runs_are_counted_named_and_held_against_chance() -> None:
    arm = build_audit().arms[0]
    (finding,) = found_by(stuck_runs, plain(stuck=stuck_of(arm, since=20_000)))
    assert Level.WARN == finding.level
    assert "3 of 20 runs of a2c on CartPole-v1 (seeds 100, 101 and 102) finished, but fell behind at step 20,000" in (
        finding.sentence
    )
    assert "less than half the progress that the median run made since the first evaluation. They" in finding.sentence
    assert "They explain 71 % of the variance between seeds (the worst 3 of 20 normal seeds would explain 43 %)" in (
        finding.sentence
    )


def test_runs_that_are_behind_from_the_start_never_got_off_the_ground() -> None:
    arm = build_audit().arms[0]
    (finding,) = found_by(stuck_runs, plain(stuck=stuck_of(arm, 1, since=1000)))
    assert "1 of 20 runs" in finding.sentence
    assert "never got off the ground" in finding.sentence
    assert "Without it the mean" in finding.sentence


def test_an_outlier_whose_training_went_well_is_laid_to_its_evaluation() -> None:
    arm = build_audit().arms[0]
    (finding,) = found_by(outliers, plain(**far_of(arm, 1, only_final=True)))
    assert "Seed 119 of a2c on CartPole-v1 scores -566, 25 robust standard deviations below the median" in (
        finding.sentence
    )
    assert "it is the final evaluation that stands apart, not the training" in finding.sentence
    (finding,) = found_by(outliers, plain(**far_of(arm, 2)))
    assert "not the training" not in finding.sentence
    assert "1 more lies beyond the same bound" in finding.sentence


def test_a_decided_verdict_that_turns_without_one_seed_is_fragile() -> None:
    audit = decided(plain())
    carried = carrier_of(audit.comparisons[0], audit.arms[0], turns=True)
    audit = replace(audit, carriers=(carried,))
    (finding,) = found_by(single_seeds, audit)
    assert Level.WARN == finding.level
    assert "is decided with all seeds (p = 0.040), but not without seed 100 of a2c" in finding.sentence
    assert "that is the rule, and says nothing against this seed" in finding.sentence
    (rare,) = found_by(single_seeds, replace(audit, carriers=(replace(carried, p_value=0.003),)))
    assert "that is rare: look at this seed" in rare.sentence
    assert said(audit).startswith("Yes: a2c against a2c-norm")
    several = replace(audit, comparisons=(*audit.comparisons, replace(audit.comparisons[0], task="other")))
    assert "before the correction for 2 comparisons" in found_by(single_seeds, several)[0].sentence


def test_a_verdict_that_no_seed_turns_is_ok() -> None:
    audit = decided(plain())
    audit = replace(audit, carriers=(carrier_of(audit.comparisons[0], audit.arms[0]),))
    (finding,) = found_by(single_seeds, audit)
    assert Level.OK == finding.level
    assert said(audit).startswith("No verdict hangs on one seed")


def test_an_undecided_pair_that_one_seed_less_decides_is_no_finding_and_no_evidence() -> None:
    audit = plain()
    pair = replace(audit.comparisons[0], verdict=Verdict.UNDECIDED)
    carried = carrier_of(pair, audit.arms[0], turns=True)
    audit = replace(audit, comparisons=(pair,), carriers=(carried,))
    assert [] == found_by(single_seeds, audit)
    assert "A seed chosen for that is no evidence." in said(audit)


def test_pairs_of_seeds_are_called_by_both() -> None:
    audit = decided(plain())
    carried = replace(carrier_of(audit.comparisons[0], audit.arms[0], turns=True), agent="")
    (finding,) = found_by(single_seeds, replace(audit, carriers=(carried,)))
    assert "not without seed 100 of both" in finding.sentence


def test_leaving_out_what_stands_apart_is_said_to_turn_or_not_to_turn() -> None:
    audit = plain(**far_of(build_audit().arms[0]))
    pair, arm = audit.comparisons[0], audit.arms[0]
    for turns, words in ((True, "turns the verdict on a2c against a2c-norm"), (False, "turns no verdict")):
        redone = Redone("outliers", 1, 2.0, None, None, 0.2, turns, 1.09)
        changed = replace(audit, carriers=(carrier_of(pair, arm, others=(redone,)),))
        (finding,) = found_by(outliers, changed)
        assert words in finding.sentence
        assert (
            "Without this seed alone the difference of a2c and a2c-norm is 1.09 standard deviations" in finding.sentence
        )


def test_failed_seeds_are_shown_dropped_and_imputed() -> None:
    audit = build_audit(n_failed=3)
    audit = replace(
        audit, carriers=(), failures=tuple(failure_audit(arm, mean_imputed=200.0, floor=9.0) for arm in audit.arms)
    )
    assert "Failed: 3 of 23 seeds of a2c (rate 2.8 % to 34 %), mean" in said(audit)
    assert "200 with each at the worst score of the task (9.00)" in said(audit)
    assert [(23, 3), (23, 3)] == [row[2:4] for row in section(audit).tables[0].rows]
    (strip,) = section(audit).figures
    assert "failed, put at the worst score of the task" in strip.svg


def test_the_figure_of_a_pair_marks_in_words_what_turns() -> None:
    audit = with_all(plain())
    svg = section(audit).figures[0].svg
    assert "without seed 100 of a2c" in svg
    assert 2 == svg.count("the verdict turns")
    assert "without all 2 outliers" in svg
    assert "4 failed seeds as the worst score" in svg
    assert "all that finished" in svg


def test_names_of_outliers_overlap_neither_each_other_nor_the_name_of_the_agent() -> None:
    """As in the 192 SAC runs of Colas et al. 2019: one seed at the left edge, several close together."""
    (arm,) = build_audit(["SAC"]).arms
    far = (-566.0, 7700.0, 7750.0)
    scores = (*far, *np.linspace(11_000, 13_000, arm.n_seeds - len(far)))
    arm = replace(arm, scores=scores)
    found = tuple(Outlier(seed, score, -9.0, None) for seed, score in zip(arm.seeds, far, strict=False))
    figure = FIGURES["seeds_apart"]([arm], [failure_audit(arm, outliers=found)])
    FigureCanvasAgg(figure).draw()
    (ax,) = figure.axes
    boxes = [text.get_window_extent() for text in [*ax.texts, *ax.get_yticklabels()]]
    assert 3 == len(boxes)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
