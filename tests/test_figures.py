"""Every figure is drawn from every odd audit: a new one is tested by its annotations alone."""

import inspect
import re
import typing
from collections.abc import Iterator
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from audit_builder import HOSTILE, build_audit, odd_audits
from laboratory_builder import LABORATORY
from matplotlib.figure import Figure

from rlaudit.figures import FIGURES, to_svg
from rlaudit.figures.style import end_labels, short
from rlaudit.results import (
    Arm,
    Audit,
    Claim,
    Convex,
    EvaluationNoise,
    GroupCurves,
    Initializers,
    Leaderboard,
    MetricChoice,
    PairAudit,
    ProcedureAudit,
    Reproduction,
    Sequential,
    Sources,
    SplitAudit,
    Surface,
    Tickets,
)  # fmt: skip

SVG = "{http://www.w3.org/2000/svg}"
ODD = odd_audits()


def parts(annotation: object, audit: Audit) -> Iterator[tuple[object, ...]]:
    """Everything in an audit that a first parameter of this type can be; with its arms, where they are needed."""
    arms = {(arm.agent, arm.task): arm for arm in audit.arms}
    by_arm = [tuple(s for s in audit.splits if (s.agent, s.task) == key) for key in arms]
    given: dict[object, list[object]] = {
        Arm: list(audit.arms),
        GroupCurves: list(audit.curves),
        PairAudit: list(audit.comparisons),
        SplitAudit: list(audit.splits),
        Leaderboard: list(audit.leaderboards),
        MetricChoice: list(audit.metrics),
        EvaluationNoise: list(audit.evaluation_noise),
        ProcedureAudit: [audit.procedures] if audit.procedures else [],
        Convex: list(audit.convex),
        Initializers: list(audit.initializers),
        Sources: list(audit.sources),
        Surface: [surface for one in audit.convex for surface in one.surfaces],
        Reproduction: list(audit.reproduction),
        Sequential: [audit.sequential] if audit.sequential else [],
        Tickets: list(audit.tickets),
    }
    several: dict[object, list[object]] = {
        Arm: [audit.arms],
        Claim: [audit.claims] if audit.claims else [],
        EvaluationNoise: [audit.evaluation_noise] if audit.evaluation_noise else [],
        PairAudit: [audit.comparisons] if audit.comparisons else [],
        SplitAudit: [splits for splits in by_arm if splits],
    }
    inner = typing.get_args(annotation)
    yield from ((one,) for one in (several[inner[0]] if inner else given[annotation]))


def calls(name: str, audit: Audit) -> Iterator[tuple[object, ...]]:
    parameters = list(inspect.signature(FIGURES[name]).parameters.values())
    needed = [one for one in parameters if one.default is inspect.Parameter.empty]
    for given in parts(needed[0].annotation, audit):
        pair = given[0]
        extra = [one.annotation for one in needed[1:]]
        assert set(extra) <= {Arm}, f"{name} needs parts that this test does not know"
        arms = {(arm.agent, arm.task): arm for arm in audit.arms}
        yield (*given, *(arms[getattr(pair, one.name), pair.task] for one in needed[1:]))  # type: ignore[attr-defined]


def whole_audit(name: str) -> Audit:
    """One that the figure can be drawn from."""
    audits = (build_audit(tasks=["one", "two"], claims=True), *LABORATORY.values())
    return next(audit for audit in audits if next(calls(name, audit), None))


@pytest.mark.parametrize("case", [*ODD, *LABORATORY])
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_from_every_odd_audit(name: str, case: str) -> None:
    for given in list(calls(name, {**ODD, **LABORATORY}[case]))[:2]:
        figure = FIGURES[name](*given)
        assert isinstance(figure, Figure)
        assert ET.fromstring(to_svg(figure, "one", "A title.")).tag == f"{SVG}svg"


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_audit_gives_the_same_bytes(name: str) -> None:
    texts = {to_svg(FIGURES[name](*next(calls(name, whole_audit(name)))), "one", "A title.") for _ in range(2)}
    assert len(texts) == 1


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_carries_its_alternative_text_and_its_own_ids(name: str) -> None:
    root = ET.fromstring(
        to_svg(
            FIGURES[name](*next(calls(name, whole_audit(name)))),
            "first",
            "Median 21 %, worst 80 %.",
        )
    )
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "Median 21 %, worst 80 %."
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all(str(one).startswith("first-") for one in ids)


def test_references_inside_a_figure_lead_somewhere() -> None:
    text = to_svg(FIGURES["seed_strip"](build_audit().arms), "one", "A title.")
    references = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text))
    ids = set(re.findall(r' id="([^"]+)"', text))
    assert references
    assert {first or second for first, second in references} <= ids


def test_names_are_escaped_in_a_figure_and_dollars_are_no_formula() -> None:
    audit = build_audit(HOSTILE)
    text = to_svg(FIGURES["seed_strip"](audit.arms), "one", f"{HOSTILE[0]} & {HOSTILE[1]}\x00")
    words = "".join(ET.fromstring(text).itertext())
    assert "<script" not in text
    assert "$\\frac{1}" in words
    assert "\x00" not in words


@pytest.mark.parametrize("name", FIGURES)
def test_greys_and_palette_are_variables_of_the_page(name: str) -> None:
    text = to_svg(FIGURES[name](*next(calls(name, whole_audit(name)))), "one", "A title.")
    assert "var(--ink)" in text
    assert not re.search(r"#(1c2024|687076|d7dbdf|0173b2|de8f05|d55e00)", text)
    assert "font-family" not in text
    assert "DejaVu" not in text


def test_a_figure_holds_no_date_and_no_metadata() -> None:
    text = to_svg(FIGURES["seed_strip"](build_audit().arms), "one", "A title.")
    assert "metadata" not in text
    assert "Created" not in text
    assert not text.startswith("<?xml")


def test_failed_seeds_are_marked() -> None:
    text = to_svg(FIGURES["seed_strip"](build_audit(n_failed=3).arms), "one", "A title.")
    assert "3 failed" in text


def test_the_displayed_split_names_its_percentile() -> None:
    median, worst = build_audit(["sac"]).curves
    assert "median split: percentile 5" in to_svg(FIGURES["same_agent_curves"](median), "one", "A title.")
    assert "worst split: percentile 100" in to_svg(FIGURES["same_agent_curves"](worst), "one", "A title.")


def test_labels_at_the_ends_of_lines_do_not_overlap() -> None:
    ax = Figure().subplots()
    ax.set_ylim(0, 1)
    end_labels(ax, 1, [(0.5, "a", "k"), (0.51, "b", "k"), (0.99, "c", "k")])
    heights = sorted(float(text.xy[1]) for text in ax.texts)  # type: ignore[attr-defined]
    assert all(above - below >= 0.07 for below, above in pairwise(heights))


def test_long_names_are_cut_and_lines_joined() -> None:
    assert short("a\nb") == "a b"
    assert short("x" * 30) == "x" * 21 + "…"
