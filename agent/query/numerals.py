"""Numbers and times as sentences show them."""

import re
from math import floor, log10

from agent.answer import Cell

_DIGITS, _MEASURABLE = 4, 4
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?")


def number(value: Cell, decimals: int | None = None) -> str:
    """A number as the record has it, or rounded to ``decimals`` where it was computed; text stays."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if decimals is not None:
        value = round(float(value), decimals)
    elif isinstance(value, float):
        value = _significant(value)
    text = f"{value:.10f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return "0" if text == "-0" else text


def fixed(value: Cell, decimals: int | None) -> str:
    """A number with exactly so many decimals ("2.0"); as ``number`` says it where that is not known."""
    if decimals is None or not isinstance(value, int | float):
        return number(value)
    return number(value, 0) if decimals == 0 else f"{value:.{decimals}f}"


def recorded_decimals(text: Cell, value: Cell) -> int | None:
    """The decimals of a number as it was written down ("2.0": 1), if the text is that number."""
    if not isinstance(text, str) or not isinstance(value, int | float) or not _PLAIN.fullmatch(text.strip()):
        return None
    written = text.strip()
    return len(written.partition(".")[2]) if float(written) == value else None


def _significant(value: float) -> float:
    """What no one measures so exactly (1.3092769933) with four significant digits, whole digits all kept."""
    if value == 0 or round(value, _MEASURABLE) == value:
        return value
    return round(value, max(0, _DIGITS - 1 - floor(log10(abs(value)))))


def decimals_of(values: tuple[Cell, ...]) -> int:
    """The most decimals that any of these numbers has, four at most."""
    texts = (number(v).partition(".")[2] for v in values if isinstance(v, int | float))
    return min(4, max((len(t) for t in texts), default=0))


def moment(text: Cell) -> str:
    """A time to the minute; a plain date where the record gives no more."""
    if not isinstance(text, str) or len(text) < 16:
        return number(text)
    return text[:10] if text.endswith(" 00:00:00") else text[:16]
