"""The section: Where does the variance come from?"""

from collections.abc import Iterator

from rlaudit.report.parts import FigureHtml, KeyFigure, SectionHtml, Table
from rlaudit.results import Audit


def where_variance_comes_from(audit: Audit) -> SectionHtml | None:
    """None where the experiment was another one."""
    return None


def identity(audit: Audit) -> Iterator[str]:
    """What was done."""
    yield "sources"


def key_figures(audit: Audit) -> Iterator[KeyFigure]:
    """The most telling first."""
    yield from ()


def pictures(audit: Audit) -> tuple[tuple[FigureHtml, ...], str]:
    """The picture of the first screen."""
    return (), ""


def table(audit: Audit) -> Table:
    """A row for each of what was compared; for the terminal, too."""
    return Table("", (), ())
