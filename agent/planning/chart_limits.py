# ruff: noqa: E501 - patterns read best on one line
"""Limits that a question for a chart names: "above 5.5", "over 65", "longer than 7 days", 65岁以上, 大于250.

A limit is of a measured value, of the age or of the length of the stay: its unit or the words beside it tell.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from agent.query.model import Condition, Operator

About = Literal["value", "age", "stay", "bare"]
"""What a limit is of; ``bare``: a number without a unit, which is of what is measured, else of the age."""
_N = r"(?P<n>\d+(?:\.\d+)?)"
_TO = r"(?P<m>\d+(?:\.\d+)?)"
_YEARS = r"(?P<years>\s*-?\s*(?:years?(?: old| of age)?|y/?o|yrs?|岁)(?![a-z]))"
_DAYS = r"(?P<days>\s*-?\s*(?:days?|天|日)(?![a-z]))"
_UNIT = r"(?P<unit>\s*(?:%|°\s?[cf]|℃|mmhg|mmol/l|[µμu]mol/l|meq/l|mg/dl|g/dl|g/l|mg/l|ng/ml|pg/ml|ug/ml|iu/l|u/l|k/ul|bpm|ml|kg|cm|l/min|次/分|分(?!钟)|points?)(?![a-z]))"
_ANY = rf"(?:{_YEARS}|{_DAYS}|{_UNIT})?"
_AGED = r"(?P<aged>\b(?:aged?|ages?|of age|age(?: is| at admission)?)\s+|年龄(?:在)?\s*)?"
_WORDS: tuple[tuple[str, Operator], ...] = (
    (
        rf"(?:>=|≥|\bat least|\bno less than|\bnot below|不低于|不少于|不小于|至少|达到|达|大于等于|大于或等于)\s*{_N}{_ANY}",
        ">=",
    ),
    (
        rf"(?:<=|≤|\bat most|\bno more than|\bnot above|\bup to|不超过|不高于|不大于|至多|最多|小于等于|小于或等于)\s*{_N}{_ANY}",
        "<=",
    ),
    (
        rf"(?:>|\b(?:above|over|greater than|more than|higher than|longer than|exceeding|exceeds?|beyond|in excess of)|(?<!不)(?:大于|高于|超过|多于|超))\s*{_N}{_ANY}s?",
        ">",
    ),
    (rf"(?P<older>\b(?:older than))\s*{_N}{_ANY}", ">"),
    (rf"(?P<younger>\b(?:younger than))\s*{_N}{_ANY}", "<"),
    (
        rf"(?:<|\b(?:below|under|less than|lower than|shorter than|fewer than)|(?<!不)(?:小于|低于|少于|不足|未满|不到|短于))\s*{_N}{_ANY}s?",
        "<",
    ),
    (rf"(?:达到?)?\s*{_N}{_ANY}\s*(?:及|或|和|或者)?(?:其)?以上", ">="),
    (rf"{_N}{_ANY}\s*(?:及|或|和|或者)?(?:其)?以下", "<="),
    (rf"{_N}{_ANY}\s*(?:or|and)\s+(?P<older2>older|over|above|up)\b", ">="),
    (rf"{_N}{_ANY}\s*(?:or|and)\s+(?P<younger2>younger|under|below)\b", "<="),
    (rf"(?<![\d-]){_N}\s*\+(?!\w)", ">="),
)
_BETWEEN = (
    rf"\b(?:between|from)\s+{_N}\s+(?:and|to)\s+{_TO}{_ANY}",
    rf"{_N}\s*(?:-|–|~|到|至|to)\s*{_TO}{_YEARS}(?:之间|的)?",
)
_GROUPS: tuple[tuple[str, Operator, float], ...] = (
    (
        r"\b(?:the )?(?:elderly|older adults?|older patients|old people|geriatric)\b|老年(?:人|患者|病人)?|高龄",
        ">=",
        65.0,
    ),
    (r"\b(?:children|minors|p(?:a)?ediatric|kids)\b|儿童|未成年(?:人)?|小儿", "<", 18.0),
)
_SCORES = frozenset({"分", "point", "points"})
"""Units of scores, which the records have no word for."""
_STAY = re.compile(r"\b(?:stay\w*|los|admitted for|hospitali[sz]ed for|inpatient for)\b|住院|住了|停留")


@dataclass(frozen=True, slots=True)
class Limit:
    """Words ``text[start:end]`` that limit a number."""

    start: int
    end: int
    about: About
    op: Operator
    value: float
    upper: float | None = None
    unit: str | None = None

    def condition(self, field: str) -> Condition:
        """The limit as a condition on a field."""
        unit = self.unit if field == "value" and self.unit not in _SCORES else None
        return Condition(field=field, op=self.op, value=self.value, upper=self.upper, unit=unit)


def limits(text: str) -> Iterator[Limit]:
    """The limits in a text, which is in lower case; where two overlap, the reader takes the longer.

    Args:
        text: of the question, narrowed, with its chart words blanked.
    """
    for pattern in _BETWEEN:
        for match in re.finditer(_AGED + pattern, text):
            yield _limit(match, "between", text)
    for pattern, op in _WORDS:
        for match in re.finditer(_AGED + pattern, text):
            yield _limit(match, op, text)
    for pattern, op, value in _GROUPS:
        for match in re.finditer(pattern, text):
            yield Limit(*match.span(), "age", op, value)


def _limit(match: re.Match[str], op: Operator, text: str) -> Limit:
    said = {name for name, part in match.groupdict().items() if part}
    unit = match["unit"].strip() if "unit" in said else None
    about: About = "bare"
    if said & {"years", "aged", "older", "younger", "older2", "younger2"}:
        about = "age"
    elif "days" in said:
        about = "stay" if _STAY.search(text) else "bare"
    elif unit:
        about = "value"
    if said & {"older2"} and match["older2"] in ("above", "up") and unit:
        about = "value"
    upper = float(match["m"]) if "m" in said else None
    return Limit(*match.span(), about, op, float(match["n"]), upper, unit)
