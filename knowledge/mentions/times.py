"""When a sentence says that something was: dates as ISO, other expressions in the words of the text."""

import re
from dataclasses import dataclass

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
            "august aug", "september sept sep", "october oct", "november nov", "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_NUMBER = (
    r"(?:\d+(?:\.\d+)?(?: ?(?:-|–|to) ?\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|several"
    r"|(?:a )?few|(?:a )?couple of)"
)
_UNIT = r"(?:min(?:ute)?s?|h(?:ou)?rs?|days?|weeks?|wks?|months?|mos?|years?|yrs?|decades?|nights?)"
_ZH_NUMBER = r"(?:\d+(?:\.\d+)?|[一二两三四五六七八九十百半数几]+)"
_ZH_UNIT = r"(?:个?小时|分钟|天|日|周|个?星期|个?月|年)"
_ISO = re.compile(r"(?<!\d)(?P<y>(?:19|20|21)\d\d)[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})(?:日|号|(?!\d))")
_WRITTEN = re.compile(
    rf"\b(?:(?P<m>{_MONTH})\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>(?:19|20|21)\d\d)"
    rf"|(?P<d2>\d{{1,2}})\s+(?P<m2>{_MONTH}),?\s+(?P<y2>(?:19|20|21)\d\d))\b",
    re.IGNORECASE,
)
_WORDS = re.compile(
    "|".join(
        (
            rf"\b(?:about |approximately |over |nearly |almost )?{_NUMBER}[ -]{_UNIT} (?:ago|earlier|prior|back)\b",
            rf"\b(?:for|over|during|in|within) (?:the )?(?:last|past|previous) (?:{_NUMBER} )?{_UNIT}\b",
            rf"\bfor (?:about |approximately |over |nearly )?{_NUMBER} {_UNIT}\b",
            r"\b(?:last|this|past) (?:night|week|month|year|morning|evening)\b",
            rf"\blast (?:spring|summer|fall|autumn|winter|{_MONTH})\b",
            r"\b(?:since|until) (?:yesterday|last \w+|this morning|admission|discharge|childhood|birth)\b",
            r"\b(?:yesterday|today|tonight|overnight|this morning|on admission|in childhood)\b",
            rf"\b(?:in|since) (?:{_MONTH}(?: of)? )?(?:19|20|21)\d\d\b",
            r"\b(?:post[- ]?op(?:erative)?|hospital) day #? ?\d+\b",
            r"(?<!\d)(?:19|20|21)\d\d年(?:\d{1,2}月)?(?:[初底中])?",
            rf"(?:近|最近|过去){_ZH_NUMBER}{_ZH_UNIT}来?",
            rf"{_ZH_NUMBER}余?多?{_ZH_UNIT}(?:余|多)?(?:以?前|来)",
            rf"(?:术|入院|出院|产|伤|病|化疗)后第?{_ZH_NUMBER}{_ZH_UNIT}",
            r"今[日晨天早晚年]|昨[日晚天夜]|前[天日]|去年|前年|上周|上月|本周|本月|近日|近期|日前|当日|夜间",
        )
    ),
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Time:
    """A time that the text gives between ``start`` and ``end``."""

    start: int
    end: int
    value: str


def times_in(text: str, start: int, end: int) -> list[Time]:
    """The times that a stretch of text gives, by position, without overlaps."""
    found = [
        Time(*match.span(), f"{match['y']}-{int(match['m']):02}-{int(match['d']):02}")
        for match in _ISO.finditer(text, start, end)
        if 1 <= int(match["m"]) <= 12 and 1 <= int(match["d"]) <= 31
    ]
    for match in _WRITTEN.finditer(text, start, end):
        month = _MONTHS[(match["m"] or match["m2"]).lower().rstrip(".")]
        day = int(match["d"] or match["d2"])
        found.append(Time(*match.span(), f"{match['y'] or match['y2']}-{month:02}-{day:02}"))
    for match in _WORDS.finditer(text, start, end):
        if all(match.end() <= time.start or match.start() >= time.end for time in found):
            found.append(Time(*match.span(), match.group()))
    return sorted(found, key=lambda time: time.start)
