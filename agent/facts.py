"""What in a sentence can be checked to the letter: its numbers, dates and quotations."""

import re
from dataclasses import dataclass

_DATE = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(?::\d{2})?)?(?!\d)")
_MONTH = re.compile(r"(?<![\d-])(\d{4}-\d{2})(?![\d-])")
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9.])(?<![A-Za-z0-9]-)(?<![A-Za-z]/)(?:(?<=[\s(（:：=])-)?\d+(?:,\d{3})*(?:\.\d+)?"
)
_QUOTATION = re.compile(r"“([^”]*)”", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Facts:
    """The checkable parts of a text.

    Attributes:
        numbers: as floats, those within dates and quotations left out.
        dates: ``YYYY-MM-DD`` or ``YYYY-MM-DD HH:MM``, ``YYYY-MM`` for months.
        quotations: what stands between “ and ”.
    """

    numbers: tuple[float, ...]
    dates: tuple[str, ...]
    quotations: tuple[str, ...]


def facts(text: str) -> Facts:
    """Take a text apart."""
    quotations = tuple(match.group(1) for match in _QUOTATION.finditer(text))
    rest = _QUOTATION.sub(" ", text)
    dates = [" ".join(part for part in match.groups() if part) for match in _DATE.finditer(rest)]
    rest = _DATE.sub(" ", rest)
    dates += [match.group(1) for match in _MONTH.finditer(rest)]
    rest = _MONTH.sub(" ", rest)
    numbers = tuple(float(match.group().replace(",", "")) for match in _NUMBER.finditer(rest))
    return Facts(numbers, tuple(dates), quotations)


def has_number(number: float, among: "set[float] | frozenset[float] | list[float]") -> bool:
    """Whether ``number`` is one of ``among``, or one of them rounded as ``number`` is written."""
    text = repr(number)
    places = len(text.split(".")[1]) if "." in text and not text.endswith(".0") else 0
    return any(abs(other - number) < 1e-9 or round(other, places) == number for other in among)
