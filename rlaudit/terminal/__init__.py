"""What people see in a terminal: the progress of training on standard error, and the verdict.

Names come from configs and foreign files: they are shown as plain text, never as markup or control codes.
"""

from rlaudit.terminal.console import console, printable
from rlaudit.terminal.progress import ProgressDisplay
from rlaudit.terminal.reading import print_next, print_reading, print_written
from rlaudit.terminal.verdict import print_headline, print_verdict

__all__ = [
    "ProgressDisplay",
    "console",
    "print_headline",
    "print_next",
    "print_reading",
    "print_verdict",
    "print_written",
    "printable",
]
