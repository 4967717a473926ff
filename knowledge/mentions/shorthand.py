"""Abbreviations that a text defines itself: "atrial fibrillation (AF)", "AF (atrial fibrillation)".

After A. S. Schwartz and M. A. Hearst, "A simple algorithm for identifying abbreviation definitions in
biomedical text", PSB 2003: every character of the short form is found in the long one, from right to left,
and its first character begins a word. Besides, the initials of the words right before may be the letters of
the short form in another order, as in names that come from Latin: "myotonic dystrophy (DM)".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BRACKETS = re.compile(r"[(（]([^()（）]{2,120})[)）]")
_SHORT = re.compile(r"[A-Za-z0-9][A-Za-z0-9/.+-]{1,9}")
_NOT_IN_LONG = re.compile(r"[.;:。；()（）]\s")
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Definition:
    """``short`` means what stands between ``start`` and ``end``; ``within`` is the bracket with one of them."""

    short: str
    start: int
    end: int
    within: tuple[int, int]


def definitions(text: str) -> Iterator[Definition]:
    """The abbreviations that a text defines, in order."""
    for bracket in _BRACKETS.finditer(text):
        inner = re.split(r"[,;，；]", bracket[1], maxsplit=1)[0].strip()
        if _is_short(inner):
            start = _long_start(text, inner, bracket.start())
            if start is None:
                start = _initials(text, inner, bracket.start())
            if start is not None:
                end = len(text[: bracket.start()].rstrip())
                yield Definition(inner, start, end, bracket.span())
            continue
        before = text[max(0, bracket.start() - 12) : bracket.start()].rstrip().split()
        if before and _is_short(before[-1]):
            inside = bracket.start(1)
            end = inside + len(inner)
            if _matched(text, before[-1], inside, end) == inside:
                yield Definition(before[-1], inside, end, bracket.span())


def _is_short(form: str) -> bool:
    return (
        _SHORT.fullmatch(form) is not None
        and any(char.isupper() for char in form)
        and sum(char.isalpha() for char in form) >= 2
    )


def _long_start(text: str, short: str, before: int) -> int | None:
    """Where the long form begins that ends right before a bracket."""
    floor = max(0, before - _LONGEST)
    for stop in _NOT_IN_LONG.finditer(text, floor, before):
        floor = stop.end()
    words = list(re.finditer(r"\S+", text[floor:before]))
    most = min(len(short) + 5, 2 * len(short))
    if not words:
        return None
    floor += words[max(0, len(words) - most)].start()
    return _matched(text, short, floor, before)


def _initials(text: str, short: str, before: int) -> int | None:
    """Where as many words begin as the short form has letters, if these are their initials in another order."""
    words = list(re.finditer(r"[^\W_]+", text[max(0, before - _LONGEST) : before]))[-len(short) :]
    initials = sorted(word.group()[0].lower() for word in words)
    if not short.isalpha() or len(words) < len(short) or initials != sorted(short.lower()):
        return None
    return max(0, before - _LONGEST) + words[0].start()


def _matched(text: str, short: str, floor: int, end: int) -> int | None:
    """The latest place from ``floor`` on where the long form can begin."""
    at = end - 1
    letters = [char.lower() for char in short if char.isalnum()]
    for index in range(len(letters) - 1, -1, -1):
        while at >= floor and (
            text[at].lower() != letters[index] or (index == 0 and at > floor and text[at - 1].isalnum())
        ):
            at -= 1
        if at < floor:
            return None
        at -= 1
    start = at + 1
    longer = end - start > len(short) + 1
    return start if longer and short.lower() not in text[start:end].lower().split() else None
