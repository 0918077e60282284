"""The experiments of the laboratory: what each puts on the first screen and into the terminal."""

from collections.abc import Mapping

from rlaudit.report import convex, initializers, reproduce, sources, tickets
from rlaudit.report.parts import Page

PAGES: Mapping[str, Page] = {
    "reproduce": Page(reproduce.identity, reproduce.key_figures, reproduce.pictures, reproduce.table),
    "sources": Page(sources.identity, sources.key_figures, sources.pictures, sources.table),
    "initializers": Page(initializers.identity, initializers.key_figures, initializers.pictures, initializers.table),
    "tickets": Page(tickets.identity, tickets.key_figures, tickets.pictures, tickets.table),
    "convex": Page(convex.identity, convex.key_figures, convex.pictures, convex.table),
}
