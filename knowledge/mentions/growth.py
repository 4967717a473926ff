"""What names grow into, and what has the form of a disease without being in a table.

A name grows over the words that belong to it: "hereditary" before "hemochromatosis", "breast and" before
"ovarian cancer". "Norrie disease" and "C7 deficiency" are diseases though no table has them. The words are
data: ``modifiers.tsv``, ``disease_heads.tsv``.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from knowledge.mentions.names import PROBLEMS, NameTable
from knowledge.mentions.span import Span, span_of
from knowledge.mentions.tables import table
from knowledge.mentions.words import Words

_COORDINATED = ("and", "or", "/", ",")
_LONGEST_LIST = 8
_LONGEST_EPONYM = 3
_NO_EPONYM = frozenset(
    "the this these that no her his other any chronic acute infectious communicable".split()
)


def formed(text: str, words: Words) -> Iterator[Span]:
    """Problems that no table has, by how they are named: after people, what is missing, an organ, a gene."""
    known = heads()
    for place, word in enumerate(words.raw):
        before = known.get(word) or known.get(word.removesuffix("s"))
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


def grown(span: Span, names: NameTable, words: Words) -> Span:
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


def coordinated(span: Span, names: NameTable, text: str, words: Words) -> Iterator[Span]:
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
        yield replace(span_of(names, whole, span.last, concepts), type=span.type)


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
def heads() -> dict[str, frozenset[str]]:
    """The general words that diseases are named with, and what stands before each: "syndrome", people."""
    rows = table("disease_heads")
    return {head: frozenset(before for other, before in rows if other == head) for head, _ in rows}
