"""The report: one self-contained HTML file, drawn from an `Audit` alone.

A section is a function from the audit to a question, its answer, the picture, the table behind it and how it was
computed; it returns None where it has nothing to say. A new one is a function and a line in `SECTIONS`.
"""

import re
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from rlaudit.report.claims import claims
from rlaudit.report.convex import does_luck_vanish
from rlaudit.report.evaluation import evaluation_noise
from rlaudit.report.failures import what_carries
from rlaudit.report.few import few_seeds, how_exaggerated
from rlaudit.report.first_screen import WORDS, first_screen
from rlaudit.report.habits import habits
from rlaudit.report.honesty import honest_tests, which_test
from rlaudit.report.initializers import does_the_initializer_matter
from rlaudit.report.leaderboard import leaderboards
from rlaudit.report.looks import when_it_stopped
from rlaudit.report.luck import how_different, worse_agent_wins
from rlaudit.report.metrics import metric_choice
from rlaudit.report.parts import Section, SectionHtml
from rlaudit.report.reading import what_was_read
from rlaudit.report.reproduce import same_seed_same_run
from rlaudit.report.runs import which_runs
from rlaudit.report.seeds import what_seeds_look_like
from rlaudit.report.sources import where_variance_comes_from
from rlaudit.report.tickets import weights_or_path
from rlaudit.report.verdicts import a_against_b, how_many_seeds
from rlaudit.results import Audit
from rlaudit.wording import number

__all__ = ["SECTIONS", "render", "sections"]

SECTIONS: tuple[Section, ...] = (
    claims,
    when_it_stopped,
    same_seed_same_run,
    where_variance_comes_from,
    does_the_initializer_matter,
    weights_or_path,
    does_luck_vanish,
    how_different,
    what_seeds_look_like,
    a_against_b,
    leaderboards,
    what_carries,
    metric_choice,
    few_seeds,
    how_many_seeds,
    worse_agent_wins,
    how_exaggerated,
    habits,
    honest_tests,
    which_test,
    evaluation_noise,
    what_was_read,
    which_runs,
)

# Of seeds that were added: agents are told apart by the looks alone.
_NOT_AFTER_LOOKS: frozenset[Section] = frozenset({a_against_b, few_seeds, how_exaggerated, how_many_seeds})

_SPACE = re.compile(r"(?<=\d) (?=%)|(?<=\bp) (?=[=<] )|(?<=p [=<]) |(?<=±) ")
_MOST_ROWS = 1000  # of a table; audit.json has the rest
_MOST_FINDINGS = 12  # at sight; the others unfold


def render(audit: Audit) -> str:
    """The text of report.html: no request to the network, the same to the byte for the same audit."""
    return _template().render(
        audit=audit,
        first=first_screen(audit),
        findings=audit.findings[1:],
        words=WORDS,
        sections=sections(audit),
        most_rows=_MOST_ROWS,
        most_findings=_MOST_FINDINGS,
        # A policy for the browser: even a name that slipped through could load nothing.
        policy="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:",
    )


def sections(audit: Audit) -> tuple[SectionHtml, ...]:
    """Those that have something to say, in the order of SECTIONS."""
    shown = [section for section in SECTIONS if not (audit.sequential and section in _NOT_AFTER_LOOKS)]
    return tuple(made for section in shown if (made := section(audit)) is not None)


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("rlaudit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_unbroken,
    )
    environment.filters["cell"] = _cell
    return environment.get_template("report.html.j2")


def _unbroken(value: object) -> object:
    """`5 %` and `p = 0.07` stay on one line. Markup is already final."""
    return _SPACE.sub("\u00a0", value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _cell(value: object) -> str:
    """Counts as they are, other numbers with three digits, nothing as a dash."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else number(value) if isinstance(value, float) else str(value)
