"""What an index is made of and quotes from: the notes of a store, or the library with the facts of the graph."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from knowledge.mentions.mention import Mention

SourceKind = Literal["note", "document", "fact"]


@dataclass(frozen=True, slots=True)
class Source:
    """A note, document or fact as an index knows it; ``sha256`` is of the text that its offsets count in."""

    kind: SourceKind
    source_id: str
    sha256: str
    subject_id: int | None = None
    hadm_id: int | None = None
    note_type: str | None = None
    charttime: str | None = None
    language: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A source with its text.

    Attributes:
        concepts: ids of the concepts that it is about, where that is known without reading it.
        meaning: what is embedded in its place, where the rest of it says the same in another language.
    """

    source: Source
    text: str
    concepts: tuple[str, ...] = ()
    meaning: str | None = None


Key = tuple[SourceKind, str]
Indexed = Callable[[], Mapping[Key, str]]
"""The sources that an index holds with the SHA-256 of each, for a corpus that keeps no log."""
Reader = Callable[[SourceKind, str], Text | None]
"""Gives a source's text as it is now; ``None`` where it is gone."""


class Corpus(Protocol):
    """Texts that can be indexed."""

    @property
    def name(self) -> str:
        """Folder of its index within an index folder."""
        ...

    @property
    def repair(self) -> str:
        """The command that builds the index anew, for messages."""
        ...

    def identity(self) -> str:
        """Tells this corpus from others; an index of another one is refused."""
        ...

    def count(self) -> int:
        """How many sources there are, about."""
        ...

    def texts(self) -> Iterator[Text]:
        """All of them, streamed, in a fixed order."""
        ...

    def reading(self) -> AbstractContextManager[Reader]:
        """Reads single sources."""
        ...

    def last_change(self) -> int:
        """Number of the newest change."""
        ...

    def changes(self, since: int, indexed: Indexed) -> tuple[Sequence[Key], int]:
        """Sources put or deleted after change ``since``, and the number of the newest change.

        Args:
            since: what the index knows.
            indexed: what it holds; asked only where the corpus keeps no log of its own.
        """
        ...


class Tagger(Protocol):
    """Finds the concepts that a text mentions (``knowledge.mentions.MentionFinder`` is one)."""

    @property
    def identity(self) -> str:
        """Changes whenever it would find something else; an index tagged by another one is tagged anew."""
        ...

    def find(self, text: str, language: str | None = None) -> Sequence[Mention]:
        """The mentions of concepts in a text."""
        ...


def text_sha256(text: str) -> str:
    """SHA-256 of a source's text; lone surrogates are hashed as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
