"""Looks for concepts in a sentence of a walk that neither the walk nor the cited evidence names."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Protocol

from agent.answer import Evidence, GraphEvidence, NoteEvidence, PassageEvidence, RowEvidence
from agent.knowing.words import templates
from knowledge.mentions import MentionFinder

_SLOT = re.compile(r"\{[a-z_]+\}")


class Naming(Protocol):
    """A sentence of a walk: its text and the names of concepts that the walk gave out."""

    @property
    def text(self) -> str: ...  # noqa: D102

    @property
    def names(self) -> Sequence[str]: ...  # noqa: D102


def says_no_other(sentence: Naming, cited: Sequence[Evidence], finder: MentionFinder) -> bool:
    """Whether every concept in a sentence is one that its walk named, or stands in the cited evidence.

    Args:
        sentence: of a walk.
        cited: its evidence, which is known to exist as it is told.
        finder: finds concepts in the text that is left.
    """
    rest = sentence.text
    for known in sorted({*sentence.names, *_texts(cited)}, key=len, reverse=True):
        rest = rest.replace(known, " ; ")
    others = {" ".join(one.text.split()).casefold() for one in finder.find(rest)}
    return others <= _of_wordings(finder)


@cache
def _of_wordings(finder: MentionFinder) -> frozenset[str]:
    """What the wordings themselves mention: "allergy", "patient's kidney function"."""
    return frozenset(
        " ".join(one.text.split()).casefold()
        for template in templates()
        for one in finder.find(_SLOT.sub(" ; ", template))
    )


def _texts(cited: Sequence[Evidence]) -> Iterator[str]:
    for piece in cited:
        if isinstance(piece, GraphEvidence):
            yield from (text for edge in piece.edges for text in edge if text)
            yield from (text.rstrip("。.") for text in piece.details)
            yield piece.source
        elif isinstance(piece, RowEvidence):
            yield from (v for v in piece.values.values() if isinstance(v, str) and len(v) > 1)
        elif isinstance(piece, NoteEvidence | PassageEvidence):
            yield " ".join(piece.quote.split())
            if isinstance(piece, PassageEvidence) and piece.title:
                yield piece.title
