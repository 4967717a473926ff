"""What drugs may be asked to do, by the words for it (``effects.tsv``): "QT", 肾毒性, "bleeding risk"."""

import csv
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from agent.planning.times import half_width


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that drugs may do.

    Attributes:
        concepts: findings and diseases that are it, the nearest first; a class whose members do it.
        measured: the values that show it.
        words: how people ask for it, one pattern for each language.
    """

    concepts: tuple[str, ...]
    measured: tuple[str, ...]
    words: tuple[re.Pattern[str], ...]


def named_effect(question: str) -> tuple[str, ...]:
    """The concepts of the first effect that a question has a word for; empty where it has none."""
    text = half_width(question)
    return next((e.concepts for e in _effects() if any(words.search(text) for words in e.words)), ())


def measured_by(concepts: Collection[str]) -> tuple[str, ...]:
    """The values that show an effect, as the table says; empty where it does not know the effect."""
    return next((e.measured for e in _effects() if set(e.concepts) <= set(concepts)), ())


@cache
def _effects() -> tuple[Effect, ...]:
    lines = files("agent.knowing").joinpath("effects.tsv").read_text(encoding="utf-8").splitlines()
    return tuple(
        Effect(
            tuple(row["concepts"].split("|")),
            tuple(filter(None, row["measured"].split("|"))),
            tuple(re.compile(row[language], re.IGNORECASE) for language in ("en", "zh")),
        )
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    )
