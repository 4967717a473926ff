"""Where a text names concepts: names of the table, abbreviations that the text defines, and what names grow into.

A name grows over the words that belong to it: "hereditary" before "hemochromatosis", "breast and" before
"ovarian cancer"; "Norrie disease" and "C7 deficiency" are diseases though no table has them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from knowledge.mentions.names import PROBLEMS, NameTable
from knowledge.mentions.shorthand import Definition, definitions
from knowledge.mentions.tables import table
from knowledge.mentions.words import Words

NESTED = frozenset(("drug", "organism", "disease", "procedure"))
"""Types that say something of their own inside a longer name; "pressure" inside "high blood pressure" does not."""
_COORDINATED = ("and", "or", "/", ",")
_LONGEST_LIST = 8
_LONGEST_EPONYM = 3
_NO_EPONYM = frozenset("the this these that no her his other any chronic acute".split())


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of words (``last`` not included) that names these concepts.

    Attributes:
        type: of the concepts, where they agree; of a name that no table has, what its form says.
        defined: the text itself says what it means.
        open: it may mean something else.
    """

    first: int
    last: int
    concepts: tuple[str, ...]
    type: str | None
    defined: bool = False
    open: bool = False


def spans(names: NameTable, text: str, words: Words) -> list[Span]:
    """The names of a text: longest first, inside them those of another kind that say something of their own."""
    found = list(_names(names, text, words.names, words.places, words))
    known = list(definitions(text))
    if known:
        found = _with_definitions(names, text, words, found, known)
    kept = longest(found)
    formed = [span for span in _formed(text, words) if not any(_overlap(span, other) for other in kept)]
    grown = longest(_grown(span, names, words) for span in (*kept, *formed))
    return [one for span in grown for one in _coordinated(span, names, text, words)]


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
    return inside and span.type in NESTED and over[0].type not in (None, span.type)


def _overlap(one: Span, other: Span) -> bool:
    return one.first < other.last and other.first < one.last


def _span(names: NameTable, first: int, last: int, concepts: tuple[str, ...]) -> Span:
    types = {names.types[concept] for concept in concepts}
    return Span(first, last, concepts, types.pop() if len(types) == 1 else None)


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
                yield _span(names, first, last, concepts)


def _with_definitions(
    names: NameTable, text: str, words: Words, found: list[Span], known: list[Definition]
) -> list[Span]:
    """The spans where abbreviations that the text defines mean what it says, and names run on over brackets."""
    brackets = [_words_between(words, *definition.within) for definition in known]
    outside = [
        index
        for index, place in enumerate(words.places)
        if not any(first <= place < last for first, last in brackets)
    ]
    normal, places = [words.names[i] for i in outside], [words.places[i] for i in outside]
    crossing = [
        span
        for span in _names(names, text, normal, places, words)
        if any(span.first < first < span.last for first, _ in brackets)
    ]
    held = longest([*found, *_formed(text, words)])
    meanings: dict[str, Span | None] = {}
    for definition in known:
        _, last = _words_between(words, definition.start, definition.end)
        meant = [span for span in held if span.last == last]
        if not meant:  # "von Hippel-Lindau (VHL) disease"
            meant = [span for span in crossing if span.first < last < span.last and _named_after(words, span)]
        if definition.short not in meanings or meant:
            meanings[definition.short] = min(meant, key=lambda span: span.first, default=None)
    own = [
        span for span in found if text[words.starts[span.first] : words.ends[span.last - 1]] not in meanings
    ]
    return [*own, *crossing, *_shorts(text, words, meanings)]


def _named_after(words: Words, span: Span) -> bool:
    return "eponym" in _heads().get(words.raw[span.last - 1], ())


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


def _formed(text: str, words: Words) -> Iterator[Span]:
    """Problems that no table has, by how they are named: after people, what is missing, an organ, a gene."""
    heads = _heads()
    for place, word in enumerate(words.raw):
        before = heads.get(word) or heads.get(word.removesuffix("s"))
        if before is None or place == 0:
            continue
        first = place
        if "eponym" in before:
            first = _eponym(text, words, place)
        if "substance" in before:
            first = _substance(text, words, place)
        if "modifier" in before and first == place:
            first = _modified(words, place)
        if first < place:
            yield Span(first, place + 1, (), "disease")


def _eponym(text: str, words: Words, place: int) -> int:
    """Where the names of people before a head begin ("Lesch-Nyhan", "von Hippel-Lindau")."""
    first = place
    while first > 0 and place - first < 2 * _LONGEST_EPONYM:
        start = words.starts[first - 1]
        written = text[start : words.ends[first - 1]]
        if words.raw[first - 1] == "-":
            if first < 2 or not text[words.starts[first - 2]].isupper():
                break
        elif not (written[:1].isupper() and written[1:2].islower() and len(written) > 2):
            break
        first -= 1
    if first > 0 and first < place and words.raw[first - 1] in ("von", "van", "de"):
        first -= 1
    opens = first == 0 or words.raw[first - 1] in (".", ":", "!", "?") or "\n" in _gap(text, words, first)
    lone = place - first == 1 and not words.raw[first].endswith("'s")
    return place if (opens and lone) or words.raw[first] in _NO_EPONYM else first


def _substance(text: str, words: Words, place: int) -> int:
    """Where the gene, enzyme or factor before "deficiency" begins."""
    at = place - 1
    if words.raw[at] == "-" and at > 0:
        at -= 1
    written = text[words.starts[at] : words.ends[at]]
    gene = (
        len(written) >= 2 and written[0].isalpha() and sum(c.isupper() or c.isdigit() for c in written) >= 2
    )
    enzyme = len(written) > 4 and words.raw[at].endswith("ase")
    if not (gene or enzyme):
        return place
    while enzyme and at > 0 and words.raw[at - 1].endswith(("ine", "yl", "ate", "ose")):
        at -= 1
    return at


def _gap(text: str, words: Words, place: int) -> str:
    return text[words.ends[place - 1] : words.starts[place]] if place else ""


def _grown(span: Span, names: NameTable, words: Words) -> Span:
    """A problem with the words around it that say which one: "hereditary", "X-linked", "cerebral", "type 2"."""
    if span.type not in PROBLEMS:
        return span
    last, concepts = span.last, span.concepts
    if words.raw[last : last + 1] == ["type"] and last + 1 < len(words.raw) and len(words.raw[last + 1]) <= 3:
        kind = _normal(words, last, last + 2)
        name = _normal(words, span.first, last)
        last += 2
        concepts = names.named(" ".join((*kind, *name)), "") or concepts  # "diabetes type 2"
    return replace(span, first=_modified(words, span.first), last=last, concepts=concepts)


def _modified(words: Words, first: int) -> int:
    """Where the modifiers before a word begin."""
    modifiers = _modifiers()
    while first > 0:
        if words.raw[first - 1] in modifiers:
            first -= 1
        elif first >= 3 and "".join(words.raw[first - 3 : first]) in modifiers:
            first -= 3
        else:
            break
    return first


def _coordinated(span: Span, names: NameTable, text: str, words: Words) -> Iterator[Span]:
    """A span, or both parts of "breast and ovarian cancer": each then stands for the whole wording."""
    if span.type not in PROBLEMS or span.last - span.first < 2:
        yield span
        return
    first = span.first
    parts: list[tuple[str, ...]] = []
    at = span.first - 1
    while at > 0 and words.raw[at] in _COORDINATED and span.first - at < _LONGEST_LIST:
        while at > 0 and words.raw[at - 1] in _COORDINATED:
            at -= 1
        found = _shared_head(names, text, words, at, span)
        if found is None:
            break
        first, concepts = found
        parts.append(concepts)
        at = first - 1
    if not parts:
        yield span
        return
    whole = _modified(words, first)
    yield replace(span, first=whole)
    for concepts in parts:
        yield replace(_span(names, whole, span.last, concepts), type=span.type)


def _shared_head(
    names: NameTable, text: str, words: Words, before: int, span: Span
) -> tuple[int, tuple[str, ...]] | None:
    """The name that the words before a conjunction make up with the last one or two words of a span."""
    for length in (3, 2, 1):
        first = before - length
        if first < 0 or any(not word[0].isalnum() for word in words.raw[first:before] if word != "-"):
            continue
        for head in (1, 2):
            key = " ".join((*_normal(words, first, before), *_normal(words, span.last - head, span.last)))
            concepts = names.named(key, text[words.starts[first] : words.ends[before - 1]])
            concepts = tuple(one for one in concepts if names.types[one] == span.type)
            if concepts:
                return first, concepts
    return None


def _normal(words: Words, first: int, last: int) -> list[str]:
    begin, end = bisect_left(words.places, first), bisect_left(words.places, last)
    return words.names[begin:end]


@lru_cache(maxsize=1)
def _modifiers() -> frozenset[str]:
    return frozenset(row[0] for row in table("modifiers"))


@lru_cache(maxsize=1)
def _heads() -> dict[str, frozenset[str]]:
    rows = table("disease_heads")
    return {head: frozenset(before for other, before in rows if other == head) for head, _ in rows}
