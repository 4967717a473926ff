"""Finding clinical concepts by their names: English and Chinese, synonyms, abbreviations, labels.

It knows names only. Which of several meanings a question intends, and which values a store has, is left to
others.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from knowledge.errors import ConfigError
from knowledge.terminology.concepts import Concept, read_table

How = Literal["name", "translation", "synonym", "abbreviation", "label"]
_HERE = Path(__file__).parent
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full-width ASCII, one for one


@dataclass(frozen=True, slots=True)
class TermMatch:
    """``text == source[start:end]`` names these concepts; more than one where the form is ambiguous.

    Attributes:
        how: what kind of form it is, for the best of the concepts; ``translation`` is any Chinese form.
    """

    start: int
    end: int
    text: str
    concepts: tuple[Concept, ...]
    how: How


@dataclass(frozen=True, slots=True)
class _Form:
    concept: Concept
    how: How
    exact: str | None  # the only case in which it counts; None: any


class Terminology:
    """All concepts and every form that names them."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self._concepts: dict[str, Concept] = {}
        for concept in concepts:
            known = self._concepts.get(concept.id)
            self._concepts[concept.id] = known.extended(concept) if known else concept
        self._forms: dict[str, list[_Form]] = defaultdict(list)
        for concept in self._concepts.values():
            for text, how in _forms(concept):
                self._add(text, how, concept)
        lengths: dict[str, set[int]] = defaultdict(set)
        for form in self._forms:
            lengths[form[0]].add(len(form))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}

    @classmethod
    def load(cls, extra: Path | None = None) -> "Terminology":
        """The tables that come with Chartroom, then a hospital's own.

        Args:
            extra: a TSV file, or a folder of them, with the same columns; a row whose id is known adds its
                names, codes and labels to that concept.

        Raises:
            ConfigError: a table cannot be read.
        """
        tables = sorted((_HERE / "tables").glob("*.tsv"))
        if extra is not None:
            own = sorted(extra.glob("*.tsv")) if extra.is_dir() else [extra]
            if not own:
                raise ConfigError(f"The terminology folder {extra} holds no .tsv file.")
            tables += own
        return cls(concept for table in tables for concept in read_table(table))

    def __len__(self) -> int:
        return len(self._concepts)

    @property
    def concepts(self) -> Sequence[Concept]:
        """All concepts, in the order of the tables."""
        return tuple(self._concepts.values())

    def concept(self, concept_id: str) -> Concept:
        """The concept of that id.

        Raises:
            KeyError: there is none.
        """
        return self._concepts[concept_id]

    def find(self, text: str) -> list[TermMatch]:
        """The concepts that a text names, by position, without overlaps; longer names win over shorter ones.

        English forms match whole words, in any case unless the form is case-bound, with a plural ``s``;
        Chinese forms match anywhere.
        """
        folded = fold(text)
        found = [
            match
            for start, first in enumerate(folded)
            if start == 0 or not (_latin(first) and _latin(folded[start - 1]))  # no name begins inside a word
            for length in self._lengths.get(first, ())
            if (match := self._match(text, folded, start, length)) is not None
        ]
        found.sort(key=lambda match: (match.start - match.end, match.start))
        taken = bytearray(len(text))
        kept = []
        for match in found:
            if not any(taken[match.start : match.end]):
                taken[match.start : match.end] = b"\1" * (match.end - match.start)
                kept.append(match)
        return sorted(kept, key=lambda match: match.start)

    def named(self, form: str) -> tuple[Concept, ...]:
        """The concepts that exactly this form names."""
        forms = self._forms.get(fold(form), ())
        return _distinct(entry for entry in forms if entry.exact in (None, form))

    def expand(self, label: str) -> tuple[str, ...]:
        """Every form, in both languages, of the concepts that a label or name means; itself comes first."""
        forms = [text.removeprefix("=") for c in self.named(label) for text, _ in _forms(c)]
        return tuple(dict.fromkeys((label, *forms)))

    def surface_forms(self) -> Mapping[str, Sequence[str]]:
        """Every form, as written, to the English labels and names that a store may hold for it."""
        return self._surface_forms

    @cached_property
    def _surface_forms(self) -> dict[str, tuple[str, ...]]:
        targets: dict[str, dict[str, None]] = defaultdict(dict)
        for concept in self._concepts.values():
            values = dict.fromkeys((*concept.labels, concept.en))
            for text, _ in _forms(concept):
                targets[text.removeprefix("=")].update(values)
        return {form: tuple(values) for form, values in targets.items()}

    def _add(self, text: str, how: How, concept: Concept) -> None:
        exact = text[1:] if text.startswith("=") and len(text) > 1 else None
        if exact is None and how == "label" and len(text) <= 3:
            exact = text
        forms = self._forms[fold(text.removeprefix("="))]
        if all(form.concept.id != concept.id or form.exact not in (None, exact) for form in forms):
            forms.append(_Form(concept, how, exact))

    def _match(self, text: str, folded: str, start: int, length: int) -> TermMatch | None:
        end = start + length
        forms = self._forms.get(folded[start:end]) if end <= len(folded) else None
        if not forms:
            return None
        if _latin(folded[end - 1]) and end < len(folded) and _latin(folded[end]):
            plural = length > 3 and folded[end] == "s"
            if not plural or (end + 1 < len(folded) and _latin(folded[end + 1])):
                return None
            end += 1
        if length <= 2 and ("-" in folded[max(0, start - 1) : start] or "-" in folded[end : end + 1]):
            return None  # "T-cell", "X-K": part of a longer word
        written = text[start : start + length].translate(_WIDE)
        meant = [form for form in forms if form.exact in (None, written)]
        if not meant:
            return None
        return TermMatch(start, end, text[start:end], _distinct(meant), meant[0].how)


def fold(text: str) -> str:
    """Lower case and half-width, character for character, so that offsets hold."""
    return "".join(
        lower if len(lower := char.lower()) == 1 else char for char in text.translate(_WIDE)
    ).replace("’", "'")


def _forms(concept: Concept) -> Iterator[tuple[str, How]]:
    yield concept.en, "name"
    yield concept.zh, "translation"
    kinds: tuple[tuple[tuple[str, ...], How], ...] = (
        (concept.synonyms_en, "synonym"),
        (concept.synonyms_zh, "translation"),
        (concept.abbreviations, "abbreviation"),
        (concept.labels, "label"),
    )
    for texts, how in kinds:
        for text in texts:
            yield text, how


def _distinct(forms: Iterable[_Form]) -> tuple[Concept, ...]:
    return tuple({form.concept.id: form.concept for form in forms}.values())


def _latin(char: str) -> bool:
    return char.isalnum() and ord(char) < 0x250
