"""What people see in a terminal: the progress of training on standard error, the verdict, and how far a training is.

Names come from configs and foreign files: they are shown as plain text, never as markup or control codes. The verdict
needs the report, and that every library for statistics and figures (2.5 s of CPU): what is here is imported when it is
first used, so that who trains or looks on does not pay for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rlaudit.terminal.console import console, printable

if TYPE_CHECKING:
    from rlaudit.terminal.progress import ProgressDisplay
    from rlaudit.terminal.reading import print_next, print_reading, print_written
    from rlaudit.terminal.status import StatusView, print_status, status_line
    from rlaudit.terminal.verdict import print_headline, print_verdict

__all__ = [
    "ProgressDisplay",
    "StatusView",
    "console",
    "print_headline",
    "print_next",
    "print_reading",
    "print_status",
    "print_verdict",
    "print_written",
    "printable",
    "status_line",
]

_HOMES = {
    "ProgressDisplay": "progress",
    "StatusView": "status",
    "print_headline": "verdict",
    "print_next": "reading",
    "print_reading": "reading",
    "print_status": "status",
    "print_verdict": "verdict",
    "print_written": "reading",
    "status_line": "status",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rlaudit.terminal' has no attribute {name!r}")
    return getattr(import_module(f"rlaudit.terminal.{_HOMES[name]}"), name)
