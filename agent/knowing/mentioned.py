"""Reads the notes again that a sentence of a walk rests on: what it takes for said must be said so, of the patient."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from agent.answer import Evidence, Language, NoteEvidence
from agent.knowing.point import Mentioned
from agent.knowing.words import word
from knowledge.mentions import Mention, MentionFinder
from knowledge.store import RecordStore

_LANGUAGES: tuple[Language, ...] = ("en", "zh")
_OF_OTHERS = frozenset({"cohort.excluded", "differential.hit"})
"""Sentences that speak of what the patient does not have, or a relative has; all others say what the patient has."""
_TELLING = frozenset({"timeline.note", "workup.noted"})
"""Sentences that tell the assertion in words."""


class Resting(Protocol):
    """A sentence of a walk: its text, the key of its wording, the mentions that it rests on."""

    @property
    def text(self) -> str: ...  # noqa: D102

    @property
    def key(self) -> str: ...  # noqa: D102

    @property
    def mentions(self) -> Sequence[Mentioned]: ...  # noqa: D102


def mentions_hold(
    sentence: Resting, cited: Sequence[Evidence], store: RecordStore, finder: MentionFinder | None
) -> bool:
    """Whether each note that a sentence cites still says, where it is cited, what the sentence takes it to say.

    Args:
        sentence: names the span, concept and assertion of every mention that it rests on.
        cited: its evidence; a note among it that no mention accounts for proves nothing.
        store: the notes are read there.
        finder: finds the mentions anew, whatever the patient graph holds.
    """
    notes = [piece for piece in cited if isinstance(piece, NoteEvidence)]
    if not notes:
        return True
    if finder is None:
        return False
    said = sentence.mentions
    accounted = all(
        any(one.note_id == piece.note_id and piece.start <= one.start < piece.end for one in said)
        for piece in notes
    )
    return (
        accounted
        and all(_is_said(one, store, finder) for one in said)
        and all(_may_be_said(one, sentence) for one in said)
    )


def _is_said(one: Mentioned, store: RecordStore, finder: MentionFinder) -> bool:
    note = store.note(one.note_id)
    if note is None:
        return False
    language = "zh" if note.language == "zh" else "en" if note.language == "en" else None
    return any(
        (found.start, found.end, found.concept) == (one.start, one.end, one.concept)
        and (found.assertion, found.experiencer) == (one.assertion, one.experiencer)
        for found in _read(finder, note.text, language)
    )


@lru_cache(maxsize=256)
def _read(finder: MentionFinder, text: str, language: Language | None) -> Sequence[Mention]:
    """The mentions of a note, which several sentences of an answer rest on."""
    return finder.find(text, language)


def _may_be_said(one: Mentioned, sentence: Resting) -> bool:
    if sentence.key in _TELLING:
        return any(word(language, f"assertion.{one.assertion}") in sentence.text for language in _LANGUAGES)
    return one.is_own or sentence.key in _OF_OTHERS
