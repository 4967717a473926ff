"""What the section of a mention says of it where its sentence says nothing else (``section_defaults.tsv``)."""

from collections.abc import Set
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import cast

from knowledge.mentions.context import Judgement
from knowledge.mentions.mention import Assertion

TARGET = "target"
"""Stands for the type of a string that is judged without naming a concept."""
_ANY = "any"


@dataclass(frozen=True, slots=True)
class _Default:
    assertion: Assertion
    types: frozenset[str]
    unless: frozenset[str]


def in_section(judgement: Judgement, kind: str, types: Set[str]) -> Judgement:
    """A judgement by the sentence, with the default of its section where that leaves it open.

    Args:
        judgement: what the sentence says.
        kind: of the section.
        types: of the concepts that the mention may name, or ``TARGET``.
    """
    default = _defaults().get(kind)
    if default is None or not (_ANY in default.types or types & default.types):
        return judgement
    if any(getattr(judgement, exception) for exception in default.unless):
        return judgement
    if default.assertion == "family":
        assertion = judgement.assertion if judgement.assertion == "negated" else "family"
        return replace(judgement, assertion=assertion, experiencer="family")
    if judgement.assertion != "present" or judgement.experiencer != "patient":
        return judgement
    return replace(judgement, assertion=default.assertion)


@lru_cache(maxsize=1)
def _defaults() -> dict[str, _Default]:
    lines = files("knowledge.mentions").joinpath("section_defaults.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in lines.splitlines()[1:]]
    return {
        kind: _Default(cast(Assertion, assertion), frozenset(types.split("|")), frozenset(unless.split("|")))
        for kind, assertion, types, unless, _ in rows
    }
