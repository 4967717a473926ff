"""Which of several meanings a form has here: by its sentence, its section and the rest of the text.

The forms, their meanings and what speaks for each are data (``senses.tsv``). A meaning ``-`` is none that the
terminology has (MS: mental status). Where nothing decides, the meaning that is the usual one holds; where
there is none, all stay candidates.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from knowledge.mentions.tables import table

_NONE = "-"
_ELSEWHERE, _SENTENCE, _SECTION, _USUAL = 8, 4, 2, 1


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a form stands.

    Attributes:
        sentence: the words around it, without it.
        section: the kind of its section.
        elsewhere: ids of the concepts that the text names by other forms.
    """

    sentence: str
    section: str
    elsewhere: frozenset[str]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a form may mean here; ``open`` where the text does not decide between these, or these and others."""

    concepts: tuple[str, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class _Sense:
    concept: str
    words: re.Pattern[str]
    sections: frozenset[str]
    usual: bool


def has_senses(form: str) -> bool:
    """Whether the meanings of this form, written so, are listed."""
    return form in _senses()


def meant(form: str, concepts: Sequence[str], known: Container[str], setting: Setting) -> Meaning | None:
    """What a form means where it stands.

    Args:
        form: as written.
        concepts: that the names give for it.
        known: ids of the concepts that there are.
        setting: where it stands.

    Returns:
        None where it means none of the concepts that there are.
    """
    senses = _senses().get(form, ())
    listed = {sense.concept for sense in senses}
    points = {concept: 0 for concept in concepts if concept not in listed}
    for sense in senses:
        if sense.concept == _NONE or sense.concept in known:
            points[sense.concept] = (
                _SENTENCE * len(set(sense.words.findall(setting.sentence)))
                + _SECTION * (setting.section in sense.sections)
                + _USUAL * sense.usual
            )
    for concept in points:
        if concept in setting.elsewhere:
            points[concept] += _ELSEWHERE
    best = max(points.values(), default=0)
    first = [concept for concept, score in points.items() if score == best]
    if best and len(first) == 1:
        return None if first[0] == _NONE else Meaning((first[0],), open=False)
    concepts = tuple(concept for concept in points if concept != _NONE)
    return Meaning(concepts, open=len(points) > 1) if concepts else None


def listed_senses() -> Iterator[tuple[str, str]]:
    """Every form whose meanings are listed, with each concept that it may mean."""
    return (
        (form, sense.concept)
        for form, senses in _senses().items()
        for sense in senses
        if sense.concept != _NONE
    )


@lru_cache(maxsize=1)
def _senses() -> Mapping[str, tuple[_Sense, ...]]:
    found: dict[str, list[_Sense]] = {}
    for form, concept, words, sections, usual in table("senses"):
        pieces = [re.escape(word) for word in words.split("|") if word]
        boundary = [rf"(?<![a-z]){piece}" if piece[0].isascii() else piece for piece in pieces]
        sense = _Sense(
            concept,
            re.compile("|".join(boundary) or r"(?!)", re.IGNORECASE),
            frozenset(sections.split("|")) - {""},
            usual == "usual",
        )
        found.setdefault(form, []).append(sense)
    return {form: tuple(senses) for form, senses in found.items()}
