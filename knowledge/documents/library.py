"""The library: imported documents with their editions, in one SQLite file.

A changed text becomes the next version of its document; older versions stay, so that an answer given from them
can still be checked. A document that supersedes another takes it out of use: it is no longer searched.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Literal

from knowledge.errors import StoreError

Put = Literal["added", "changed", "same"]
_DAMAGED = (
    "The library {} is damaged, or no library of documents. Put a copy of it back, or move it away and import the "
    "documents again."
)
_SUPERSEDES_ITSELF = """
WITH RECURSIVE older (doc_id) AS (
    SELECT supersedes FROM newest WHERE doc_id = ?
    UNION SELECT newest.supersedes FROM older JOIN newest USING (doc_id)
) SELECT 1 FROM older WHERE doc_id = ?
"""
_FIELDS = "doc_id, title, text, edition, supersedes, language, origin, pages, version"


@dataclass(frozen=True, slots=True)
class Document:
    """A guideline, leaflet or article; citations are code-point offsets into ``text``.

    Attributes:
        doc_id: stable name.
        edition: as the publisher names it.
        supersedes: ``doc_id`` of the document that this one replaces.
        origin: name of the file it came from.
        pages: where each page begins in ``text``; empty where it has none.
        version: of the text in this library; 0 before it is put there.
    """

    doc_id: str
    title: str
    text: str
    edition: str | None = None
    supersedes: str | None = None
    language: str | None = None
    origin: str = ""
    pages: tuple[int, ...] = ()
    version: int = 0

    @property
    def cited_as(self) -> str:
        """Title with edition."""
        return f"{self.title} ({self.edition})" if self.edition else self.title

    def page(self, start: int) -> int | None:
        """The page, from 1, that a code point lies on."""
        return sum(begin <= start for begin in self.pages) or None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the catalogue.

    Attributes:
        superseded_by: the document that took its place.
        versions: how many are kept.
    """

    doc_id: str
    title: str
    edition: str | None
    version: int
    versions: int
    origin: str
    added: str
    characters: int
    superseded_by: str | None


class Library:
    """The documents of one installation; each call has a connection of its own.

    Args:
        path: the file; made at the first import.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, documents: Iterable[Document]) -> Iterator[Put]:
        """Add documents or new versions of them, all or none, and tell of each what it was.

        Raises:
            StoreError: the file cannot be written, or documents supersede each other in a circle.
        """
        with self._writing() as connection:
            for document in documents:
                yield _put(connection, document)

    def remove(self, doc_ids: Iterable[str]) -> int:
        """Remove documents with all their versions; returns how many there were."""
        with self._writing() as connection:
            return sum(
                connection.execute("DELETE FROM documents WHERE doc_id = ?", (doc_id,)).rowcount > 0
                for doc_id in doc_ids
            )

    def document(self, doc_id: str, version: int | None = None) -> Document | None:
        """A version of a document, the newest by default; ``None`` where there is none."""
        with self._reading() as connection:
            row = connection.execute(
                f"SELECT {_FIELDS} FROM documents WHERE doc_id = ? AND version = coalesce(?, version) "
                "ORDER BY version DESC LIMIT 1",
                (doc_id, version),
            ).fetchone()
        return None if row is None else _document(row)

    def in_use(self, doc_ids: Iterable[str] | None = None) -> Iterator[Document]:
        """The documents that are searched, by id; all or those named."""
        with self._reading() as connection:
            if doc_ids is None:
                for row in connection.execute(f"SELECT {_FIELDS} FROM in_use ORDER BY doc_id"):
                    yield _document(row)
                return
            for doc_id in doc_ids:
                for row in connection.execute(f"SELECT {_FIELDS} FROM in_use WHERE doc_id = ?", (doc_id,)):
                    yield _document(row)

    def count(self) -> int:
        """How many documents are in use."""
        with self._reading() as connection:
            return connection.execute("SELECT count(*) FROM in_use").fetchone()[0]

    def check(self) -> int:
        """Look through the whole file; how many documents are in use.

        Raises:
            StoreError: it is damaged.
        """
        with self._reading() as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            altered = [
                doc_id
                for doc_id, sha256, text in connection.execute("SELECT doc_id, sha256, text FROM documents")
                if text_sha256(text) != sha256
            ]
            if found != "ok" or altered:
                raise StoreError(
                    f"{_DAMAGED.format(self.path)} ({len(altered)} texts are not what was imported.)"
                )
            return connection.execute("SELECT count(*) FROM in_use").fetchone()[0]

    def entries(self) -> list[Entry]:
        """The catalogue: every document's newest version, by id."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT doc_id, title, edition, version, "
                "(SELECT count(*) FROM documents d WHERE d.doc_id = n.doc_id), origin, added, length(text), "
                "(SELECT s.doc_id FROM newest s WHERE s.supersedes = n.doc_id LIMIT 1) "
                "FROM newest n ORDER BY doc_id"
            )
            return [Entry(*row) for row in rows]

    def last_change(self) -> int:
        """Number of the newest change."""
        with self._reading() as connection:
            return connection.execute("SELECT coalesce(max(change_id), 0) FROM changes").fetchone()[0]

    def changes(self, since: int) -> tuple[Sequence[str], int]:
        """Ids of the documents touched after change ``since``, and the number of the newest change."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT doc_id, max(change_id) FROM changes WHERE change_id > ? GROUP BY doc_id ORDER BY 2",
                (since,),
            ).fetchall()
        return [doc_id for doc_id, _ in rows], rows[-1][1] if rows else since

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(sqlite3.connect(self.path)) as connection, connection:
                connection.execute("PRAGMA journal_mode = WAL")  # an import at work keeps no reader waiting
                if not _is_library(connection):
                    connection.executescript(f"BEGIN;{_schema()}COMMIT;")  # whole, or a later import makes it
                connection.execute(
                    "PRAGMA wal_checkpoint(TRUNCATE)"
                )  # so that a full disk gets its room back
                yield connection
        except (OSError, sqlite3.DatabaseError) as error:
            raise self._failure("written", error) from error

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            if not self.path.is_file():
                yield from _empty()
                return
            # Opened for writing, where that is allowed, so that what a killed import left is rolled back.
            writable = os.access(self.path.parent, os.W_OK) and os.access(self.path, os.W_OK)
            uri = f"{self.path.resolve().as_uri()}?{'mode=rw' if writable else 'mode=ro&immutable=1'}"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                connection.execute("PRAGMA query_only = ON")
                if _is_library(connection):
                    yield connection
                else:  # the first import was killed before it began
                    yield from _empty()
        except (OSError, sqlite3.DatabaseError) as error:
            raise self._failure("read", error) from error

    def _failure(self, done: str, error: Exception) -> StoreError:
        """What is wrong, and what to do: nobody is told to give up documents because another import is at work."""
        if isinstance(error, sqlite3.Error) and not hasattr(error, "sqlite_errorcode"):
            return StoreError(
                _DAMAGED.format(self.path)
            )  # text that is no UTF-8, which the error would quote
        match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR) & 0xFF:
            case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
                return StoreError(_DAMAGED.format(self.path))
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                remedy = "Another import is at work; wait until it is done."
            case sqlite3.SQLITE_FULL:
                remedy = "Make room on its disk; nothing in it was changed."
            case _:
                remedy = "Look whether its disk is full, and whether the file and its folder may be written."
        return StoreError(f"The library {self.path} cannot be {done}: {error}. {remedy}")


def _empty() -> Iterator[sqlite3.Connection]:
    """A library in memory in which nothing is."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_schema())
        yield connection


def _schema() -> str:
    return files("knowledge.documents").joinpath("library.sql").read_text(encoding="utf-8")


def text_sha256(text: str) -> str:
    """SHA-256 of a text; lone surrogates are hashed as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _put(connection: sqlite3.Connection, document: Document) -> Put:
    known = connection.execute(
        "SELECT version, sha256, title, edition, supersedes FROM newest WHERE doc_id = ?",
        (document.doc_id,),
    ).fetchone()
    digest = text_sha256(document.text)
    meta = (document.title, document.edition, document.supersedes)
    if known and known[1:] == (digest, *meta):
        return "same"
    connection.execute(
        "INSERT INTO documents (doc_id, version, title, edition, supersedes, language, origin, added, sha256, "
        "pages, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            document.doc_id,
            known[0] + 1 if known else 1,
            *meta,
            document.language,
            document.origin,
            datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            digest,
            json.dumps(document.pages),
            document.text,
        ),
    )
    if (
        document.supersedes is not None
        and connection.execute(_SUPERSEDES_ITSELF, (document.doc_id,) * 2).fetchone()
    ):
        raise StoreError(
            f"The document {document.doc_id!r} supersedes {document.supersedes!r}, which supersedes it in turn: "
            "neither would be in use. Nothing was imported; correct one of the two."
        )
    return "changed" if known else "added"


def _document(row: tuple) -> Document:
    doc_id, title, text, edition, supersedes, language, origin, pages, version = row
    return Document(
        doc_id, title, text, edition, supersedes, language, origin, tuple(json.loads(pages)), version
    )


def _is_library(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'documents'").fetchone())
