"""What made an importer doubt."""

from collections.abc import Iterator

from rlaudit.results import Audit
from rlaudit.types import Finding, Level
from rlaudit.wording import sentence

_SAID = 3  # doubts; the report has the others


def reading(audit: Audit) -> Iterator[Finding]:
    """Warnings about foreign results: early ends, missing seeds, numbers that may not be what they seem."""
    doubts = [note.text for note in audit.reading.notes if note.kind == "warning"] if audit.reading else []
    if doubts:
        more = [f"{len(doubts) - _SAID} more doubts stand in the report."] if len(doubts) > _SAID else []
        yield Finding(
            "The results as they were read",
            " ".join([*map(sentence, doubts[:_SAID]), *more]),
            Level.WARN,
            {"n_doubts": len(doubts)},
            "Mend the results, or say why it does not matter.",
        )
