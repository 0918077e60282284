"""What can go wrong for a user. Each error's text says what, where, and the way out.

The command line prints the text and exits with the error's code; there is no traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class RlauditError(Exception):
    """Base of every error that a user can mend."""

    exit_code = 2


class ConfigError(RlauditError):
    """A config (or an override on the command line) cannot be used."""


class StoreError(RlauditError):
    """A results folder cannot be read or written, or would be overwritten with other data."""


class TooManyFailures(RlauditError):
    """So many runs failed that no further one was started; a note says how the command line goes on."""

    exit_code = 4


class ExecutorError(RlauditError):
    """The machines that train cannot be used any more, or would give other results than this one."""


class ImportFormatError(RlauditError):
    """Somebody else's results cannot be read as what they claim to be."""


class ExportError(RlauditError):
    """A format cannot hold these runs without loss, or there is no such format."""


class NotEnoughSeeds(RlauditError):
    """There are too few seeds for any statement at all."""


class MissingExtra(RlauditError):
    """An optional part of rlaudit is not installed."""


def did_you_mean(name: object, choices: Iterable[str]) -> str:
    """`" Did you mean 'welch'?"` where a choice is near, else the list of choices."""
    choices = list(choices)
    near = get_close_matches(str(name), choices, n=1, cutoff=0.6)
    if near:
        return f" Did you mean {near[0]!r}?"
    return f" Choose from: {', '.join(choices)}." if choices else ""
