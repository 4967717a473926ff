"""Reads misspelt names in a question: "metfromin", 二甲双呱. What was read for what is told with the answer.

English words follow the spelling that questions about records have (``agent.planning.spelling``) and count only where
the corrected word names a concept. Chinese names have no letters to compare: of the names of drugs, which are written
by sound, one of four characters or more is read where exactly one character is another and only one drug is meant.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import snowballstemmer

from agent.planning.spelling import Spelling, back
from agent.planning.times import half_width
from knowledge.terminology import Terminology

_TYPES = frozenset({"drug", "drug_class", "disease", "finding"})
"""What the graphs are asked about: a procedure that nobody listed is not the one that is spelt nearly so."""
_SHORTEST = 4  # characters of a Chinese name
_ANY = "\0"
_STEMMER = snowballstemmer.stemmer("english")
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Correction:
    """A place of a question and the name that it is read as."""

    start: int
    end: int
    name: str


class Spelt:
    """Corrects the names in questions. Safe to share: it only reads.

    Args:
        terminology: the names that are known.
    """

    def __init__(self, terminology: Terminology) -> None:
        self._terminology = terminology

    def corrected(self, question: str, kept: Collection[Place]) -> tuple[str, tuple[tuple[str, str], ...]]:
        """A question with its misspelt names replaced, and what was written for what it is read as.

        Args:
            question: as cleaned.
            kept: places whose words are known to be something.
        """
        named = [*kept, *((match.start, match.end) for match in self._terminology.find(question))]
        found = [
            one
            for one in (*self._english(question), *self._chinese(question))
            if all(one.end <= start or end <= one.start for start, end in named)
        ]
        text, at = "", 0
        for one in sorted(found, key=lambda one: one.start):
            text, at = text + question[at : one.start] + one.name, one.end
        return text + question[at:], tuple((question[one.start : one.end], one.name) for one in found)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling(self._terminology.surface_forms(), ())

    @cached_property
    def _drugs(self) -> Mapping[str, frozenset[str]]:
        """The Chinese names of drugs by themselves with one character left open."""
        found: dict[str, set[str]] = defaultdict(set)
        for concept in self._terminology.concepts:
            if concept.type == "drug":
                for name in (concept.zh, *concept.synonyms_zh):
                    for place in range(len(name) if len(name) >= _SHORTEST and not name.isascii() else 0):
                        found[name[:place] + _ANY + name[place + 1 :]].add(name)
        return {pattern: frozenset(names) for pattern, names in found.items()}

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(sorted({len(pattern) for pattern in self._drugs}, reverse=True))

    def _english(self, question: str) -> Iterator[Correction]:
        lower = half_width(question).lower()
        text, places = self._spelling.correct(lower)
        slips = [
            here
            for here, there in places
            if _STEMMER.stemWord(text[slice(*here)])
            != _STEMMER.stemWord(lower[slice(*there)])  # another form is no slip
        ]
        for match in self._terminology.find(text) if slips else ():
            known = any(concept.type in _TYPES for concept in match.concepts)
            if known and any(match.start <= first and last <= match.end for first, last in slips):
                start, end = back(places, match.start, match.end)
                yield Correction(start, end, match.text)

    def _chinese(self, question: str) -> Iterator[Correction]:
        taken: list[Place] = []
        for length in self._lengths:
            for start in range(len(question) - length + 1):
                end = start + length
                meant = self._meant(question[start:end])
                if meant is not None and all(end <= first or last <= start for first, last in taken):
                    taken.append((start, end))
                    yield Correction(start, end, meant)

    def _meant(self, text: str) -> str | None:
        """The one name that differs in one character, which is a Chinese one; none where two drugs do."""
        names = {
            name
            for place, char in enumerate(text)
            if not char.isascii()
            for name in self._drugs.get(text[:place] + _ANY + text[place + 1 :], ())
        }
        drugs = {concept.id for name in names for concept in self._terminology.named(name)}
        return min(names) if len(drugs) == 1 else None
