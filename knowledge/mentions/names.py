"""All names that may be found in text, held small: normalised form -> the concepts that it names."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Self

from knowledge.mentions.senses import listed_senses
from knowledge.mentions.tables import table
from knowledge.mentions.words import half_width, has_cjk, name_key
from knowledge.terminology import Terminology

if TYPE_CHECKING:
    from knowledge.graph import KnowledgeGraph

PROBLEMS = frozenset(("disease", "finding"))
_LONGEST_ABBREVIATION = 5
_LONGEST_NAME = 16
"""Words; a longer title (of ICD, of a procedure) never stands in a note as it is."""
_LONGEST_WRITTEN = 24
_SHORTEST_STEM = 3
_NAMED_AFTER = re.compile(r"((?:von )?[A-Z][a-zé]+(?:-[A-Z][a-zé]+)+)(?:'s)? (?:disease|syndrome)")


@dataclass(frozen=True, slots=True)
class Name:
    """One name of one concept.

    Attributes:
        cased: it counts only in exactly this case.
        rank: where concepts share a name, it is that of those with the lowest rank: 0 and 1 for the concept's
            own name, 2 and 3 for synonyms, of our tables and of releases.
    """

    form: str
    concept: str
    type: str
    cased: bool = False
    rank: int = 0


class NameTable:
    """Names by their normalised words."""

    def __init__(self, names: Iterable[Name]) -> None:
        self.types: dict[str, str] = {}
        self.lengths: dict[str, tuple[int, ...]] = {}
        self._concepts: dict[str, str | tuple[str, ...]] = {}
        self._cased: dict[str, str | tuple[str, ...]] = {}
        self._generic = frozenset(name_key(row[0]) for row in table("generic"))
        ranked = sorted(names, key=lambda name: name.rank)
        for _, equals in groupby(ranked, key=lambda name: name.rank):
            better = frozenset(self._concepts)
            for name in equals:
                self._add(name, better)
        better = frozenset(self._concepts)
        for name in ranked:
            for form in (*adjectives(name), *_people(name), *_of_organ(name)):
                self._add(replace(name, form=form), better)
        for form, concept in listed_senses():
            if concept in self.types:
                self._add(Name(form, concept, self.types[concept], cased=True), better)

    @classmethod
    def of_terminology(cls, terminology: Terminology) -> Self:
        """The names of the core tables."""
        return cls(_terminology_names(terminology))

    @classmethod
    def of_graph(cls, graph: "KnowledgeGraph") -> Self:
        """The names that the knowledge graph has of every concept, from all its sources."""
        from knowledge.graph.build import (
            CORE,
        )  # only here: it takes the units of facts with it, half a second

        types = {node.id: node.type for node in graph.all_nodes()}
        return cls(
            Name(
                name.form,
                concept,
                types[concept],
                name.exact or is_abbreviation(name.form),
                2 * (name.kind != "name") + (name.source_id != CORE),
            )
            for concept, name in graph.all_names()
            if name.kind != "label"
        )

    def named(self, key: str, written: str) -> tuple[str, ...]:
        """Ids of the concepts that a normalised form, written so in the text, names."""
        found = self._concepts.get(key, ())
        if isinstance(found, str):
            found = (found,)
        if self._cased and len(written) <= _LONGEST_WRITTEN:
            written = half_width(written)
            cased = self._cased.get(written) or self._cased.get(written.removesuffix("s"))
            if cased:
                found = (*((cased,) if isinstance(cased, str) else cased), *found)
        return tuple(dict.fromkeys(found)) if len(found) > 1 else found

    def __len__(self) -> int:
        return len(self._concepts) + len(self._cased)

    def _add(self, name: Name, better: frozenset[str]) -> None:
        key = name_key(name.form)
        length = key.count(" ") + 1
        if not key or length > _LONGEST_NAME or key in self._generic or (key in better and not name.cased):
            return
        self.types.setdefault(name.concept, name.type)
        if name.cased:
            _put(self._cased, name.form, name.concept)
        else:
            _put(self._concepts, key, name.concept)
        first = key.split(" ", 1)[0]
        known = self.lengths.get(first, ())
        if length not in known:
            self.lengths[first] = tuple(sorted((*known, length), reverse=True))


def is_abbreviation(form: str) -> bool:
    """Whether a name is so short and so capital that it counts only as written (``ALL``, ``MS``)."""
    letters = form.replace(" ", "").replace("-", "")
    return (
        len(letters) <= _LONGEST_ABBREVIATION
        and not has_cjk(form)
        and sum(char.isupper() for char in letters) >= min(2, len(letters))
    )


def adjectives(name: Name) -> Iterator[str]:
    """The adjectives of a problem that one word names: hypertension, hypertensive."""
    if name.type not in PROBLEMS or name.cased or not name.form.isalpha() or not name.form.isascii():
        return
    for ending, adjective in table("adjectives"):
        stem = name.form.lower().removesuffix(ending)
        if len(stem) < len(name.form) and (len(stem) >= _SHORTEST_STEM or not stem):
            yield stem + adjective


def _of_organ(name: Name) -> Iterator[str]:
    """The same problem named the other way round: breast cancer, cancer of the breast."""
    organ, _, head = name.form.lower().rpartition(" ")
    if organ and name.type == "disease" and not name.cased and (head, "organ") in table("disease_heads"):
        yield f"{head} of {organ}"
        yield f"{head} of the {organ}"


def _people(name: Name) -> Iterator[str]:
    """The people alone that a disease is named after, where there are two of them: Guillain-Barre."""
    match = _NAMED_AFTER.fullmatch(name.form) if name.type == "disease" else None
    if match:
        yield match[1]


def _terminology_names(terminology: Terminology) -> Iterator[Name]:
    for concept in terminology.concepts:
        for form in (concept.en, concept.zh):
            yield Name(form, concept.id, concept.type, is_abbreviation(form))
        for form in (*concept.synonyms_en, *concept.synonyms_zh):
            yield Name(form, concept.id, concept.type, is_abbreviation(form), 2)
        for form in concept.abbreviations:
            bound = form.startswith("=") or is_abbreviation(form)
            yield Name(form.removeprefix("="), concept.id, concept.type, bound, 2)


def _put(names: dict[str, str | tuple[str, ...]], key: str, concept: str) -> None:
    known = names.get(key)
    if known is None:
        names[key] = concept
    elif isinstance(known, str):
        if known != concept:
            names[key] = (known, concept)
    elif concept not in known:
        names[key] = (*known, concept)
