"""Numbers of a question with their units and comparisons: "above 5.5", "> 38.5 °C", "大于5.5", "top five"."""

import re
from collections.abc import Iterable

from agent.planning.numerals import number
from agent.planning.times import half_width
from agent.planning.units_of_time import ENGLISH_UNIT

_UNIT = (
    r"%|°\s?[cf]\b|℃|℉|mmhg|mmol/l|µmol/l|umol/l|μmol/l|meq/l|mg/dl|g/dl|g/l|mg/l|ng/ml|pg/ml|ug/ml|µg/l|iu/l|u/l|"
    r"k/ul|x?10\^?9/l|bpm|次/分|分钟|小时|ml|mg|mcg|µg|kg|cm|g|l|units?|u|days?|天|日|years?|岁|hours?"
)
_NUMBER = re.compile(rf"(?<![\w.])-?\d+(?:[.,]\d+)?(?:\s*(?P<unit>{_UNIT})(?![a-z]))?(?![\d])", re.IGNORECASE)
_IN_HAN = re.compile(
    rf"(?<=[\u4e00-\u9fff<>=≥≤])\d+(?:\.\d+)?(?:\s*(?P<unit>{_UNIT})(?![a-z]))?", re.IGNORECASE
)
_WORD = re.compile(
    r"\b(?:top|first|last|the)\s+(?P<word>two|three|four|five|six|seven|eight|nine|ten|twenty)\b(?!\s+(?:hours?|days?))|"
    r"(?:前|最多的?|最常见的?)(?P<han>[一二三四五六七八九十]+)(?=位|个|种|项|名|大)"
)
_LENGTH = re.compile(
    rf"(?P<n>\d+(?:\.\d+)?|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty))[\s-]*"
    rf"(?P<unit>{ENGLISH_UNIT})\b(?!/)|"
    r"(?P<han>\d+(?:\.\d+)?|[两二三四五六七八九十]+)个?(?P<han_unit>分钟|小时|钟头|天|周|星期|月|季度|年)(?!内?每)",
    re.ASCII,
)


def lengths(text: str) -> tuple[tuple[int, int, float, str], ...]:
    """(start, end, number, unit) of the lengths of time in a text in lower case: "two weeks", 48小时."""
    found = [
        (*match.span(), number(match["n"] or match["han"]), match["unit"] or match["han_unit"])
        for match in _LENGTH.finditer(text)
    ]
    return tuple((start, end, value, unit) for start, end, value, unit in found if value is not None)


def numbers(
    question: str, taken: Iterable[tuple[int, int]]
) -> tuple[tuple[int, int, float, str | None], ...]:
    """(start, end, number, unit) of the numbers outside the places that are ``taken`` already."""
    places = list(taken)
    text = half_width(question)
    found: dict[int, tuple[int, int, float, str | None]] = {}
    for pattern in (_NUMBER, _IN_HAN):
        for match in pattern.finditer(text):
            digits = re.match(r"-?\d+(?:[.,]\d+)?", match[0])
            if digits is None:
                continue
            start = match.start()
            unit = question[match.start("unit") : match.end("unit")] if match["unit"] else None
            found[start] = (start, match.end(), float(digits[0].replace(",", ".")), unit)
    for match in _WORD.finditer(text):
        group = "word" if match["word"] else "han"
        value = number(match[group])
        if value is not None:
            found[match.start(group)] = (*match.span(group), value, None)
    return tuple(
        item
        for _, item in sorted(found.items())
        if all(item[1] <= start or item[0] >= end for start, end in places)
    )
