"""The border: text in named cells becomes a printed result. CSV tables, sentences and options all come through here."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, cast

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.printed.nouns import PrintedGroup, PrintedNumber, PrintedResult, Sides, TestKind

_OF_A_GROUP = ("n", "mean", "sd", "se", "ci", "min", "max")
COLUMNS = (
    "where", "test", "n", "n1", "n2", "statistic", "df", "p", "sides",
    *(f"{name}{group}" for group in ("1", "2", "") for name in _OF_A_GROUP[1:]),
    "integer", "episodes",
)  # fmt: skip
_ALIASES = {
    "label": "where", "p_value": "p", "pvalue": "p", "alternative": "sides", "integers": "integer",
    **{f"{alias}{group}": f"{name}{group}" for group in ("1", "2", "")
       for alias, name in (("std", "sd"), ("sem", "se"), ("m", "mean"))},
}  # fmt: skip
_STATISTICS: Mapping[str, TestKind] = {"t": "t", "ks": "ks", "d": "ks", "u": "mann_whitney", "w": "mann_whitney"}
TESTS: Mapping[str, TestKind] = {
    "t": "t", "t_test": "t", "ttest": "t", "student": "student", "students_t": "student", "welch": "welch",
    "welchs_t": "welch", "paired": "paired_t", "paired_t": "paired_t", "ks": "ks", "kolmogorov_smirnov": "ks",
    "mann_whitney": "mann_whitney", "mann_whitney_u": "mann_whitney", "mwu": "mann_whitney", "u": "mann_whitney",
    "w": "mann_whitney", "wilcoxon_rank_sum": "mann_whitney", "permutation": "permutation",
    "permutation_test": "permutation",
}  # fmt: skip
_SIDES: Mapping[str, Sides] = {
    "two-sided": "two-sided", "two-tailed": "two-sided", "2": "two-sided", "one-sided": "one-sided",
    "one-tailed": "one-sided", "1": "one-sided", "greater": "one-sided", "less": "one-sided",
}  # fmt: skip
_MOST_SEEDS = 1_000_000
_SHOWN = 10
NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?".replace(r"\d", "[0-9]")
_RANGE = re.compile(rf"[\[(]?\s*({NUMBER})\s*(?:,\s|;|\.\.|to|–|—|(?<=\d)-|,)\s*({NUMBER})\s*[\])]?")
Problem = tuple[str, str]  # column, message


class Cells(Protocol):
    """A table of text, each row with a place that people can find."""

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> tuple[Sequence[Any], ...]: ...
    @property
    def place(self) -> Callable[[int], str]: ...
    @property
    def header(self) -> str: ...


class Rows(NamedTuple):
    """The results of a table, and the columns that nobody reads."""

    results: tuple[PrintedResult, ...]
    ignored: tuple[str, ...] = ()


def number(text: str, *, bounded: bool = False) -> PrintedNumber | None:
    """A number with its rounding; `bounded`: "<.001" and ">.05", which a p may be, count too."""
    plain = re.sub(r"[−–]", "-", text.strip()).replace(" ", "")
    sign = re.match(r"<=|>=|[<>=≤≥]", plain) if bounded else None
    digits = plain[sign.end() :] if sign else plain
    if not re.fullmatch(NUMBER, digits):
        return None
    exact = Decimal(digits.replace(",", ""))
    half = Decimal(5).scaleb(int(exact.as_tuple().exponent) - 1)
    value = float(exact)
    if abs(value) > 1e150:  # its square must still be a number
        return None
    if sign and sign[0] in ("<", "<=", "≤"):
        return PrintedNumber(plain.replace("≤", "<="), value, 0.0, value)
    if sign and sign[0] in (">", ">=", "≥"):
        return PrintedNumber(plain, value, value, 1.0)
    return PrintedNumber(digits, value, float(exact - half), float(exact + half))


def of_table(table: Cells) -> Rows:
    """Raises ImportFormatError with every bad cell, its line and its column."""
    names = {name: _canonical(name) for name in table.names}
    _check_header(table, names)
    found: list[PrintedResult] = []
    troubles: list[str] = []
    for row in range(len(table.columns[0]) if table.columns else 0):
        cells = {
            names[name]: _text(column[row]) for name, column in zip(table.names, table.columns, strict=True)
            if _known(names[name])
        }  # fmt: skip
        place = table.place(row)
        result, problems = of_cells(cells, _line(place))
        troubles.extend(
            f"{place}, column {column!r}: {text}" if column else f"{place}: {text}" for column, text in problems
        )
        found.extend([result] if result else [])
    raise_if(troubles)
    return Rows(tuple(found), tuple(name for name, column in names.items() if not _known(column) and name.strip()))


def raise_if(troubles: Sequence[str]) -> None:
    """One error for everything."""
    if troubles:
        more = [f"and {len(troubles) - _SHOWN} more"] if len(troubles) > _SHOWN else []
        raise ImportFormatError("\n".join([*troubles[:_SHOWN], *more]))


def _line(place: str) -> str:
    """`line 12` of `x.csv:12`; a data frame names its rows."""
    before, _, line = place.rpartition(":")
    return f"line {line}" if before and line.isdecimal() else place


def _canonical(name: str) -> str:
    plain = re.sub(r"[\s\-]+", "_", name.strip().lower())
    plain = re.sub(r"_([12])$", r"\1", plain)
    return _ALIASES.get(plain, plain)


def _known(column: str) -> bool:
    return column in COLUMNS or column in _STATISTICS


def _check_header(table: Cells, names: Mapping[str, str]) -> None:
    troubles = []
    columns = [column for name in table.names if _known(column := names[name])]
    for name, column in names.items():
        near = "" if _known(column) else did_you_mean(column, [one for one in COLUMNS if one not in columns])
        if "Did you mean" in near:
            troubles.append(f"{table.header}: column {name!r} is not one of a recheck.{near}")
    troubles += [f"{table.header}: column {one!r} stands there twice" for one in set(columns) if columns.count(one) > 1]
    if not troubles and not set(columns) - {"where", "test"}:
        troubles.append(f"{table.header}: no column of printed numbers. Choose from: {', '.join(COLUMNS)}.")
    raise_if(troubles)


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell).strip()


# ---------------------------------------------------------------- one result


def of_cells(cells: Mapping[str, str], where: str, text: str = "") -> tuple[PrintedResult | None, list[Problem]]:
    """A result from its cells, or what is wrong with them; `text` is how it was written, if it was."""
    cells = {name: cell for name, cell in cells.items() if cell}
    problems: list[Problem] = []
    for column, test in _STATISTICS.items():
        if column in cells and "statistic" not in cells:
            cells = {"test": test, **cells, "statistic": cells[column]}
    groups = tuple(_groups(cells, problems))
    result = PrintedResult(
        where=_place(cells.get("where", ""), where),
        text=text or _as_written(cells),
        test=cast(TestKind, _choice(cells, "test", TESTS, problems)),
        statistic=_number(cells, "statistic", problems),
        df=_number(cells, "df", problems, least=0),
        p=_number(cells, "p", problems, least=0, most=1, bounded=True),
        sides=cast(Sides, _choice(cells, "sides", _SIDES, problems)),
        groups=groups,
        integer=cells.get("integer", "").lower() in ("1", "yes", "true", "integer") or "episodes" in cells,
        episodes=_count(cells, "episodes", problems) or 1,
    )
    if result.statistic and not result.test and not problems:
        problems.append(
            ("test", f"which test has this statistic? Choose from: {', '.join(dict.fromkeys(TESTS.values()))}.")
        )
    if not problems and not (result.p or result.statistic or any(one.mean or one.sd for one in groups)):
        problems.append(("", "nothing to check: no p, no statistic, no mean"))
    return (None if problems else result), problems


def _place(label: str, where: str) -> str:
    """`table 9 (x.csv:12)`."""
    return f"{label} ({where})" if label and where else label or where


def _choice(cells: Mapping[str, str], column: str, choices: Mapping[str, str], problems: list[Problem]) -> str:
    found = cells.get(column, "").lower().replace("'", "").replace("’", "")
    spelled = re.sub(r"[\s\-]+", "_" if column == "test" else "-", found)
    if found and spelled not in choices:
        problems.append((column, f"found {cells[column]!r}, which is not known.{did_you_mean(found, choices)}"))
    return choices.get(spelled, "")


def _number(
    cells: Mapping[str, str], column: str, problems: list[Problem], least: float | None = None,
    most: float | None = None, bounded: bool = False,
) -> PrintedNumber | None:  # fmt: skip
    if column not in cells:
        return None
    found = number(cells[column], bounded=bounded)
    if found is None:
        comma = number(cells[column].replace(",", ".", 1), bounded=bounded) and "," in cells[column]
        hint = " Write a decimal point, not a comma." if comma else ""
        expected = "a number such as 0.04 or <0.001" if bounded else "a number"
        problems.append((column, f"found {cells[column]!r}, expected {expected}.{hint}"))
    elif (least is not None and found.value < least) or (most is not None and found.value > most):
        range_ = f"from {least:g} up" if most is None else f"between {least:g} and {most:g}"
        problems.append((column, f"found {cells[column]!r}, expected a number {range_}"))
    return found


def _count(cells: Mapping[str, str], column: str, problems: list[Problem]) -> int | None:
    if column not in cells:
        return None
    text = cells[column].removesuffix(".0").replace(",", "")
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_SEEDS:
        problems.append((column, f"found {cells[column]!r}, expected a whole number from 1 to {_MOST_SEEDS:,}"))
        return None
    return int(text)


def _groups(cells: Mapping[str, str], problems: list[Problem]) -> Iterator[PrintedGroup]:
    """Columns without a 1 or 2 are those of the only group; `n` alone is that of each."""
    two = any(f"{name}{group}" in cells for name in _OF_A_GROUP for group in "12")
    one = any(name in cells for name in _OF_A_GROUP[1:])
    if one and two:
        problems.append(("", "columns with and without a 1 or 2: are there two groups, or one?"))
    elif one:
        yield _group(cells, "", problems)
    elif two:
        yield from (_group(cells, group, problems) for group in "12")
    elif (n := _count(cells, "n", problems)) is not None:
        yield from (PrintedGroup(n=n), PrintedGroup(n=n))


def _group(cells: Mapping[str, str], group: str, problems: list[Problem]) -> PrintedGroup:
    ci, both = cells.get(f"ci{group}", ""), None
    if ci and (both := _RANGE.fullmatch(re.sub(r"−", "-", ci))):
        cells = {**cells, "low": both[1], "high": both[2]}
    n = _count(cells, f"n{group}" if f"n{group}" in cells else "n", problems)
    bare = cells.get(f"bare{group}") == "yes"
    low, high = (_number(cells, end, problems) if both else None for end in ("low", "high"))
    if low and high and low.value > high.value:
        problems.append((f"ci{group}", f"found {ci!r}, whose lower end is above the upper one"))
    return PrintedGroup(
        n=n,
        mean=_number(cells, f"mean{group}", problems),
        sd=_number(cells, f"sd{group}", problems, least=0),
        se=_number(cells, f"se{group}", problems, least=0),
        ci=None if both else _number(cells, f"ci{group}", problems, least=0),
        ci_low=low,
        ci_high=high,
        minimum=_number(cells, f"min{group}", problems),
        maximum=_number(cells, f"max{group}", problems),
        bare=bare,
    )


_SYMBOLS = {"t": "t", "student": "t", "welch": "Welch t", "paired_t": "paired t", "ks": "KS D", "mann_whitney": "U"}


def _as_written(cells: Mapping[str, str]) -> str:
    test = TESTS.get(re.sub(r"[\s\-]+", "_", cells.get("test", "").lower()), "")
    df = f"({cells['df']})" if "df" in cells else ""
    parts = [f"{_SYMBOLS.get(test, test or 'statistic')}{df} = {cells['statistic']}"] if "statistic" in cells else []
    parts += [test.replace("_", "-")] if "statistic" not in cells and test else []
    if p := cells.get("p"):
        parts.append(f"p {p}" if p[0] in "<>=≤≥" else f"p = {p}")
    groups = [_group_as_written(cells, group) for group in ("1", "2", "")]
    parts += [" against ".join(filter(None, groups))] if any(groups) else []
    if ns := ", ".join(cells[name] for name in ("n", "n1", "n2") if name in cells):
        parts.append(f"n = {ns}")
    return ", ".join(parts)


def _group_as_written(cells: Mapping[str, str], group: str) -> str:
    return " ".join(f"{name} {cells[name + group]}" for name in _OF_A_GROUP[1:] if name + group in cells)
