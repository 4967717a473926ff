"""All names that may be found in text, held small: normalised form -> the concepts that it names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from knowledge.mentions.words import has_cjk, name_key
from knowledge.terminology import Terminology

_LONGEST_ABBREVIATION = 5
_LONGEST_NAME = 16
"""Words; a longer title (of ICD, of a procedure) never stands in a note as it is."""


@dataclass(frozen=True, slots=True)
class Name:
    """One name of one concept; ``cased`` where it counts only in exactly this case."""

    form: str
    concept: str
    type: str
    cased: bool = False


class NameTable:
    """Names by their normalised words.

    A name of few capitals (``ALL``, ``MS``) counts only as written; so does one that its source binds.
    """

    def __init__(self, names: Iterable[Name]) -> None:
        self.types: dict[str, str] = {}
        self._concepts: dict[str, str | tuple[str, ...]] = {}
        self._cased: dict[str, str | tuple[str, ...]] = {}
        self.lengths: dict[str, tuple[int, ...]] = {}
        for name in names:
            self.add(name)

    @classmethod
    def of_terminology(cls, terminology: Terminology) -> Self:
        """The names of the core tables."""
        return cls(_terminology_names(terminology))

    def add(self, name: Name) -> None:
        """Add a name; one of too many words, or without any, is left out."""
        key = name_key(name.form)
        length = key.count(" ") + 1
        if not key or length > _LONGEST_NAME:
            return
        concept = self.types.setdefault(name.concept, name.type) and name.concept
        if name.cased:
            _put(self._cased, name.form, concept)
        else:
            _put(self._concepts, key, concept)
        first = key.split(" ", 1)[0]
        known = self.lengths.get(first, ())
        if length not in known:
            self.lengths[first] = tuple(sorted((*known, length), reverse=True))

    def named(self, key: str, written: str) -> tuple[str, ...]:
        """Ids of the concepts that a normalised form, written so in the text, names."""
        found = self._concepts.get(key, ())
        if isinstance(found, str):
            found = (found,)
        if self._cased and len(written) <= 24:
            cased = self._cased.get(written) or self._cased.get(written.removesuffix("s"))
            if cased:
                found = (*((cased,) if isinstance(cased, str) else cased), *found)
        return tuple(dict.fromkeys(found)) if len(found) > 1 else found

    def __len__(self) -> int:
        return len(self._concepts) + len(self._cased)


def is_abbreviation(form: str) -> bool:
    """Whether a name of a foreign source is to be taken as an abbreviation, bound to its case."""
    letters = form.replace(" ", "").replace("-", "")
    return (
        len(letters) <= _LONGEST_ABBREVIATION
        and not has_cjk(form)
        and sum(char.isupper() for char in letters) >= min(2, len(letters))
    )


def _terminology_names(terminology: Terminology) -> Iterable[Name]:
    for concept in terminology.concepts:
        for form in (concept.en, concept.zh, *concept.synonyms_en, *concept.synonyms_zh):
            yield Name(form, concept.id, concept.type)
        for form in concept.abbreviations:
            bound = form.startswith("=") or is_abbreviation(form)
            yield Name(form.removeprefix("="), concept.id, concept.type, bound)


def _put(table: dict[str, str | tuple[str, ...]], key: str, concept: str) -> None:
    known = table.get(key)
    if known is None:
        table[key] = concept
    elif isinstance(known, str):
        if known != concept:
            table[key] = (known, concept)
    elif concept not in known:
        table[key] = (*known, concept)
