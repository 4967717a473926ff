"""Where a text names concepts: names of the table, and abbreviations that the text defines itself."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from knowledge.mentions.growth import coordinated, formed, grown, heads
from knowledge.mentions.names import NameTable
from knowledge.mentions.shorthand import Definition, definitions
from knowledge.mentions.span import Span, span_of
from knowledge.mentions.words import Words

_NESTED_TYPES = frozenset(("drug", "organism", "disease", "procedure"))
"""Types that say something of their own inside a longer name; "pressure" inside "high blood pressure" does not."""


def spans(names: NameTable, text: str, words: Words) -> list[Span]:
    """The names of a text: longest first, inside them those of another kind that say something of their own."""
    found = list(_names(names, text, words.names, words.places, words))
    found = _without_false_absence(found, text, words)
    known = list(definitions(text))
    if known:
        found = _with_definitions(names, text, words, found, known)
    kept = longest(found)
    taken = {place for span in kept for place in range(span.first, span.last)}
    further = [span for span in formed(text, words) if taken.isdisjoint(range(span.first, span.last))]
    whole = longest(grown(span, names, words) for span in (*kept, *further))
    return [one for span in whole for one in coordinated(span, names, text, words)]


def _without_false_absence(found: list[Span], text: str, words: Words) -> list[Span]:
    """Names that begin with 无, unless the rest begins a name that goes on: "无尿频" says no 尿频, and no 无尿."""
    ends = {span.first: span.last for span in sorted(found, key=lambda span: span.last)}
    return [
        span
        for span in found
        if text[words.starts[span.first]] != "无" or ends.get(span.first + 1, 0) <= span.last
    ]


def longest(found: Iterable[Span]) -> list[Span]:
    """The longest spans, and those that may stand inside them, by position."""
    kept: list[Span] = []
    taken: dict[int, Span] = {}
    for span in sorted(found, key=lambda span: (span.first - span.last, span.first)):
        over = {id(held): held for at in range(span.first, span.last) if (held := taken.get(at)) is not None}
        if not over:
            taken.update((at, span) for at in range(span.first, span.last))
        elif not _nested(span, list(over.values())):
            continue
        kept.append(span)
    return sorted(kept, key=lambda span: (span.first, -span.last))


def _nested(span: Span, over: Sequence[Span]) -> bool:
    inside = len(over) == 1 and over[0].first <= span.first and span.last <= over[0].last
    return inside and span.type in _NESTED_TYPES and over[0].type not in (None, span.type)


def _names(names: NameTable, text: str, normal: list[str], places: list[int], words: Words) -> Iterator[Span]:
    lengths, count = names.lengths, len(normal)
    for at in range(count):
        for length in lengths.get(normal[at], ()):
            if at + length > count:
                continue
            key = normal[at] if length == 1 else " ".join(normal[at : at + length])
            first, last = places[at], places[at + length - 1] + 1
            concepts = names.named(key, text[words.starts[first] : words.ends[last - 1]])
            if concepts:
                yield span_of(names, first, last, concepts)


def _with_definitions(
    names: NameTable, text: str, words: Words, found: list[Span], known: list[Definition]
) -> list[Span]:
    """The spans where abbreviations that the text defines mean what it says, and names run on over brackets."""
    brackets = [_words_between(words, *definition.within) for definition in known]
    bracketed = {place for first, last in brackets for place in range(first, last)}
    outside = [index for index, place in enumerate(words.places) if place not in bracketed]
    normal, places = [words.names[i] for i in outside], [words.places[i] for i in outside]
    crossing = [
        span
        for span in _names(names, text, normal, places, words)
        if any(place in bracketed for place in range(span.first, span.last))
    ]
    held = longest([*found, *formed(text, words)])
    ending = _by_place((span.last, span) for span in held)
    crossing_at = _by_place((place, span) for span in crossing for place in range(span.first, span.last))
    meanings: dict[str, Span | None] = {}
    for definition in known:
        _, last = _words_between(words, definition.start, definition.end)
        meant = ending.get(last, [])
        if not meant:  # "von Hippel-Lindau (VHL) disease"
            meant = [span for span in crossing_at.get(last, ()) if _named_after(words, span)]
        if definition.short not in meanings or meant:
            meanings[definition.short] = min(meant, key=lambda span: span.first, default=None)
    own = [
        span for span in found if text[words.starts[span.first] : words.ends[span.last - 1]] not in meanings
    ]
    return [*own, *crossing, *_shorts(text, words, meanings)]


def _by_place(spans: Iterable[tuple[int, Span]]) -> dict[int, list[Span]]:
    found: dict[int, list[Span]] = {}
    for place, span in spans:
        found.setdefault(place, []).append(span)
    return found


def _named_after(words: Words, span: Span) -> bool:
    return "eponym" in heads().get(words.raw[span.last - 1], ())


def _shorts(text: str, words: Words, meanings: dict[str, Span | None]) -> Iterator[Span]:
    starts = {start: index for index, start in enumerate(words.starts)}
    ends = {end: index + 1 for index, end in enumerate(words.ends)}
    for short, meaning in meanings.items():
        if meaning is None:
            continue
        at = text.find(short)
        while at >= 0:
            end = at + len(short)
            plural = end + 1 if text[end : end + 1] == "s" else end
            first, last = starts.get(at), ends.get(end, ends.get(plural))
            if first is not None and last is not None:
                yield replace(meaning, first=first, last=last, defined=True)
            at = text.find(short, end)


def _words_between(words: Words, start: int, end: int) -> tuple[int, int]:
    return bisect_left(words.starts, start), bisect_left(words.starts, end)
