"""Recognises by its words which question for the graphs a question is (``wordings.yaml``, ``asked_facts.yaml``)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, cast

import yaml

from agent.answer import Language
from agent.planning.times import half_width

_Patterns = Mapping[str, Sequence[re.Pattern[str]]]


@dataclass(frozen=True, slots=True)
class AskedFact:
    """A wording that asks for general knowledge.

    Attributes:
        relations: that answer it.
        side: ``out`` where the thing named is the subject of the relation, ``in`` where it is the object.
        of: types of concept, one of which must be named.
    """

    relations: tuple[str, ...]
    side: Literal["in", "out"]
    of: frozenset[str]


def says(question: str, language: Language, wording: str) -> bool:
    """Whether a question has a wording; questions in Chinese may hold English words, so those count, too."""
    return _fits(_wordings()[wording], half_width(question), language)


def caught(question: str, language: Language, wording: str) -> str | None:
    """What the group ``thing`` of a wording catches in a question; ``None`` where the question does not have it."""
    for code in dict.fromkeys((language, "en")):
        for pattern in _wordings()[wording][code]:
            if found := pattern.search(half_width(question)):
                return found["thing"]
    return None


def asked_facts(question: str, language: Language) -> Iterator[AskedFact]:
    """The kinds of fact that a question may ask for, the likelier first."""
    text = half_width(question)
    for asked, patterns in _facts():
        if _fits(patterns, text, language):
            yield asked


def _fits(patterns: _Patterns, text: str, language: Language) -> bool:
    spoken: tuple[Language, ...] = ("en",) if language == "en" else ("zh", "en")
    return any(pattern.search(text) for one in spoken for pattern in patterns[one])


@cache
def _wordings() -> Mapping[str, _Patterns]:
    table = yaml.safe_load(files("agent.knowing").joinpath("wordings.yaml").read_text(encoding="utf-8"))
    return {name: _compiled(entry) for name, entry in table.items()}


@cache
def _facts() -> tuple[tuple[AskedFact, _Patterns], ...]:
    table = yaml.safe_load(files("agent.knowing").joinpath("asked_facts.yaml").read_text(encoding="utf-8"))
    return tuple(
        (
            AskedFact(tuple(e["relations"]), cast(Literal["in", "out"], e["side"]), frozenset(e["of"])),
            _compiled(e),
        )
        for e in table
    )


def _compiled(entry: Mapping[str, Sequence[str]]) -> _Patterns:
    return {
        language: [re.compile(pattern, re.IGNORECASE) for pattern in entry[language]]
        for language in ("en", "zh")
    }
