"""A small grammar for printed results, as people write them:

    t(8) = 2.31, p = .04, n = 5, 5
    Welch t = 2.31, df = 6.2, p = .06
    KS D = .80, p = .036, n = 5, 5
    U = 3, p = .056, n1 = 5, n2 = 5
    247 ± 145 (n = 20) vs 186 ± 120 (n = 20), p = .15
    mean 247, sd 145, n 20 against mean 186, sd 120, n 20
    table 9, PPO: t = 1.85, p = 0.102, n = 5

Numbers keep their decimals, which say how they were rounded. A text that is not understood to its last word is
refused: half a result would be checked as if it were whole.
"""

import re

from rlaudit.errors import ImportFormatError
from rlaudit.printed.cells import NUMBER, of_cells
from rlaudit.printed.nouns import PrintedResult

_PM = r"(?:±|\+\s?/?-|\+−)"
_IS = r"\s*[=:]?\s*"
_WORDS = (  # name, pattern; the first that fits is taken
    ("test", r"(?:welch|student)(?:['’]?s)?|paired|mann[- ]?whitney(?: u(?!\s*=))?|kolmogorov[- ]smirnov|permutation"
             r"|ks(?!\s*[(=])"),
    ("statistic", rf"(?P<letter>t|ks|d|u|w)(?:[- ]statistic)?\s*(?:\((?P<inside>[^()]*)\))?\s*=\s*(?P<value>{NUMBER})"),
    ("p", rf"p(?:[- ]values?)?\s*(?P<sign><=|>=|[=<>≤≥])\s*(?P<value>{NUMBER})"),
    ("df", rf"df{_IS}(?P<value>{NUMBER})"),
    ("nth", r"n_?(?P<group>[12])\s*=?\s*(?P<value>\d+)"),
    ("ns", r"n\s*=?\s*(?P<first>\d+)\s*(?:,|/|\+|and|vs?\.?|against|versus)\s*(?P<second>\d+)\b"
           rf"(?![.,]\d|\s*{_PM})"),
    ("n", r"n\s*=?\s*(?P<value>\d+)\b"),
    ("bare", rf"(?:mean{_IS})?(?P<mean>{NUMBER})\s*{_PM}\s*(?P<value>{NUMBER})"
             r"(?:\s*\(?\b(?P<unit>std|sd|sem|se|95\s?%\s?ci|ci)\b\)?)?"),
    ("mean", rf"(?:mean|m){_IS}(?P<value>{NUMBER})"),
    ("spread", rf"(?P<unit>std|sd|sem|se|min|max|95\s?%\s?ci|ci){_IS}"
               rf"(?P<value>\[\s*{NUMBER}\s*[,;]\s*{NUMBER}\s*\]|{NUMBER})"),
    ("sides", r"(?P<value>(?:one|two)[- ](?:sided|tailed))"),
    ("episodes", r"(?P<value>\d+)\s+episodes"),
    ("integer", r"integers?(?:\s+(?:returns?|scores?))?"),
    ("next", r"(?:vs?\.?|versus|against|and|compared (?:to|with))(?=\W)"),
    ("filler", r"[\s,;.()]+|tests?\b|(?:seeds|runs)\b|with\b|each\b|of\b|in\b"),
)  # fmt: skip
_PATTERNS = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _WORDS]
_UNITS = {"std": "sd", "sem": "se", "95%ci": "ci"}
_HELP = "Write it as in 't(8) = 2.31, p = .04, n = 5, 5' or '247 ± 145 (n = 20) vs 186 ± 120 (n = 20)'."


def of_sentence(text: str) -> PrintedResult:
    """Raises ImportFormatError where a word is not understood, or a number is none."""
    label, body = _without_label(text)
    reading = _Reading()
    if label and (test := re.search(_WORDS[0][1], label, re.IGNORECASE)):
        reading.take("test", test)
    position = 0
    while position < len(body):
        name, match = next(
            ((name, match) for name, pattern in _PATTERNS if (match := pattern.match(body, position))), ("", None)
        )
        if match is None or match.end() == position:
            raise ImportFormatError(f"{text!r}: {body[position:].strip()!r} is not understood. {_HELP}")
        reading.take(name, match)
        position = match.end()
    result, problems = of_cells({**reading.cells(), "where": label}, "", body.strip())
    if result is None:
        raise ImportFormatError(
            "\n".join(f"{text!r}: {column} {message}".replace(":  ", ": ") for column, message in problems)
        )
    return result


def _without_label(text: str) -> tuple[str, str]:
    plain = text.replace("−", "-")
    label, colon, body = plain.partition(":")
    is_label = colon and not re.search(rf"[=<>]|{_PM}", label) and body.strip()
    return (label.strip(), body) if is_label else ("", plain)


class _Reading:
    """The cells that a text fills, word by word."""

    def __init__(self) -> None:
        self.all: dict[str, str] = {}
        self.groups: list[dict[str, str]] = [{}]

    def take(self, name: str, match: re.Match[str]) -> None:
        found = match.groupdict()
        if name in ("p", "df", "sides", "episodes"):
            self.all[name] = (
                (found.get("sign") or "").replace("=", "") + found["value"] if name == "p" else found["value"]
            )
        elif name == "test":
            self.all["test"] = re.sub(r"(?<=welch|udent)['’]?s$", "", match[0].lower())
        elif name == "integer":
            self.all["integer"] = "yes"
        elif name == "statistic":
            self._statistic(found)
        elif name == "nth":
            self.all[f"n{found['group']}"] = found["value"]
        elif name == "ns":
            self.all["n1"], self.all["n2"] = found["first"], found["second"]
        elif name == "next":
            self.groups.append({}) if self.groups[-1] else None
        elif name != "filler":
            self._of_group(name, found)

    def _statistic(self, found: dict[str, str]) -> None:
        letter, inside = found["letter"].lower(), (found["inside"] or "").split(",")
        self.all["statistic"] = found["value"]
        self.all.setdefault("test", {"t": "t", "ks": "ks", "d": "ks"}.get(letter, "mann_whitney"))
        if len(inside) == 2 and letter != "t":
            self.all["n1"], self.all["n2"] = (one.strip() for one in inside)
        elif inside != [""]:
            self.all["df" if letter == "t" else "n"] = ",".join(inside).strip()

    def _of_group(self, name: str, found: dict[str, str]) -> None:
        unit = re.sub(r"\s", "", (found.get("unit") or "sd").lower())
        column = {"n": "n", "mean": "mean"}.get(name, _UNITS.get(unit, unit))
        if column in self.groups[-1] or (name == "bare" and "mean" in self.groups[-1]):
            self.groups.append({})
        self.groups[-1][column] = found["value"]
        if name == "bare":
            self.groups[-1]["mean"] = found["mean"]
            self.groups[-1]["bare"] = "no" if found["unit"] else "yes"

    def cells(self) -> dict[str, str]:
        """One group keeps its names, unless a test or an n says that there were two."""
        groups = [group for group in self.groups if group]
        if len(groups) > 2:
            raise ImportFormatError(f"{len(groups)} groups in one result: write each pair on its own.")
        if len(groups) == 1:
            return {**self.all, **groups[0]}
        numbered = ({f"{column}{i}": value for column, value in one.items()} for i, one in enumerate(groups, start=1))
        return {**self.all, **{column: value for one in numbered for column, value in one.items()}}
