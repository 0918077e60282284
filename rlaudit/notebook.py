"""How a score table and an audit look where somebody types their name: in a notebook, and in a terminal.

The nouns call this module, so that it stands below them and cannot import their types; it reads `types.ScoreTable`
and `results.Audit`.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any, NamedTuple

from rlaudit.wording import interval, number

_MANY = 20  # rows; the report has them all


class Block(NamedTuple):
    """A table with its header."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def without_empty_columns(self) -> "Block":
        """Where no task has a name, there is no column for it."""
        keep = [i for i in range(len(self.header)) if any(row[i] for row in self.rows)]
        return Block([self.header[i] for i in keep], [[row[i] for i in keep] for row in self.rows])


def scores_text(table: Any) -> str:
    """For a terminal."""
    return "\n".join([_scores_title(table), *_text(_scores(table))])


def scores_html(table: Any) -> str:
    """For a notebook."""
    return f"<div><p>{escape(_scores_title(table))}</p>{_html(_scores(table))}</div>"


def audit_text(audit: Any) -> str:
    """For a terminal."""
    return "\n".join([_audit_title(audit), *_sentences(audit), *_text(_arms(audit)), *_text(_pairs(audit))])


def audit_html(audit: Any) -> str:
    """For a notebook."""
    sentences = "".join(f"<li>{escape(sentence)}</li>" for sentence in _sentences(audit))
    tables = _html(_arms(audit)) + _html(_pairs(audit))
    return f"<div><p><b>{escape(_audit_title(audit))}</b></p><ul>{sentences}</ul>{tables}</div>"


# ---------------------------------------------------------------- what is shown


def _scores_title(table: Any) -> str:
    direction = "higher" if table.higher_is_better else "lower"
    curves = ", with learning curves" if table.curves else ""
    return f"ScoreTable of {table.metric!r} ({direction} is better{curves})"


def _scores(table: Any) -> Block:
    header = ("agent", "task", "seeds", "failed", "mean", "sd", "min", "max")
    return Block(header, [_scores_row(arm) for arm in table.arms]).without_empty_columns()


def _scores_row(arm: Any) -> tuple[str, ...]:
    x = arm.scores
    numbers = [float(value) for value in (x.mean(), x.min(), x.max())] if len(x) else [None] * 3
    mean, low, high = map(number, numbers)
    sd = number(float((x - x[0]).std(ddof=1)) if len(x) > 1 else None)
    return arm.agent, arm.task, str(len(x)), str(len(arm.failed)), mean, sd, low, high


def _audit_title(audit: Any) -> str:
    return f"Audit of {audit.name!r} ({audit.metric}, alpha = {audit.alpha:g})"


def _sentences(audit: Any) -> list[str]:
    return [f"{finding.level}: {finding.sentence}" for finding in audit.findings[:3]]


def _arms(audit: Any) -> Block:
    rows = [
        (arm.agent, arm.task, str(arm.n_seeds), str(arm.n_failed), number(arm.mean), number(arm.sd), _reach(arm))
        for arm in audit.arms
    ]
    header = ("agent", "task", "seeds", "failed", "mean", "sd", f"{1 - audit.alpha:.0%} interval")
    return Block(header, rows).without_empty_columns()


def _reach(arm: Any) -> str:
    return "n/a" if arm.low is None or arm.high is None else interval(arm.low, arm.high)


def _pairs(audit: Any) -> Block:
    rows = [
        (f"{pair.a} - {pair.b}", pair.task, number(pair.effect), interval(pair.low, pair.high), _verdict(pair))
        for pair in audit.comparisons
    ]
    header = ("agents", "task", "difference", f"{1 - audit.alpha:.0%} interval", "verdict")
    return Block(header, rows).without_empty_columns()


def _verdict(pair: Any) -> str:
    better = {"a_better": f"{pair.a} better", "b_better": f"{pair.b} better"}
    return better.get(pair.verdict, str(pair.verdict))


# ---------------------------------------------------------------- how


def _text(block: Block) -> Iterator[str]:
    """Columns as wide as their widest cell; labels come from files, so control codes are left out."""
    rows = [[_printable(cell) for cell in row] for row in (block.header, *block.rows[:_MANY])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if block.rows:
        yield from ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        yield from _more(block)


def _html(block: Block) -> str:
    if not block.rows:
        return ""
    body = "".join(_row("td", row) for row in block.rows[:_MANY])
    more = "".join(f"<p>{line}</p>" for line in _more(block))
    return f"<table><thead>{_row('th', block.header)}</thead><tbody>{body}</tbody></table>{more}"


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _more(block: Block) -> Iterator[str]:
    if len(block.rows) > _MANY:
        yield f"and {len(block.rows) - _MANY} more"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
