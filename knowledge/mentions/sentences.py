"""The sections and sentences of a text, with exact offsets into it.

Offsets are code points. Headings and abbreviations are data (``sections.tsv``, ``abbreviations.tsv``).
General sentence splitters were tried and not taken: they part "Temp. 38.2", "Cr. 1.9" and list numbers from
what they belong to, or join list items.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from knowledge.mentions.words import CJK

LONGEST_SENTENCE = 600
"""Text without any stop is cut here at the latest (CJK at a third), so that a chunk stays embeddable."""

_LINE = re.compile(r"[^\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_ENUMERATION = r"(?:[(（]?(?:\d{1,2}|[一二三四五六七八九十]{1,3})[.)）、．]\s*)?"
_MARKDOWN = re.compile(r"\s*#{1,6}\s+(?P<title>.*?\S)\s*#*\s*$")
_BRACKETED = re.compile(r"\s*(?:【(?P<title>[^】]{1,40})】|\[(?P<ascii>[A-Za-z][^\]]{2,40})\]\s*$)[:：]?")
_COLON = re.compile(
    rf"\s*[*_]{{0,2}}{_ENUMERATION}(?P<title>[^:：*_]{{1,60}}?)\s*[*_]{{0,2}}\s*[:：][*_]{{0,2}}"
)
_WHOLE_LINE = re.compile(
    rf"\s*[*_=-]{{0,3}}\s*{_ENUMERATION}(?P<title>[^:：]{{1,60}}?)\s*[:：]?\s*[*_=-]{{0,3}}\s*$"
)
_CAPITALS = re.compile(r"[A-Z][A-Z/&,' -]{5,59}")
_STOP = re.compile(rf"[。！？；!?]+[”’」』）)\"']*|\.+[”’\"')\]]*(?=\s|$|[{CJK}]|[A-Z][a-z])|…+(?=\s|$)")
_LIST_ITEM = re.compile(r"\s*(?:[-*•·●○▪–]|[(（]?\d{1,2}[.)）、])\s+")
_NUMBER_ONLY = re.compile(r"\s*[(（]?\d{1,2}$")
_CJK_CHARACTER = re.compile(rf"[{CJK}]")
_WRAPPED = 50
"""A line at least this long whose successor starts in lower case was cut by a fixed width."""


@dataclass(frozen=True, slots=True)
class Section:
    """A titled stretch; sections leave no gap. ``title`` is as written, '' before the first."""

    title: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, list item or heading without the blanks around it."""

    start: int
    end: int
    heading: bool = False


def sections(text: str) -> list[Section]:
    """The sections of a text, in order, covering all of it."""
    found = [(start, title) for start, _, title in _headings(text)]
    if not found or found[0][0] > 0:
        found.insert(0, (0, ""))
    ends = [start for start, _ in found[1:]] + [len(text)]
    return [Section(title, start, end) for (start, title), end in zip(found, ends, strict=True)]


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text: disjoint, in order, together covering everything that is not blank."""
    headings = {start: end for start, end, _ in _headings(text)}
    found: list[Sentence] = []
    for start, end in _paragraphs(text, headings):
        heading_end = headings.get(start)
        if heading_end is not None:
            _append(found, text, start, heading_end, heading=True)
            start = heading_end
        for piece_start, piece_end in _split(text, start, end):
            _append(found, text, piece_start, piece_end)
    return found


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    """Start of the line, end of the heading in it, title."""
    for line in _LINE.finditer(text):
        content = line.group()
        stripped = content.strip()
        if len(stripped) < 2:
            continue
        match = _MARKDOWN.match(content) or _BRACKETED.match(content)
        if match:
            groups = match.groupdict()
            yield line.start(), line.start() + match.end(), groups["title"] or groups["ascii"]
            continue
        match = _COLON.match(content)
        if match and _known(match["title"]):
            yield line.start(), line.start() + match.end(), match["title"].strip()
            continue
        if len(stripped) > 70:
            continue
        match = _WHOLE_LINE.match(content)
        if match and (_known(match["title"]) or _CAPITALS.fullmatch(match["title"])):
            yield line.start(), line.end(), match["title"].strip()


def _paragraphs(text: str, headings: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Lines, where a line that a fixed width cut off is joined with its continuation."""
    start = line_start = end = -1
    for line in _LINE.finditer(text):
        content = line.group()
        if start >= 0:
            continues = (
                content[0].islower()
                and line.start() - end <= 2
                and end - line_start >= _WRAPPED
                and text[end - 1] not in ".。!？！?;；:： "
                and line.start() not in headings
                and not _LIST_ITEM.match(content)
            )
            if not continues:
                yield start, end
                start = line.start()
        else:
            start = line.start()
        line_start, end = line.span()
    if start >= 0:
        yield start, end


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begin = start
    for stop in _STOP.finditer(text, start, end):
        if stop.end() < end and (
            stop.group()[0] != "." or _ends_sentence(text, begin, stop.start(), stop.end(), end)
        ):
            yield begin, stop.end()
            begin = stop.end()
    yield begin, end


def _ends_sentence(text: str, begin: int, dot: int, after: int, end: int) -> bool:
    """Whether a full stop at ``dot`` ends the sentence that began at ``begin``."""
    if dot - begin <= 8 and _NUMBER_ONLY.match(text[begin:dot]):
        return False
    word = text[max(begin, dot - 24) : dot].split()[-1:] or [""]
    word = word[0].strip("([{\"'“（,;:/").lower()
    follows = text[after : min(end, after + 40)].lstrip()
    rule = _abbreviations().get(word)
    if rule == "never":
        return False
    initials = len(word) == 1 and word.isalpha()
    if rule == "before_capital" or initials or re.fullmatch(r"[a-z](?:\.[a-z])+", word):
        return not initials and follows[:1].isupper() and not follows[1:2].isupper()
    if after < len(text) and text[after : after + 1].isupper():
        return len(word) >= 3 and word.isalpha()
    return True


def _append(found: list[Sentence], text: str, start: int, end: int, *, heading: bool = False) -> None:
    """Trim, cut what is too long, keep what is not blank."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    longest = LONGEST_SENTENCE
    if end - start > longest // 3 and weight_of(text, start, min(end, start + longest)) > 2 * longest:
        longest //= 3
    while end - start > longest:
        cut = next((i for i in range(start + longest, start + longest // 2, -1) if text[i].isspace()), 0)
        cut = cut or start + longest
        found.append(Sentence(start, cut, heading))
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if start < end:
        found.append(Sentence(start, end, heading))


def weight_of(text: str, start: int, end: int) -> int:
    """How much a piece weighs: a CJK character 3 (one word piece), another character 1."""
    piece = text[start:end]
    return len(piece) if piece.isascii() else len(piece) + 2 * len(_CJK_CHARACTER.findall(piece))


def _known(title: str) -> bool:
    return kind_of(title) != ""


def kind_of(title: str) -> str:
    """The kind of section that a title heads (``past_history``, ``plan``); '' where the title is unknown."""
    return _section_kinds().get(" ".join(title.split()).casefold(), "")


@lru_cache(maxsize=1)
def _section_kinds() -> dict[str, str]:
    lines = files("knowledge.mentions").joinpath("sections.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return {cells[0]: cells[2] for cells in (line.split("\t") for line in lines)}


@lru_cache(maxsize=1)
def _abbreviations() -> dict[str, str]:
    lines = (
        files("knowledge.mentions").joinpath("abbreviations.tsv").read_text(encoding="utf-8").splitlines()[1:]
    )
    return dict(line.split("\t")[:2] for line in lines)
