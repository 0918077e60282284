"""The experiments of the laboratory, and seeds that are added: what goes on the first screen and into the terminal."""

from collections.abc import Mapping

from rlaudit.report import convex, initializers, looks, reproduce, sources, tickets
from rlaudit.report.parts import Page
from rlaudit.results import Audit

PAGES: Mapping[str, Page] = {
    "reproduce": Page(reproduce.identity, reproduce.key_figures, reproduce.pictures, reproduce.table),
    "sources": Page(sources.identity, sources.key_figures, sources.pictures, sources.table),
    "initializers": Page(initializers.identity, initializers.key_figures, initializers.pictures, initializers.table),
    "tickets": Page(tickets.identity, tickets.key_figures, tickets.pictures, tickets.table),
    "convex": Page(convex.identity, convex.key_figures, convex.pictures, convex.table),
}
_LOOKS = Page(looks.identity, looks.key_figures, looks.pictures, looks.table)


def page_of(audit: Audit) -> Page | None:
    """None for an audit of a fixed number of seeds."""
    return _LOOKS if audit.sequential else PAGES.get(audit.experiment)
