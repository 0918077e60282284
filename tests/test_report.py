"""The report: says what its numbers carry, loads nothing, escapes everything, and fits a phone."""

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from audit_builder import HOSTILE, build_audit, odd_audits, without_eye
from laboratory_builder import LABORATORY

from rlaudit.findings import find
from rlaudit.report import SECTIONS, render, sections
from rlaudit.report.first_screen import first_screen
from rlaudit.report.honesty import honest_tests
from rlaudit.report.laboratory import PAGES
from rlaudit.report.parts import SectionHtml
from rlaudit.results import Claim
from rlaudit.types import Level, Verdict

ODD = {**odd_audits(), **LABORATORY}
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (or google-chrome) on the path")


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and tag == self.open[-1]:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words).replace("\u00a0", " "))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@cache
def text_of(case: str) -> str:
    """Drawing a page takes a second; the tests look at each many times."""
    return render(ODD[case])


@cache
def sections_of(case: str) -> tuple[SectionHtml, ...]:
    return sections(ODD[case])


@pytest.fixture(scope="module")
def plain() -> Page:
    return Page(text_of("plain"))


def answer(case: str, section: str) -> str:
    return " ".join(next(one for one in sections_of(case) if one.id == section).answer)


# ---------------------------------------------------------------- whole pages


@pytest.mark.parametrize("case", ODD)
def test_every_odd_audit_becomes_a_page_without_none_or_nan(case: str) -> None:
    page = Page(text_of(case))
    assert ODD[case].name in page.text
    assert not re.search(r"\b(None|nan|NaN)\b", page.text)


@pytest.mark.parametrize("case", ODD)
def test_ids_are_unique_on_the_page(case: str) -> None:
    ids = [attrs["id"] for _, attrs in Page(text_of(case)).tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_the_same_audit_gives_the_same_bytes() -> None:
    assert text_of("plain") == render(build_audit())


@pytest.mark.parametrize("case", ["plain", "six agents", "hostile names"])
def test_a_page_refers_to_nothing_outside_itself(case: str) -> None:
    page = Page(text_of(case))
    for tag, attrs in page.tags:
        for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            assert (attrs.get(name) or "#").startswith(("#", "data:,")), f"<{tag} {name}={attrs[name]}>"
    assert "@import" not in text_of(case)
    policy = next(attrs["content"] for attrs in page.all("meta") if attrs.get("http-equiv"))
    assert str(policy).startswith("default-src 'none'")


def test_names_are_escaped_everywhere() -> None:
    text = text_of("hostile names")
    page = Page(text)
    assert "<script>alert" not in text
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert HOSTILE[0] in page.text
    assert HOSTILE[1] in page.text


def test_every_figure_says_its_numbers_to_a_screen_reader() -> None:
    text = text_of("plain")
    figures = re.findall(r'<svg[^>]*role="img".*?</svg>', text, re.S)
    assert len(figures) >= 10
    for figure in figures:
        title = re.search(r"<title[^>]*>(.*?)</title>", figure, re.S)
        assert title
        assert len(re.findall(r"\d+", html.unescape(title[1]))) >= 2


def test_a_section_may_keep_silent_and_the_last_one_never_does() -> None:
    shown = [one.id for one in sections_of("one arm")]
    assert "a-against-b" not in shown
    assert shown[-1] == "runs"
    n_silent = 3 + len(PAGES)  # no claims, no foreign results, no looks, no experiment
    assert len(sections_of("plain")) == len(SECTIONS) - n_silent


def test_every_section_has_its_method_and_its_table(plain: Page) -> None:
    for one in sections_of("plain"):
        assert one.answer[0]
        assert one.method
        assert one.tables
    assert plain.text.count("How it was computed") == len(sections_of("plain"))


def test_long_tables_are_cut_with_a_word() -> None:
    audit = build_audit(n_seeds=600, group_sizes=(2,), curves=False, apart=0)
    audit = without_eye(replace(audit, comparisons=(), splits=()))
    assert "The first 1000 of 1200 rows; audit.json has all of them." in Page(render(audit)).text


# ---------------------------------------------------------------- the first screen


def test_the_first_screen_is_the_first_finding_in_words_and_shape(plain: Page) -> None:
    first = ODD["plain"].findings[0]
    assert "Do not conclude" in plain.text
    assert first.sentence in plain.text
    assert first.next_step in plain.text
    marks = [attrs for attrs in plain.all("svg") if attrs.get("class") == "mark"]
    assert len(marks) == len(ODD["plain"].findings)


@pytest.mark.parametrize("level", Level)
def test_each_level_has_its_own_word_and_its_own_shape(level: Level) -> None:
    audit = ODD["plain"]
    text = render(replace(audit, findings=(replace(audit.findings[0], level=level),)))
    word = {"ok": "The conclusion holds", "warn": "Conclude with care", "unsafe": "Do not conclude"}[level]
    shape = {"ok": '<circle cx="12"', "warn": '<path d="M12 2.5', "unsafe": '<path d="M7.9 2'}[level]
    assert word in text
    assert shape in text


@pytest.mark.parametrize("case", odd_audits())
def test_there_are_four_key_figures_where_there_are_splits_or_pairs(case: str) -> None:
    assert text_of(case).count('<dd class="value">') == 4


def test_key_figures_come_with_their_intervals() -> None:
    effect, luck, wrong, needed = first_screen(ODD["plain"]).key_figures
    pair = ODD["plain"].comparisons[0]
    assert effect.value == "50.9"
    assert "95 % interval [-22.1, 124]" in effect.beside
    assert "one split in twenty" in luck.beside
    assert "95 % interval over seeds" in wrong.beside
    assert needed.value == str(pair.seeds_needed.n)
    assert "no limit" in needed.beside


def test_the_picture_is_the_same_agent_twice_and_names_the_percentiles(plain: Page) -> None:
    assert "median split: percentile 50" in plain.text
    assert "worst split: percentile 100" in plain.text
    assert "is expected to look striking" in plain.text


@pytest.mark.parametrize("case", ["no curves", "one arm", "six agents", "three seeds"])
def test_there_is_a_picture_without_curves_too(case: str) -> None:
    assert first_screen(replace(ODD[case], curves=())).pictures


# ---------------------------------------------------------------- honest sentences


def test_undecided_is_never_called_equal() -> None:
    said = answer("plain", "a-against-b")
    assert ODD["plain"].comparisons[0].verdict == Verdict.UNDECIDED
    assert "Undecided does not mean equal" in said
    assert "equivalent" not in said


def test_the_rate_of_a_correct_test_is_alpha_by_construction() -> None:
    said = answer("plain", "honest-tests")
    assert "alpha by construction" in said
    assert "independent experiments" in said


def test_a_constant_rate_is_not_sold_as_news() -> None:
    audit = ODD["plain"]
    exact = {"permutation": audit.splits[0].tests["permutation"]}
    section = honest_tests(replace(audit, splits=tuple(replace(one, tests=exact) for one in audit.splits)))
    assert section
    assert any("fixed by construction" in sentence for sentence in section.answer)


def test_a_pool_too_small_for_a_split_says_so() -> None:
    assert "at least four" in answer("three seeds", "same-agent")


def test_the_same_agent_sentence_has_median_and_worst() -> None:
    said = answer("plain", "same-agent")
    split = max((one for one in ODD["plain"].splits if one.group_size == 5), key=lambda one: one.relative_gap.p95)  # type: ignore[union-attr]
    assert split.relative_gap
    assert f"by {100 * split.relative_gap.median:.0f} % of the mean in the median split" in said
    assert f"by {100 * split.relative_gap.max:.0f} % in the worst of 2,000" in said


def test_seeds_needed_are_never_given_without_their_interval() -> None:
    said = answer("plain", "how-many-seeds")
    assert "These runs pin that number only to" in said
    assert "without a limit" in said


def test_failed_seeds_are_counted_where_the_means_are_shown() -> None:
    assert "Failed seeds have no score" in answer("failed seeds", "seeds")
    assert "each failed seed counted as the worst score" in answer("failed seeds", "a-against-b")


def test_few_seeds_are_read_with_a_caveat_where_the_pools_do_not_decide() -> None:
    assert "Even the full pools do not decide" in answer("plain", "few-seeds")
    assert "Even the full pools" not in answer("decided", "few-seeds")


def test_what_all_pairs_share_is_not_said_of_others_that_there_are_not() -> None:
    """Of 3 of 3 decided comparisons "the others" are none; a score called "score" is named once."""
    three = build_audit(["ppo", "a2c", "dqn"])
    pairs = tuple(replace(pair, verdict=Verdict.A_BETTER) for pair in three.comparisons)
    screen = first_screen(replace(three, metric="score", comparisons=pairs))
    (decided,) = [one for one in screen.key_figures if one.label == "comparisons decided"]
    assert ("3 of 3", three.family) == (decided.value, decided.beside)
    assert "score, higher is better" in screen.identity


def test_claims_stand_in_a_section_of_their_own() -> None:
    claims = (Claim("a2c > a2c-norm", "undecided", "p = 0.17"), Claim("a2c >= a2c-norm - 90", "supported", "p = 0.01"))
    audit = replace(ODD["plain"], claims=claims)
    page = Page(render(replace(audit, findings=find(audit))))
    assert "1 of 2 claims is supported by these runs and 1 is undecided. Undecided is neither" in page.text
    assert "a2c >= a2c-norm - 90" in page.text


def test_the_command_and_the_versions_are_there(plain: Page) -> None:
    assert "rlaudit audit configs/quickstart.yaml" in plain.text
    assert "2.13.0" in plain.text


# ---------------------------------------------------------------- in a real browser

PROBE = """<script>
const problems = [];
addEventListener("error", e => problems.push("error: " + e.message));
addEventListener("securitypolicyviolation", e => problems.push("request: " + e.blockedURI));
addEventListener("load", () => {
  const texts = [...document.querySelectorAll("figure svg text:not([transform*='-90'])")];
  const table = document.querySelector("#runs table"), first = () => table.tBodies[0].rows[0].cells[3].textContent;
  table.tHead.rows[0].cells[3].querySelector("button").click(); const lowest = first();
  table.tHead.rows[0].cells[3].querySelector("button").click(); const highest = first();
  parent.postMessage(JSON.stringify({
    problems, lowest, highest, sort: table.tHead.rows[0].cells[3].getAttribute("aria-sort"),
    requests: performance.getEntriesByType("resource").map(one => one.name),
    page: document.documentElement.scrollWidth, window: innerWidth,
    paper: getComputedStyle(document.body).backgroundColor,
    smallest: Math.min(...texts.map(one => one.getBoundingClientRect().height)),
    top: document.querySelector("main").getBoundingClientRect().top,
  }), "*");
});
</script>"""
FRAME = """<!doctype html><meta charset="utf-8"><body style="margin:0">
<iframe src="report.html" style="width:%dpx;height:900px;border:0"></iframe><pre id="out"></pre>
<script>addEventListener("message", e => document.getElementById("out").textContent = e.data)</script>"""


def in_browser(case: str, folder: Path, width: int, *flags: str) -> dict[str, Any]:
    """What the page says of itself in a frame of that width (a headless window cannot be narrower than 500 pixels)."""
    (folder / "report.html").write_text(text_of(case).replace("<head>", "<head>" + PROBE, 1), encoding="utf-8")
    (folder / "frame.html").write_text(FRAME % width, encoding="utf-8")
    dom = chromium(folder, "--dump-dom", "--virtual-time-budget=10000", "--window-size=1300,900", *flags, "frame.html")
    found = re.search(r'<pre id="out">(.+?)</pre>', dom, re.S)
    assert found, dom[-2000:]
    said: dict[str, Any] = json.loads(html.unescape(found[1]))
    return said


def chromium(folder: Path, *arguments: str) -> str:
    *flags, page = arguments
    fixed = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-sync",
        "--disable-component-update",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP*~NOTFOUND",
    ]
    command = [str(CHROMIUM), *fixed, f"--user-data-dir={folder / 'profile'}", *flags, (folder / page).as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@needs_browser
@pytest.mark.slow
@pytest.mark.parametrize("case", ["plain", "six agents", "hostile names", "long names"])
def test_a_phone_shows_the_page_without_sideways_scrolling(case: str, tmp_path: Path) -> None:
    said = in_browser(case, tmp_path, 390)
    assert said["window"] == 390
    assert said["page"] <= 390
    assert said["smallest"] >= 8
    assert said["problems"] == []
    assert said["requests"] == []


@needs_browser
@pytest.mark.slow
def test_a_desktop_browser_runs_the_page_without_a_request_or_an_error(tmp_path: Path) -> None:
    said = in_browser("plain", tmp_path, 1200)
    scores = [score for arm in ODD["plain"].arms for score in arm.scores]
    assert said["problems"] == []
    assert said["requests"] == []
    assert said["page"] <= 1200
    assert said["top"] <= 900  # verdict, key figures and picture are seen at once
    assert float(said["lowest"]) == pytest.approx(min(scores), rel=0.01)
    assert float(said["highest"]) == pytest.approx(max(scores), rel=0.01)
    assert said["sort"] == "descending"


@needs_browser
@pytest.mark.slow
def test_dark_mode_is_dark(tmp_path: Path) -> None:
    def brightness(*flags: str) -> float:
        paper = in_browser("plain", tmp_path, 1200, *flags)["paper"]
        return sum(int(number) for number in re.findall(r"\d+", paper)[:3]) / 3

    assert brightness("--blink-settings=preferredColorScheme=1") > 240
    assert brightness("--blink-settings=preferredColorScheme=0") < 40


@needs_browser
@pytest.mark.slow
def test_the_first_screen_can_be_photographed(tmp_path: Path) -> None:
    from matplotlib.image import imread

    (tmp_path / "report.html").write_text(text_of("plain"), encoding="utf-8")
    chromium(tmp_path, f"--screenshot={tmp_path / 'page.png'}", "--window-size=1200,900", "report.html")
    picture = imread(tmp_path / "page.png")
    assert picture.shape[:2] == (900, 1200)
    assert len({tuple(pixel) for row in picture[::9] for pixel in row[::9].tolist()}) > 20
