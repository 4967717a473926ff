# ruff: noqa: E501 - patterns and tables read best on one line
"""Points of the calendar that a question names: "yesterday", "March 2100", "3 days ago", "过去24小时", "去年".

Each becomes a :class:`Point`: a half-open span of absolute time. How points combine ("since X", "between X and
Y") is for ``times.py``; hospital stays are for ``encounters.py``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import dateparser

from agent.planning.numerals import ENGLISH_NUMBER, HAN_NUMBER, number
from agent.planning.units_of_time import (
    ENGLISH_UNIT,
    HAN_UNIT,
    MONTHS,
    UNITS,
    calendar_span,
    count_back,
    shift,
)

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_YEAR = r"(?:19|20|21|22)\d{2}"
_NTH = ("first", "second", "third", "fourth")
_HAN_DIGITS = "〇零一二三四五六七八九"
_RECENT_DAYS = 7


@dataclass(frozen=True, slots=True)
class Point:
    """Words ``text[start:end]`` and the span ``[first, last)`` that they name.

    Attributes:
        exact: the instant for "since": "since 1 year ago" starts at that instant, not with its calendar year.
        assumption: what was taken for granted, as (English, Chinese).
    """

    start: int
    end: int
    first: datetime
    last: datetime
    exact: datetime | None = None
    assumption: tuple[str, str] | None = None


Span = tuple[datetime, datetime] | tuple[datetime, datetime, datetime | None, tuple[str, str] | None]


def points(text: str, now: datetime) -> list[Point]:
    """The points in ``text`` (lower case, half width), longest first match wins, none overlapping."""
    found: list[Point] = []
    for pattern, build in _PATTERNS:
        for match in pattern.finditer(text):
            try:
                span = build(match, now)
            except (ValueError, OverflowError):  # 30 February, year 99999: not a date, so just words
                continue
            if span is not None:
                cores = [name for name in ("core", "core2", "core3") if match.groupdict().get(name)]
                start, end = match.span(cores[0] if cores else 0)
                exact, said = span[2:] if len(span) == 4 else (None, None)
                found.append(Point(start, end, span[0], span[1], exact, said))
    found.sort(key=lambda point: (point.start - point.end, point.start))
    kept: list[Point] = []
    for point in found:
        if all(point.end <= other.start or point.start >= other.end for other in kept):
            kept.append(point)
    return sorted(kept, key=lambda point: point.start)


def _rolling(match: re.Match[str], now: datetime) -> Span | None:
    words = match["n"] or "1"
    amount = number(words)
    if amount is None:
        return None
    unit = UNITS[match["unit"]]
    vague = {"few", "几", "several"} & {words.split()[-1], words}
    said = (f"“{words}” is taken as 3", f"“{words}”按 3 计") if vague else None
    if not match["n"]:
        said = (f"the last {match['unit']} counts back from now", f"按从现在往前一{match['unit']}计")
    first = shift(now, -amount, unit)
    return first, _just_after(now), first, said


def _ago(match: re.Match[str], now: datetime) -> Span | None:
    amount = number(match["n"])
    if amount is None:
        return None
    unit = UNITS[match["unit"]]
    if unit == "years" and amount < 1:  # half a year ago is a month, not a year
        amount, unit = amount * 12, "months"
    then = shift(now, -amount, unit)
    if unit in {"minutes", "hours"}:
        half = timedelta(minutes=30)
        said = ("within 30 minutes of that time", "按该时刻前后 30 分钟计")
        return then - half, then + half, then, said
    said = None if unit == "days" else (f"that calendar {unit[:-1]}", "按该自然周期计")
    return *calendar_span(then, unit), count_back(now, amount, unit), said


def _last_period(match: re.Match[str], now: datetime) -> Span:
    unit = UNITS[match["unit"]]
    first, last = calendar_span(shift(calendar_span(now, unit)[0], -1, unit), unit)
    name = first.strftime("%Y" if unit == "years" else "%Y-%m")
    count, han = _COUNTED[unit]
    said = (
        f"“{match[0]}” is taken as the calendar {match['unit']} {name}; say “past {count}” to count back from now",
        f"“{match[0]}”按自然{han} {name} 计；如需从现在往前推算，请说“过去{_HAN_COUNTED[unit]}”",
    )
    return first, last, None, said


_COUNTED = {"months": ("30 days", "月"), "quarters": ("3 months", "季度"), "years": ("12 months", "年")}
_HAN_COUNTED = {"months": "30天", "quarters": "3个月", "years": "12个月"}


def _relative(match: re.Match[str], now: datetime) -> Span:
    unit = UNITS[match["unit"]]
    step = _STEPS[match["which"]]
    return calendar_span(shift(calendar_span(now, unit)[0], step, unit), unit)


_STEPS = {
    "this": 0, "current": 0, "last": -1, "past": -1, "previous": -1, "prev": -1, "prior": -1,
    "本": 0, "这": 0, "这个": 0, "当": 0, "今": 0, "上": -1, "上个": -1, "上一": -1, "去": -1, "前": -2,
    "上一个": -1, "上上": -2, "上上个": -2,
}  # fmt: skip
_DAYS = {
    "today": 0, "今天": 0, "今日": 0, "当天": 0, "yesterday": -1, "昨天": -1, "昨日": -1,
    "day before yesterday": -2, "前天": -2, "前日": -2, "大前天": -3,
}  # fmt: skip


def _day(match: re.Match[str], now: datetime) -> Span:
    return calendar_span(now + timedelta(days=_DAYS[match[0]]), "days")


def _part_of_day(match: re.Match[str], now: datetime) -> Span:
    day = calendar_span(now, "days")[0]
    words = match[0]
    if words in {"overnight", "last night", "昨晚", "昨夜", "昨天晚上", "昨天夜里"}:
        said = (
            f"“{words}” is taken as yesterday 18:00 to today 08:00",
            f"“{words}”按昨天 18:00 至今天 08:00 计",
        )
        return day - timedelta(hours=6), day + timedelta(hours=8), None, said
    if words in {"this morning", "今早", "今晨", "今天早上", "今天上午"}:
        said = (f"“{words}” is taken as today until 12:00", f"“{words}”按今天 12:00 前计")
        return day, day + timedelta(hours=12), None, said
    said = (f"“{words}” is taken as today from 12:00", f"“{words}”按今天 12:00 后计")
    return day + timedelta(hours=12), day + timedelta(days=1), None, said


def _recently(match: re.Match[str], now: datetime) -> Span:
    said = (
        f"“{match[0]}” is taken as the last {_RECENT_DAYS} days",
        f"“{match[0]}”按最近 {_RECENT_DAYS} 天计",
    )
    return now - timedelta(days=_RECENT_DAYS), _just_after(now), None, said


def _iso(match: re.Match[str], now: datetime) -> Span:
    day = datetime(int(match["y"]), int(match["m"]), int(match["d"]))
    if match["hour"] is None:
        return calendar_span(day, "days")
    instant = day.replace(hour=int(match["hour"]), minute=int(match["minute"] or 0))
    if match["second"] is not None:
        instant = instant.replace(second=int(match["second"]))
        return instant, instant + timedelta(seconds=1)
    return instant, instant + timedelta(minutes=1)


def _slashes(match: re.Match[str], now: datetime) -> Span:
    month, day = int(match["a"]), int(match["b"])
    said = None
    if month > 12:
        month, day = day, month
    elif day <= 12 and day != month:
        said = (f"{match[0]} is read month first", f"{match[0]} 按“月/日/年”理解")
    return *calendar_span(datetime(_year(match["y"], now), month, day), "days"), None, said


def _month(match: re.Match[str], now: datetime) -> Span:
    month = MONTHS.get(match["m"]) or int(match["m"])
    return calendar_span(datetime(_year(match["y"], now), month, 1), "months")


def _bare_month(match: re.Match[str], now: datetime) -> Span:
    named = next(part for name, part in match.groupdict().items() if name in ("m", "m2", "m3") and part)
    month = MONTHS.get(named) or int(number(named) or 0)
    year = now.year if month <= now.month else now.year - 1
    said = (f"{named.capitalize()} is taken as that of {year}", f"{named}月按 {year} 年计")
    return *calendar_span(datetime(year, month, 1), "months"), None, said


def _written(match: re.Match[str], now: datetime) -> Span | None:
    words = re.sub(r"(?<=\d)(?:st|nd|rd|th)|\bof\b", "", match[0])
    has_year = re.search(_YEAR, words) is not None
    parsed = dateparser.parse(words if has_year else f"{words} {now.year}", languages=["en"])
    if parsed is None:
        return None
    if has_year:
        return calendar_span(parsed, "days")
    day = parsed if parsed <= now else parsed.replace(year=now.year - 1)
    said = (f"{match[0]} is taken as that of {day.year}", f"{match[0]} 按 {day.year} 年计")
    return *calendar_span(day, "days"), None, said


def _day_of_named_year(match: re.Match[str], now: datetime) -> Span:
    month, day = MONTHS[match["m"] or match["m2"]], int(match["d"] or match["d2"])
    return calendar_span(datetime(_year(match["y"], now), month, day), "days")


def _year_only(match: re.Match[str], now: datetime) -> Span:
    return calendar_span(datetime(_year(match["y"], now), 1, 1), "years")


def _year_alone(match: re.Match[str], now: datetime) -> Span:
    return calendar_span(datetime(_year(match["y"] or match["y2"], now), 1, 1), "years")


def _quarter(match: re.Match[str], now: datetime) -> Span:
    quarter = int(number(match["q"]) or 0)
    return calendar_span(datetime(_year(match["y"], now), quarter * 3, 1), "quarters")


def _bare_quarter(match: re.Match[str], now: datetime) -> Span:
    quarter = int(number(match["q"]) or 0) if match["q"] else _NTH.index(match["nth"]) + 1
    year = now.year if quarter * 3 - 2 <= now.month else now.year - 1
    words = match[0].strip()
    said = (f"{words.capitalize()} is taken as that of {year}", f"{words}按 {year} 年计")
    return *calendar_span(datetime(year, quarter * 3, 1), "quarters"), None, said


def _half_year(match: re.Match[str], now: datetime) -> Span:
    first = datetime(_year(match["y"], now), 1 if _is_first_half(match) else 7, 1)
    return first, shift(first, 6, "months")


def _bare_half_year(match: re.Match[str], now: datetime) -> Span:
    first = datetime(now.year, 1 if _is_first_half(match) else 7, 1)
    if first > now:
        first = first.replace(year=now.year - 1)
    said = (
        f"{match[0].strip().capitalize()} is taken as that of {first.year}",
        f"{match[0]}按 {first.year} 年计",
    )
    return first, shift(first, 6, "months"), None, said


def _is_first_half(match: re.Match[str]) -> bool:
    groups = match.groupdict()
    return groups.get("half") in ("first", "上") or groups.get("h") == "1"


def _year_to_date(match: re.Match[str], now: datetime) -> Span:
    return calendar_span(now, "years")[0], _just_after(now)


def _han_date(match: re.Match[str], now: datetime) -> Span:
    year = _year(match["y"], now) if match["y"] else now.year
    month = int(number(match["m"]) or 0)
    if match["d"]:
        day = datetime(year, month, int(number(match["d"]) or 0))
        if not match["y"] and day > now:
            day = day.replace(year=year - 1)
        said = (
            None
            if match["y"]
            else (f"{match[0]} is taken as that of {day.year}", f"{match[0]}按 {day.year} 年计")
        )
        return *calendar_span(day, "days"), None, said
    return calendar_span(datetime(year, month, 1), "months")


def _day_of_relative_month(match: re.Match[str], now: datetime) -> Span:
    first = shift(calendar_span(now, "months")[0], _STEPS[match["which"]], "months")
    return calendar_span(first.replace(day=int(match["d"])), "days")


def _year(words: str, now: datetime) -> int:
    if words.startswith(("this", "current")) or words in {"今年", "本年"}:
        return now.year
    if words.startswith(("last", "prev", "past")) or words == "去年":
        return now.year - 1
    if words == "前年":
        return now.year - 2
    digits = "".join(
        str(max(0, _HAN_DIGITS.index(character) - 1)) if character in _HAN_DIGITS else character
        for character in words.rstrip("年")
    )
    return int(digits)


def _just_after(now: datetime) -> datetime:
    """The end that keeps an event at "now" itself inside a half-open window."""
    return now + timedelta(seconds=1)


_NAMED_YEAR = r"(?:this|current|last|prev(?:ious)?|past)\s+(?:year|yr)"
_EN_LAST = r"(?:last|past|prev(?:ious)?|recent|latest|preceding|prior)"
_HAN_YEAR = rf"(?:{_YEAR}|[〇零一二三四五六七八九]{{4}})年|今年|本年|去年|前年"
_PATTERNS: list[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], Span | None]]] = [
    (re.compile(pattern), build)
    for pattern, build in (
        (rf"\b(?:the\s+)?{_EN_LAST}\s+(?P<n>{ENGLISH_NUMBER})\s*-?\s*(?P<unit>{ENGLISH_UNIT})\b", _rolling),
        (
            r"\b(?:the\s+past|(?:in|over|during|within|for|of)\s+(?:the\s+)?past|"
            r"(?:in|during)\s+the\s+last(?=\s+(?:hour|day|week))|(?:over|within|for|of)\s+the\s+last|past)(?P<n>)\s+"
            r"(?P<unit>hour|day|week|month|quarter|year)\b",
            _rolling,
        ),
        (
            r"\b(?:in|during|throughout|on)\s+the\s+last\s+(?P<unit>month|quarter|year)\b(?!/)",
            _last_period,
        ),
        (
            rf"(?:最近|近|过去|之前|前|这)的?(?P<n>{HAN_NUMBER})个?(?P<unit>{HAN_UNIT})(?:以内|之内|以来|内|里|来|间)?",
            _rolling,
        ),
        (  # counted back from now, where nothing else is named that it counts from ("术前3天内")
            rf"(?<![后\d一二三四五六七八九十百两])(?<![之以术]前)(?P<n>{HAN_NUMBER})个?(?P<unit>{HAN_UNIT})"
            r"(?:以内|之内|内)(?!再|非计划)",
            _rolling,
        ),
        (rf"\b(?P<n>{ENGLISH_NUMBER})\s+(?P<unit>{ENGLISH_UNIT})\s+ago\b", _ago),
        (rf"(?P<n>{HAN_NUMBER})个?(?P<unit>{HAN_UNIT})(?:之前|以前|前)", _ago),
        (
            r"\b(?:the\s+)?(?P<which>this|current|last|prev(?:ious)?|prior)\s+(?P<unit>week|wk|month|mo|quarter|year|yr)\b(?!/)",
            _relative,
        ),
        (
            r"(?P<which>上上个|上一个|上上|上个|上一|上|这个|本|这|当)(?P<unit>周|星期|礼拜|月|季度)(?!内)",
            _relative,
        ),
        (r"(?P<which>今|本|去|前)(?P<unit>年)(?:全年|一?整年)?(?!\s*\d+月)", _relative),
        (r"\b(?:day before yesterday|yesterday|today)\b|大前天|前天|前日|昨天|昨日|今天|今日|当天", _day),
        (
            r"\b(?:overnight|last night|this morning|this afternoon|tonight|this evening)\b|"
            r"昨晚|昨夜|昨天晚上|昨天夜里|今早|今晨|今天早上|今天上午|今天下午|今晚",
            _part_of_day,
        ),
        (r"\brecently\b|\blately\b|近期|近来", _recently),
        (
            rf"(?<!\d)(?P<y>{_YEAR})[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}})"
            r"(?:[ t](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?)?(?!\d)",
            _iso,
        ),
        (
            rf"(?<![\d/])(?P<a>\d{{1,2}})/(?P<b>\d{{1,2}})(?:/|,?\s+(?:of\s+)?)(?P<y>{_YEAR}|{_NAMED_YEAR})\b",
            _slashes,
        ),
        (rf"(?<![\d/-])(?P<y>{_YEAR})[-/](?P<m>\d{{1,2}})(?![\d/-])", _month),
        (rf"(?<![\d/-])(?P<m>\d{{1,2}})(?:/|\s+of\s+)(?P<y>{_YEAR}|{_NAMED_YEAR})\b", _month),
        (rf"\b(?P<m>{_MONTH})\.?,?\s+(?:of\s+)?(?P<y>{_YEAR}|{_NAMED_YEAR})\b", _month),
        (
            r"\b(?P<which>this|current|last|prev(?:ious)?)\s+month(?:/|,?\s+on\s+the\s+)(?P<d>\d{1,2})(?:st|nd|rd|th)?\b",
            _day_of_relative_month,
        ),
        (
            r"\b(?P<d>\d{1,2})(?:st|nd|rd|th)\s+(?:day\s+)?(?:of\s+)?(?P<which>this|last|prev(?:ious)?)\s+month\b",
            _day_of_relative_month,
        ),
        (
            rf"\b(?:(?P<m>{_MONTH})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?|"
            rf"(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m2>{_MONTH})\.?),?\s+(?:of\s+)?(?P<y>{_NAMED_YEAR})\b",
            _day_of_named_year,
        ),
        (r"(?P<which>上个|上|这个|本)月(?P<d>\d{1,2})[日号]", _day_of_relative_month),
        (
            rf"\b(?:{_MONTH})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+{_YEAR})?\b(?!\s*[/:\d%])|"
            rf"\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTH})\b\.?(?:,?\s+{_YEAR})?",
            _written,
        ),
        (
            rf"\b(?:in|since|before|until|during|from|to|after|by|early|late)\s+(?P<core>(?P<m>{_MONTH}))\b(?!\s+\d)",
            _bare_month,
        ),
        (  # a follow-up that is nothing but a month: "and February?", "just December"
            rf"^\W*(?:(?:and|just|only|what about|how about|same for|the same for|now|then|or|but|ok|okay)\s+)*"
            rf"(?P<core>(?P<m>{_MONTH}))(?:\'?s)?(?:\s+(?:only|alone|instead|then|please|too))?\W*$|"
            rf"\b(?:only|just)\s+(?P<core2>(?P<m2>{_MONTH}))(?=\s*(?:[.?!,]|$))|"
            rf"[,;]\s*(?P<core3>(?P<m3>{_MONTH}))(?=\s+(?:only|alone)\b)",
            _bare_month,
        ),
        (
            rf"\b(?:in|of|for|during|since|before|after|year|and|from|to|until|till|by|through|about)\s+"
            rf"(?:the year\s+)?(?P<core>(?P<y>{_YEAR}))(?![\d/.-]*\d)(?!\s*(?:ml|mg|g|ng|pg|iu|u|k|cal|年|patients|days))",
            _year_only,
        ),
        (
            rf"\b(?:only|just|same for)\s+(?P<core>(?P<y>{_YEAR}))(?=\s*(?:[.?!,]|$))|"
            rf"(?:^|[,;:]\s*)(?P<core2>(?P<y2>{_YEAR}))(?=\s+(?:only|alone)\b|\s*[.?!]*$)",
            _year_alone,
        ),
        (
            rf"(?<!\d)(?P<y>(?:{_YEAR}|[〇零一二三四五六七八九]{{4}})年)(?!前|内)(?:度|全年|一?整年)?",
            _year_only,
        ),
        (rf"\bq(?P<q>[1-4])\s*(?:of\s+)?/?(?P<y>{_YEAR}|{_NAMED_YEAR})\b", _quarter),
        (rf"(?P<y>{_HAN_YEAR})第?(?P<q>[一二三四1-4])季度", _quarter),
        (
            r"\bq(?P<q>[1-4])\b(?!\s*(?:of|/|\d|h\b))|\b(?P<nth>first|second|third|fourth) quarter\b(?!\s+of)",
            _bare_quarter,
        ),
        (r"(?<![年\d])第?(?P<q>[一二三四1-4])季度(?P<nth>)", _bare_quarter),
        (rf"(?P<y>{_HAN_YEAR})的?(?P<half>上|下)半年", _half_year),
        (r"(?<![年度的\d])(?P<half>上|下)半年", _bare_half_year),
        (
            rf"\b(?:the\s+)?(?:(?P<half>first|second|last) half|h(?P<h>[12]))\s+(?:of\s+)?(?P<y>{_YEAR}|{_NAMED_YEAR})\b",
            _half_year,
        ),
        (
            r"\b(?:the\s+)?(?:(?P<half>first|second) half|h(?P<h>[12]))\b(?!\s+(?:of|life|dose|an?|the)\b)(?:\s+of the year\b)?",
            _bare_half_year,
        ),
        (r"\b(?:ytd|year[ -]to[ -]date)\b|(?<![今去本前\d])年初(?:以来|至今|到现在)", _year_to_date),
        (
            rf"(?P<y>{_HAN_YEAR})的?(?P<m>1?\d|十[一二]?|[一二三四五六七八九])月份?(?:(?P<d>{HAN_NUMBER})[日号])?",
            _han_date,
        ),
        (
            rf"(?<![\d年个])(?P<y>)(?P<m>1?\d|十[一二]?|[一二三四五六七八九])月(?P<d>{HAN_NUMBER})[日号]",
            _han_date,
        ),
        (
            r"(?<![\d年个近去前这])(?P<m>1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月(?:份)?(?![\d内前后]|以来)",
            _bare_month,
        ),
    )
]
