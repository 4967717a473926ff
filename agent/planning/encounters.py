# ruff: noqa: E501 - patterns and tables read best on one line
"""Hospital and ICU stays that a question names: "this admission", "first 24 h of ICU", "上次住院", "入院以来"."""

import re
from dataclasses import dataclass
from typing import Literal

from agent.planning.numerals import ENGLISH_NUMBER, HAN_NUMBER, number
from agent.query.model import Encounter

_AT_ADMISSION_HOURS = 24.0
_ICU = r"icu|重症监护室|重症监护病房|重症|监护室"
_EN_NOUN = (
    r"(?:admission|adm|admit(?!\s+(?:date|time|type|reason|dx|note))|stay|hospitali[sz]ation|visit|encounter)"
)
_EN_OWN = r"(?:the|her|his|their|this|current|this current|patient'?s)"
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}


@dataclass(frozen=True, slots=True)
class EncounterWords:
    """Words ``text[start:end]`` that name ``encounter``; ``assumption`` as (English, Chinese)."""

    start: int
    end: int
    encounter: Encounter
    assumption: tuple[str, str] | None = None


_NAMED = re.compile(
    rf"\b(?:(?:the|her|his|their)\s+)?"
    rf"(?P<which>this|the current|current|present|ongoing|last|final|latest|most recent|previous|prior|first|second|third|"
    rf"fourth|fifth|\d+(?:st|nd|rd|th))\s+(?:(?P<icu>icu)\s+)?(?:hosp(?:ital)?\s+|inpatient\s+)?{_EN_NOUN}\b"
)
_WAS_IN = re.compile(
    r"\b(?:the\s+)?(?P<which>last|previous|first)\s+time\s+(?:that\s+)?(?:she|he|they|the patient)\s+"
    r"(?:was\s+|were\s+|had\s+been\s+)?(?:in(?:\s+(?:the\s+)?hospital)?|here|admitted|hospitali[sz]ed|came\s+in|stayed)\b"
)
_DURING = re.compile(
    rf"\b(?:during|throughout|over|in|for|within)\s+(?:{_EN_OWN}\s+)?(?:entire\s+|whole\s+)?(?:(?P<icu>icu)\s+)?"
    rf"(?:hosp(?:ital)?\s+)?{_EN_NOUN}\b|\b(?:during|throughout|while in)\s+(?:{_EN_OWN}\s+)?(?P<icu2>icu)\b"
)
_SINCE = re.compile(
    rf"\b(?:since|after|from)\s+(?:{_EN_OWN}\s+)?(?:(?P<icu>icu)\s+)?(?:hospital\s+)?admission(?:\s+to\s+(?:the\s+)?"
    r"(?P<icu2>icu)|\s+to (?:the )?hospital)?\b|"
    r"\b(?:since|after)\s+(?:(?:she|he|they|the patient)\s+(?:(?:was|were|got|is)\s+)?)?(?:being\s+)?(?:admitted|hospitali[sz]ed|arrived|arriving|came in|coming in|come in|got here|"
    r"in)(?:\s+to\s+(?:the\s+)?(?P<icu3>icu))?\b(?:\s+to (?:the )?hospital)?"
)
_FIRST_HOURS = re.compile(
    rf"\b(?:in\s+|during\s+|within\s+|over\s+)?(?:the\s+)?(?:(?:first|initial)\s+)?(?P<n>{ENGLISH_NUMBER})\s*-?"
    rf"\s*(?P<unit>hours?|hrs?|h|days?)\s+(?:of|after|from|following|since|in|into)\s+(?:{_EN_OWN}\s+)?"
    rf"(?:(?P<icu>icu)|hospital)?\s*(?:admission|stay|arrival|(?P<icu2>(?<=icu )|\bicu\b))?(?<!of )(?<!after )(?<!in )"
)
_AT = re.compile(
    rf"\b(?:on|at|upon)\s+(?:the\s+time\s+of\s+)?(?:{_EN_OWN}\s+)?(?:(?P<icu>icu)\s+)?(?:hospital\s+)?(?:admission|arrival)\b"
    r"(?!\s+(?:type|reason))|\bwhen\s+(?:she|he|the patient)\s+was\s+admitted(?:\s+to\s+(?:the\s+)?(?P<icu2>icu))?\b(?!\?*$)"
)
_HAN_NAMED = re.compile(
    rf"(?P<which>本次|这次|此次|本|当前|目前|现在|上上次|上次|上一次|上回|前次|前一次|前回|末次|最近一次|最近那次|最后一次|最后那次|最近的一次|第一次|首次|初次|头一次|头一回|"
    rf""
    rf"第(?P<n>{HAN_NUMBER})次)(?:的)?(?P<icu>{_ICU})?(?:住院|入院|就诊|入住|治疗)(?:期间|以来|的?时候|时(?!间|长)|中|过程中|内)?"
)
_HAN_NAMED_ICU = re.compile(
    rf"(?P<which>本次|这次|此次|当前|目前|上次|上一次|前次|最近一次|末次|最后一次|第一次|首次|第(?P<n>{HAN_NUMBER})次)(?:的)?(?:入住?|进|转入)?"
    rf"(?P<icu>{_ICU})(?:住院|停留|治疗|入住)?(?:期间)?"
)
_HAN_DURING = re.compile(
    rf"在?(?P<icu>{_ICU})(?:的)?(?:住院|停留|治疗|入住)?(?:期间|的时候|治疗中)|住院期间|住院过程中|住院中|院内期间"
)
_HAN_SINCE = re.compile(
    rf"自?从?(?:入院|住院|住进来)(?:之后|以后|以来|后|至今|到现在|到目前)(?:至今|到现在)?(?!的?第|\d|头|最初|{HAN_NUMBER}个?(?:小时|天|日))|"
    rf"自?从?(?:入住|入|转入|进入|收入|进|住)(?P<icu>{_ICU})(?:之后|以后|以来|后|至今|到现在)(?:至今)?"
    rf"(?!的?第|\d|头|最初|(?:{HAN_NUMBER})个?(?:小时|天|日))"
)
_HAN_FIRST_HOURS = re.compile(
    rf"(?:(?:入住|入|转入|进入|收入|进|住)?(?P<icu>{_ICU})|入院|住院)(?:之后|以后|后|的)?(?:的)?(?:头|前|最初|早期|首个?|第一个)?"
    rf"(?P<n>{HAN_NUMBER})个?(?P<unit>小时|天|日)(?:以内|之内|内|里)?"
)
_HAN_AT = re.compile(
    rf"(?:刚|本次|此次|这次)?(?:(?:入住|入|转入|进|进入)(?P<icu>{_ICU})|入院)(?:的时候|时(?!间|长)|当天|当日|之初|首日)"
)


_DAY_OF = re.compile(
    rf"\b(?:on\s+|during\s+)?(?:the\s+)?(?P<n>{'|'.join(_ORDINALS)})\s+day\s+(?:of|after|in)\s+(?:{_EN_OWN}\s+)?"
    rf"(?:(?P<icu>icu)\s+)?(?:hospital\s+)?(?:admission|stay)\b|"
    rf"\b(?:on\s+|during\s+)?(?:(?P<icu2>icu)|hospital|inpatient)\s+day\s+(?P<n2>\d+)\b|"
    rf"\b(?:on\s+|during\s+)?day\s+(?P<n3>\d+)\s+(?:of|in)\s+(?:{_EN_OWN}\s+)?(?:(?P<icu3>icu)\s+)?(?:hospital\s+)?"
    rf"(?:admission|stay)\b"
)
_HAN_DAY_OF = re.compile(
    rf"(?:(?:入住|入|转入|进入|收入|进|住)?(?P<icu>{_ICU})|(?:本次|这次|此次)?(?:入院|住院))(?:之后|以后|后|的)?(?:的)?"
    rf"(?:首日|首天|第(?P<n>{HAN_NUMBER})[天日])"
)


def encounters(text: str) -> list[EncounterWords]:
    """The encounters that ``text`` (lower case, half width) names; the longest wins, none overlap."""
    found: list[EncounterWords] = []
    for pattern in (_FIRST_HOURS, _HAN_FIRST_HOURS):
        for match in pattern.finditer(text):
            if (words := _first_hours(match)) is not None:
                found.append(words)
    for pattern in (_NAMED, _WAS_IN, _HAN_NAMED, _HAN_NAMED_ICU):
        found += [_named(match) for match in pattern.finditer(text)]
    for pattern in (_DURING, _SINCE, _HAN_DURING, _HAN_SINCE):
        found += [
            EncounterWords(*match.span(), Encounter(kind=_kind(match))) for match in pattern.finditer(text)
        ]
    for pattern in (_AT, _HAN_AT):
        for match in pattern.finditer(text):
            said = ("“on admission” is taken as the first 24 hours", "“入院时”按入院后 24 小时内计")
            at = Encounter(kind=_kind(match), from_hours=0, to_hours=_AT_ADMISSION_HOURS)
            found.append(EncounterWords(*match.span(), at, said))
    for pattern in (_DAY_OF, _HAN_DAY_OF):
        found += [words for match in pattern.finditer(text) if (words := _day_of(match)) is not None]
    found.sort(key=lambda words: (words.start - words.end, words.start))
    kept: list[EncounterWords] = []
    for words in found:
        if all(words.end <= other.start or words.start >= other.end for other in kept):
            kept.append(words)
    return sorted(kept, key=lambda words: words.start)


def _kind(match: re.Match[str]) -> Literal["admission", "icu_stay"]:
    groups = match.groupdict()
    return "icu_stay" if any(groups.get(name) for name in ("icu", "icu2", "icu3")) else "admission"


def _named(match: re.Match[str]) -> EncounterWords:
    which = match["which"].removeprefix("the ")
    kind = _kind(match)
    groups = match.groupdict()
    nth = _ORDINALS.get(which) or (number(groups["n"]) if groups.get("n") else None)
    if nth is None and which[0].isdigit():
        nth = float(re.sub(r"\D", "", which))
    if nth is not None:
        encounter = (
            Encounter(kind=kind, which="first") if nth == 1 else Encounter(kind=kind, which="nth", n=int(nth))
        )
    elif which in {"current", "present", "ongoing", "当前", "目前", "现在"}:
        encounter = Encounter(kind=kind, which="current")
    elif which in {
        "last",
        "final",
        "previous",
        "prior",
        "上次",
        "上一次",
        "前次",
        "前一次",
        "末次",
        "最后一次",
        "上回",
        "前回",
        "最后那次",
    }:
        encounter = Encounter(kind=kind, which="last")
    elif which in {"第一次", "首次", "初次", "头一次", "头一回"}:
        encounter = Encounter(kind=kind, which="first")
    else:  # this, latest, most recent, 本次, 最近一次: the open one or else the latest
        encounter = Encounter(kind=kind, which="this")
    return EncounterWords(*match.span(), encounter)


def _day_of(match: re.Match[str]) -> EncounterWords | None:
    """A day of a stay, counted in 24 hours from its start."""
    groups = match.groupdict()
    said = next((groups[name] for name in ("n", "n2", "n3") if groups.get(name)), "1")
    day = _ORDINALS.get(said) or number(said)
    if day is None or day < 1:
        return None
    hours = (24.0 * (day - 1), 24.0 * day)
    assumed = (
        f"“{match[0].strip()}” is taken as hours {hours[0]:g} to {hours[1]:g} of the stay",
        f"“{match[0].strip()}”按入院（入科）后第 {hours[0]:g} 至 {hours[1]:g} 小时计",
    )
    stay = Encounter(kind=_kind(match), from_hours=hours[0], to_hours=hours[1])
    return EncounterWords(*match.span(), stay, assumed)


def _first_hours(match: re.Match[str]) -> EncounterWords | None:
    amount = number(match["n"])
    if amount is None or not re.search(r"icu|admission|arrival|stay|入院|住院|重症|监护", match[0]):
        return None
    hours = amount * (24 if match["unit"].startswith("day") or match["unit"] in {"天", "日"} else 1)
    return EncounterWords(
        match.start(), match.end(), Encounter(kind=_kind(match), from_hours=0, to_hours=float(hours))
    )
