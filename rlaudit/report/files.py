"""The figures of a report as files of their own, for papers, slides and READMEs."""

import re
from importlib.resources import files

from rlaudit.report.first_screen import first_screen
from rlaudit.report.parts import FigureHtml, SectionHtml
from rlaudit.results import Audit

_VARIABLES = re.compile(r":root \{.*?(?=\n\* \{)", re.DOTALL)  # light and dark, at the head of report.css
_NAME = re.compile(r'aria-labelledby="(.+?)-title"')
_OWN = "svg { background: var(--paper); font-family: system-ui, sans-serif; }"


def figure_files(audit: Audit, sections: tuple[SectionHtml, ...]) -> dict[str, str]:
    """File name -> SVG text. Each carries the page's colours, for light and dark, and its alternative text."""
    figures = [*first_screen(audit).pictures, *(figure for section in sections for figure in section.figures)]
    return {f"{name}.svg": text for name, text in map(_standalone, figures)}


def _standalone(figure: FigureHtml) -> tuple[str, str]:
    css = files("rlaudit").joinpath("templates/report.css").read_text(encoding="utf-8")
    found, variables = _NAME.search(figure.svg), _VARIABLES.search(css)
    assert found
    assert variables
    head, _, rest = str(figure.svg).partition(">")
    return found[1], f"{head}><style>{variables[0]}\n{_OWN}</style>{rest}\n"
