"""Metric sensitivity and evaluation noise in words and pictures: for every odd audit, never more than known."""

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from audit_builder import HOSTILE, build_audit, odd_audits

from rlaudit.figures import FIGURES, to_svg
from rlaudit.findings.evaluation import evaluation_noise as noise_rule
from rlaudit.findings.metrics import metric_choice as metric_rule
from rlaudit.report import render
from rlaudit.report.evaluation import evaluation_noise
from rlaudit.report.metrics import metric_choice
from rlaudit.report.parts import SectionHtml
from rlaudit.results import Audit, EvaluationNoise, MetricChoice, MetricView, from_json, to_json
from rlaudit.types import Finding, Level, Verdict
from rlaudit.wording import metric_name

A, B, NONE = Verdict.A_BETTER, Verdict.B_BETTER, Verdict.UNDECIDED
GRID = [(name, until) for until in (0.25, 0.5, 0.75, 1.0) for name in ("last", "last 5", "last 10", "auc", "best")]


def view(metric: str = "final", until: float = 1.0, verdict: Verdict = NONE, **changes: Any) -> MetricView:
    gain = {A: 1.1, B: -1.1}.get(verdict, 0.2)
    p = 0.3 if verdict == NONE else 0.0123
    numbers: dict[str, Any] = {
        "n_a": 20, "n_b": 20, "effect": 50 * gain, "low": 50 * gain - 40, "high": 50 * gain + 40, "gain": gain,
        "gain_low": gain - 0.8, "gain_high": gain + 0.8, "p_value": p, "p_adjusted": min(1.0, 3 * p),
    }  # fmt: skip
    return MetricView(metric, until, metric == "final", verdict=verdict, **{**numbers, **changes})


def choice(
    asked: Verdict = NONE, others: Sequence[Verdict] = (), survive: bool = False, **changes: Any
) -> MetricChoice:
    """The final evaluation, and after it as many metrics of a learning curve as there are verdicts."""
    views = [view(verdict=asked)]
    views += [view(*grid, verdict=verdict) for grid, verdict in zip(reversed(GRID), others, strict=False)]
    views = [replace(one, survives=survive and one.verdict != NONE) for one in views]
    said = [one.verdict for one in views]
    at_end = [one.verdict for one in views if one.until == 1]
    numbers: dict[str, Any] = {
        "a": "a2c", "b": "a2c-norm", "task": "CartPole-v1", "test": "welch", "asked": "final", "verdict": asked,
        "n_metrics": len(views), "ahead_a": sum(one.gain > 0 for one in views),
        "ahead_b": sum(one.gain < 0 for one in views), "significant_a": said.count(A), "significant_b": said.count(B),
        "turned": sum(one != asked for one in said), "n_at_end": len(at_end),
        "turned_at_end": sum(one != asked for one in at_end), "views": tuple(views),
    }  # fmt: skip
    numbers["depends"] = numbers["turned_at_end"] > 0 or (asked == NONE and said.count(NONE) < len(said))
    return MetricChoice(**{**numbers, **changes})


def noise(agent: str = "a2c", share: float | None = 0.02, **changes: Any) -> EvaluationNoise:
    low, high = (None, None) if share is None else (share / 3, min(1.0, 3 * share))
    numbers: dict[str, Any] = {
        "task": "CartPole-v1", "n_seeds": 20, "n_episodes": 10, "var_seeds": 900.0, "var_episodes": 200.0, "low": low,
        "high": high, "doubled": 0.005, "doubled_low": 0.002, "doubled_high": 0.015, "endless": 0.01,
        "endless_low": 0.004, "endless_high": 0.03, "seeds_worth": 0.41, "episodes_enough": 2,
    }  # fmt: skip
    return EvaluationNoise(agent, share=share, **{**numbers, **changes})


def silent(one: EvaluationNoise, **changes: Any) -> EvaluationNoise:
    """Whatever may be None is None."""
    names = ("low", "high", "doubled", "doubled_low", "doubled_high", "endless", "endless_low", "endless_high",
             "seeds_worth", "episodes_enough")  # fmt: skip
    return replace(one, **{**dict.fromkeys(names), **changes})


def audit(*nouns: MetricChoice | EvaluationNoise, **changes: Any) -> Audit:
    metrics = tuple(one for one in nouns if isinstance(one, MetricChoice))
    noises = tuple(one for one in nouns if isinstance(one, EvaluationNoise))
    return replace(PLAIN, metrics=metrics, evaluation_noise=noises, **changes)


PLAIN = build_audit()
SAME = choice(A, [A] * 13, survive=True)
LUCK = choice(NONE, [NONE] * 6 + [A] + [NONE] * 6)
DECIDED = choice(NONE, [NONE, A, NONE, NONE, NONE, A], survive=True)
BOTH = choice(B, [B, B, B, B, B, NONE, A, A, A], survive=True, depends=True)
LATE = choice(A, [A] * 5 + [NONE] * 8, survive=True)
HOLLOW = choice(
    views=tuple(
        view(name, until, low=None, high=None, gain=None, gain_low=None, gain_high=None, p_value=None, p_adjusted=None)
        for name, until in [("final", 1.0), *GRID]
    )
)
ODD_CHOICES = {
    "same": SAME,
    "luck": LUCK,
    "decided elsewhere": DECIDED,
    "both": BOTH,
    "late": LATE,
    "nothing known": HOLLOW,
    "one end": replace(LUCK, views=tuple(replace(one, gain_low=None, low=None) for one in LUCK.views)),
    "names": replace(LUCK, a=HOSTILE[0], b=HOSTILE[1], task="</svg><img src=x>", asked="<b>own column</b> $x$"),
    "two metrics": choice(NONE, [NONE]),
    "far": replace(LUCK, views=tuple(replace(one, gain=1e9, gain_low=-1e12, gain_high=1e12) for one in LUCK.views)),
}
ODD_NOISES = {
    "quiet": [noise()],
    "noisy": [noise(share=0.6, episodes_enough=135)],
    "all noise": [silent(noise(share=1.0, var_seeds=0.0), doubled=0.29, endless=1.0)],
    "silent": [silent(noise(share=0.0, var_episodes=0.0), doubled=0.0, endless=0.0, seeds_worth=0.0)],
    "nothing known": [silent(noise(share=None))],
    "no interval": [silent(noise(), doubled=0.01, endless=0.02, seeds_worth=0.4)],
    "many": [noise(f"agent-{i}", 0.02 * i, task=f"task {i % 3}") for i in range(30)],
    "names": [noise(HOSTILE[0]), noise(HOSTILE[1], task="</svg><img src=x>")],
}


def answer(section: SectionHtml | None) -> str:
    assert section is not None
    return " ".join(section.answer)


def only(rule: Any, of: Audit) -> Finding:
    (finding,) = rule(of)
    return finding  # type: ignore[no-any-return]


# ---------------------------------------------------------------- whatever happens


def test_without_curves_and_episodes_nothing_is_said() -> None:
    for one in odd_audits().values():
        bare = replace(one, metrics=(), evaluation_noise=())
        assert metric_choice(bare) is None
        assert evaluation_noise(bare) is None
        assert [] == [*metric_rule(bare), *noise_rule(bare)]


@pytest.mark.parametrize("case", ODD_CHOICES)
def test_every_odd_choice_is_told_and_drawn(case: str) -> None:
    one = ODD_CHOICES[case]
    _survives(audit(one))
    _survives(audit(one, higher_is_better=False))
    _survives(audit(one, *[replace(SAME, views=())] * 11))


@pytest.mark.parametrize("case", ODD_NOISES)
def test_every_odd_noise_is_told_and_drawn(case: str) -> None:
    _survives(audit(*ODD_NOISES[case]))
    _survives(audit(*ODD_NOISES[case], metric="auc"))


def _survives(given: Audit) -> None:
    assert given == from_json(to_json(given))
    for finding in (*metric_rule(given), *noise_rule(given)):
        assert finding.next_step
        assert finding.evidence
        assert not re.search(r"\b(None|nan)\b", finding.title + finding.sentence + finding.next_step)
    for section in (metric_choice(given), evaluation_noise(given)):
        if section:
            assert not re.search(r"\b(None|nan)\b", answer(section))
            assert section.method
            assert section.tables
            for figure in section.figures:
                root = ET.fromstring(str(figure.svg))
                title = "".join(root[0].itertext())
                assert not re.search(r"\b(None|nan)\b", title)


def test_a_page_escapes_names_of_agents_and_metrics() -> None:
    page = render(audit(ODD_CHOICES["names"], *ODD_NOISES["names"]))
    assert "<script>alert" not in page
    assert "<b>own" not in page
    assert "<img" not in page
    assert HOSTILE[0] in html.unescape(page)


@pytest.mark.parametrize("name", ["metric_choice", "evaluation_noise", "more_of_what"])
def test_figures_use_the_colours_of_the_page_and_repeat_to_the_byte(name: str) -> None:
    part = {"metric_choice": LUCK, "evaluation_noise": ODD_NOISES["many"], "more_of_what": noise()}[name]
    texts = {to_svg(FIGURES[name](part), "one", "A title.") for _ in range(2)}
    assert 1 == len(texts)
    text = texts.pop()
    assert "var(--ink)" in text
    assert not re.search(r"#(1c2024|687076|d7dbdf|0173b2|de8f05|d55e00)", text)


# ---------------------------------------------------------------- what the metrics say


def test_a_conclusion_that_all_metrics_share_is_fine() -> None:
    finding = only(metric_rule, audit(SAME))
    assert Level.OK == finding.level
    assert "a2c is better by all 14 metrics" in finding.sentence
    assert answer(metric_choice(audit(SAME))).startswith("No: of 14 metrics all say that a2c is better")


def test_no_conclusion_by_any_metric_is_no_conclusion() -> None:
    nothing = choice(NONE, [NONE] * 13, ahead_a=9, ahead_b=5)
    finding = only(metric_rule, audit(nothing))
    assert Level.OK == finding.level
    expected = "none of 14 metrics tells them apart; a2c is ahead by 9 of them, a2c-norm by 5"
    assert expected in finding.sentence
    assert "equal" not in finding.sentence
    assert "ahead by 9 of them, that of a2c-norm by 5" in answer(metric_choice(audit(nothing)))


def test_a_lucky_metric_is_called_luck() -> None:
    finding = only(metric_rule, audit(LUCK))
    assert Level.WARN == finding.level
    assert finding.title.endswith("a metric chosen afterwards would mislead")
    assert "nothing is decided by the final evaluation (p = 0.30)" in finding.sentence
    assert "a2c is better by 1 of 14 metrics (the " in finding.sentence
    assert "it does not remain significant: that many looks find as much by luck" in finding.sentence
    assert answer(metric_choice(audit(LUCK))).startswith("Only for whoever chooses one afterwards")


def test_a_difference_by_the_area_alone_is_told_and_upgrades_no_verdict() -> None:
    finding = only(metric_rule, audit(DECIDED))
    assert Level.WARN == finding.level
    assert "a2c is better by 2 of 7 metrics (such as the area under the curve, p = 0.012)" in finding.sentence
    assert "2 of these 2 remain significant" in finding.sentence
    assert "Report the final evaluation, which was named beforehand" in finding.next_step
    assert "The verdict stays with the metric that was named beforehand" in answer(metric_choice(audit(DECIDED)))


@pytest.mark.parametrize(("n_left", "words"), [(0, "none of these 3 remains"), (1, "1 of these 3 remains")])
def test_what_is_left_is_counted_in_words(n_left: int, words: str) -> None:
    three = choice(NONE, [A, A, A])
    views = [replace(one, survives=0 < i <= n_left) for i, one in enumerate(three.views)]
    assert f"{words} significant" in only(metric_rule, audit(replace(three, views=tuple(views)))).sentence


def test_opposite_winners_are_both_named() -> None:
    finding = only(metric_rule, audit(BOTH))
    assert "a2c-norm is better by the final evaluation" in finding.sentence
    assert "a2c is better by 3 of 10 metrics" in finding.sentence
    assert "nothing is decided by 1 of 10" in finding.sentence


def test_agents_that_differ_only_later_are_no_warning() -> None:
    finding = only(metric_rule, audit(LATE))
    assert Level.OK == finding.level
    assert "by all 6 metrics of the whole training; 8 of 8 that stop earlier do not yet" in finding.sentence
    assert "stop earlier in the training" in answer(metric_choice(audit(LATE)))


def test_many_pairs_are_one_finding_and_a_table() -> None:
    rest = [replace(SAME, a=f"x{i}", views=()) for i in range(50)]
    given = audit(DECIDED, LUCK, *rest)
    finding = only(metric_rule, given)
    assert "2 of 52 pairs, each looked at alone; luck alone does that" in finding.sentence
    section = metric_choice(given)
    assert "Yes, for 2 of 52 pairs" in answer(section)
    assert 52 == len(section.tables[1].rows)
    assert ["depends", "depends", "agrees"] == [row[3] for row in section.tables[1].rows[:3]]
    assert "In none of 50 pairs" in only(metric_rule, audit(*rest)).sentence


def test_the_figure_marks_the_asked_metric_and_the_side_of_each_agent() -> None:
    text = to_svg(FIGURES["metric_choice"](LUCK), "one", "A title.")
    words = " ".join("".join(ET.fromstring(text).itertext()).split())
    for label in ("final evaluation (asked)", "area under the curve", "all of training", "first 75 %"):
        assert label in words
    assert words.index("a2c-norm better") < words.index("a2c better")


def test_metrics_have_names_that_people_use() -> None:
    assert "the mean of the last 5 evaluations" == metric_name("last 5")
    assert "The area under the curve in the first 25 % of training" == metric_name("auc", 0.25, capital=True)
    assert "my column" == metric_name("my column")


# ---------------------------------------------------------------- what the noise says


def test_little_noise_is_fine_and_names_the_number() -> None:
    finding = only(noise_rule, audit(noise()))
    assert Level.OK == finding.level
    assert finding.sentence.startswith("2.0 % (95 % interval 0.7 % to 6.0 %) of the variance")
    assert "Spend on seeds" in finding.next_step
    assert answer(evaluation_noise(audit(noise()))).startswith("More seeds. a2c: 2.0 %")


def test_noise_above_a_tenth_is_a_warning_that_says_how_many_episodes_are_enough() -> None:
    loud = noise("loud", 0.4, episodes_enough=60)
    finding = only(noise_rule, audit(noise(), loud))
    assert Level.WARN == finding.level
    assert "of loud" in finding.sentence
    assert "the most of 2 (median 21 %; 1 above a tenth)" in finding.sentence
    assert "about 60 episodes" in finding.next_step
    assert answer(evaluation_noise(audit(noise(), loud))).startswith("Both. loud: 40 %")


def test_a_share_that_is_not_pinned_below_a_tenth_says_so() -> None:
    unsure = noise(share=0.05, high=0.3)
    finding = only(noise_rule, audit(unsure, noise()))
    assert "Evaluations are no bottleneck, as far as can be said" == finding.title
    assert finding.next_step.startswith("As far as can be said: spend on seeds")
    assert "the most of 2 (median 3.5 %; none above a tenth)" in finding.sentence
    assert "Evaluations are no bottleneck" == only(noise_rule, audit(noise())).title
    assert answer(evaluation_noise(audit(unsure))).startswith("More seeds, as far as can be said.")


@pytest.mark.parametrize(("seeds", "words"), [(0.098, "less than one more seed"), (2.4, "2.4 more seeds")])
def test_endless_episodes_are_worth_seeds_and_no_fraction_of_one(seeds: float, words: str) -> None:
    given = audit(noise(seeds_worth=seeds, episodes_enough=1))
    assert f"would be worth {words} on top of the 20." in only(noise_rule, given).next_step
    assert f"as much as {words} on top of the 20. 1 episode of each" in answer(evaluation_noise(given))


def test_noise_alone_asks_for_episodes_first() -> None:
    (one,) = ODD_NOISES["all noise"]
    finding = only(noise_rule, audit(one))
    assert Level.WARN == finding.level
    assert "on 100 episodes before" in finding.next_step
    assert "differ no more than such evaluations" in answer(evaluation_noise(audit(one)))


def test_another_metric_is_told_that_the_noise_is_of_the_final_evaluation() -> None:
    given = audit(noise(), metric="auc")
    assert "about the final evaluation" in only(noise_rule, given).sentence
    assert "made another way (auc)" in answer(evaluation_noise(given))
    assert "another way" not in answer(evaluation_noise(audit(noise())))


def test_episodes_that_all_agree_are_no_finding_and_one_sentence() -> None:
    given = audit(*ODD_NOISES["silent"])
    assert [] == list(noise_rule(given))
    assert "gave the same return" in answer(evaluation_noise(given))
    assert evaluation_noise(audit(*ODD_NOISES["nothing known"])) is None


def test_only_the_noisiest_of_many_agents_are_drawn() -> None:
    section = evaluation_noise(audit(*ODD_NOISES["many"]))
    assert 30 == len(section.tables[0].rows)
    assert "agent-29" == section.tables[0].rows[0][0]
    assert "The 12 noisiest of 30" in section.figures[0].caption
    assert "agent-29" in str(section.figures[0].svg)
    assert "agent-3," not in str(section.figures[0].svg)
