"""Builds a note index and brings it up to date, one generation after the other."""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from indexes import chunk_table, keywords
from indexes.chunk_table import Source
from indexes.chunking import Chunk, chunks
from indexes.embedding import Embedder
from indexes.vectors import VectorIndex
from knowledge.errors import IndexFault
from knowledge.generations import Generations
from knowledge.manifest import Manifest, ModelRecord
from knowledge.store.store import Note, RecordStore

DATABASE = "chunks.sqlite"
VECTORS = "vectors.faiss"
_BATCH = 512

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); stages: 'notes', 'embeddings', 'files'."""


@dataclass(frozen=True, slots=True)
class Document:
    """A guideline, leaflet or article; citations are code-point offsets into ``text``."""

    doc_id: str
    title: str
    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did to the index."""

    put: int
    deleted: int
    chunks: int


def generations(store: RecordStore, folder: Path) -> Generations:
    """Where the note index of a store lives within its index folder."""
    return Generations(folder / "notes", f"chartroom index --rebuild --store {store.path}")


def build(
    store: RecordStore,
    folder: Path,
    embedder: Embedder | None,
    progress: Progress | None = None,
    documents: Iterable[Document] = (),
) -> Manifest:
    """Index all notes of a store, and documents, from scratch.

    Args:
        store: read only.
        folder: the store's index folder.
        embedder: ``None`` for keywords only.
        progress: told how far it is.
        documents: indexed beside the notes.

    Raises:
        IndexFault: another build is at work or the folder cannot be written.
    """
    report = progress or _silent
    with generations(store, folder).stage() as staging:
        last_change = _last_change(store)  # before the notes: what changes meanwhile is read again
        total = _count_notes(store)
        with closing(_create(staging.folder / DATABASE)) as connection:
            writer = _Writer(connection, VectorIndex(embedder.dimension) if embedder else None, embedder)
            for done, note in enumerate(store.notes(), start=1):
                writer.put(_note_source(note), note.text)
                report("notes", done, max(total, done))
            for document in documents:
                writer.put_document(document)
            writer.embed(report)
            staging.manifest = _finish(store, staging.folder, writer, last_change, report)
    return staging.manifest


def update(
    store: RecordStore,
    folder: Path,
    embedder: Embedder | None,
    progress: Progress | None = None,
    documents: Iterable[Document] = (),
) -> Updated:
    """Follow the store's log of note changes since the last build or update; add or replace documents.

    The work goes into a copy: a kill at any moment leaves the index as it was.

    Raises:
        IndexFault: no index yet, an altered one, another model than it was built with, or a build at work.
    """
    report = progress or _silent
    places = generations(store, folder)
    with places.stage() as staging:
        source, manifest = places.open()
        check_belongs(manifest, store, embedder, places)
        changed, last_change = _changes(store, manifest.last_change)
        documents = list(documents)
        if not changed and not documents:
            return Updated(0, 0, int(manifest.details["chunks"]))
        shutil.copyfile(source / DATABASE, staging.folder / DATABASE)
        vectors = VectorIndex.read(source / VECTORS) if manifest.embedding else None
        with closing(sqlite3.connect(staging.folder / DATABASE)) as connection:
            writer = _Writer(connection, vectors, embedder)
            put = 0
            for done, note_id in enumerate(changed, start=1):
                writer.forget("note", str(note_id))
                note = store.note(note_id)
                if note is not None:
                    writer.put(_note_source(note), note.text)
                    put += 1
                report("notes", done, len(changed))
            for document in documents:
                writer.forget("document", document.doc_id)
                writer.put_document(document)
            writer.embed(report)
            staging.manifest = _finish(store, staging.folder, writer, last_change, report)
    return Updated(put, len(changed) - put, int(staging.manifest.details["chunks"]))


def pending(store: RecordStore, manifest: Manifest) -> int:
    """How many notes changed since the index was written."""
    return len(_changes(store, manifest.last_change)[0])


def check_belongs(
    manifest: Manifest, store: RecordStore, embedder: Embedder | None, places: Generations
) -> None:
    """Refuse an index of another store or of another embedding model.

    Raises:
        IndexFault: it does not belong.
    """
    if manifest.store != store.identity():
        raise IndexFault(
            f"The index {places.folder} was built from another store. Build it anew with: {places.repair}"
        )
    made_by = manifest.embedding
    if made_by and embedder and made_by.sha256 != embedder.sha256:
        raise IndexFault(
            f"The index {places.folder} was built with the embedding model {made_by.name!r} "
            f"({made_by.sha256[:12]}), not {embedder.name!r} ({embedder.sha256[:12]}). "
            f"Build it anew with: {places.repair}"
        )


class _Writer:
    """Collects chunks for the three indexes and embeds what is new."""

    def __init__(
        self, connection: sqlite3.Connection, vectors: VectorIndex | None, embedder: Embedder | None
    ) -> None:
        if vectors is not None and embedder is None:
            raise IndexFault(
                "The index holds embeddings; updating it needs the embedding model it was built with."
            )
        self.connection = connection
        self.vectors = vectors
        self._embedder = embedder
        connection.execute("CREATE TEMP TABLE waiting (chunk_id INTEGER PRIMARY KEY, text TEXT NOT NULL)")

    def put(self, source: Source, text: str) -> None:
        pieces = chunks(source.source_id, text)
        ids = chunk_table.add(self.connection, source, pieces)
        keywords.add(self.connection, ids, (piece.text for piece in pieces))
        if self.vectors is not None:
            self.connection.executemany(
                "INSERT INTO waiting VALUES (?, ?)",
                ((chunk_id, passage(source, piece)) for chunk_id, piece in zip(ids, pieces, strict=True)),
            )

    def put_document(self, document: Document) -> None:
        self.put(
            Source(
                "document",
                document.doc_id,
                text_sha256(document.text),
                language=document.language,
                title=document.title,
            ),
            document.text,
        )
        self.connection.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?)", (document.doc_id, document.text)
        )

    def forget(self, kind: chunk_table.SourceKind, source_id: str) -> None:
        gone = chunk_table.remove(self.connection, kind, source_id)
        keywords.remove(self.connection, gone)
        if self.vectors is not None:
            self.vectors.remove(gone)

    def embed(self, report: Progress) -> None:
        if self.vectors is None or self._embedder is None:
            return
        (total,) = self.connection.execute("SELECT count(*) FROM waiting").fetchone()
        done = 0
        for batch in self._batches():
            place = {text: n for n, text in enumerate(dict.fromkeys(text for _, text in batch))}
            vectors = self._embedder.encode(list(place))  # text that was copied forward is embedded once
            self.vectors.add([chunk_id for chunk_id, _ in batch], vectors[[place[text] for _, text in batch]])
            done += len(batch)
            report("embeddings", done, total)

    def model(self) -> ModelRecord | None:
        if self.vectors is None or self._embedder is None:
            return None
        return ModelRecord(
            name=self._embedder.name, sha256=self._embedder.sha256, dimension=self.vectors.dimension
        )

    def _batches(self) -> Iterator[list[tuple[int, str]]]:
        # By length: a batch is padded to its longest text. By text: the same text comes together.
        cursor = self.connection.execute(
            "SELECT chunk_id, text FROM waiting ORDER BY length(text), text, chunk_id"
        )
        while batch := cursor.fetchmany(_BATCH):
            yield batch


def passage(source: Source, piece: Chunk) -> str:
    """What is embedded for a chunk: its text, under its heading where that is not part of it."""
    title = piece.section or source.title or ""
    return piece.text if not title or title in piece.text[:80] else f"{title}: {piece.text}"


def text_sha256(text: str) -> str:
    """SHA-256 of a source's text; lone surrogates are hashed as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _create(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.executescript(chunk_table.SCHEMA + keywords.SCHEMA)
    return connection


def _finish(
    store: RecordStore, folder: Path, writer: _Writer, last_change: int, report: Progress
) -> Manifest:
    report("files", 0, 1)
    writer.connection.commit()
    (count,) = writer.connection.execute("SELECT count(*) FROM chunks").fetchone()
    (sources,) = writer.connection.execute("SELECT count(*) FROM sources").fetchone()
    if writer.vectors is not None:
        writer.vectors.finish()
        writer.vectors.write(folder / VECTORS)
    report("files", 1, 1)
    return Manifest(
        store=store.identity(),
        last_change=last_change,
        embedding=writer.model(),
        details={"chunks": count, "sources": sources},
    )


def _note_source(note: Note) -> Source:
    return Source(
        "note",
        str(note.note_id),
        text_sha256(note.text),
        note.subject_id,
        note.hadm_id,
        note.note_type,
        note.charttime,
        note.language,
        note.title,
    )


def _count_notes(store: RecordStore) -> int:
    if "notes" not in store.tables:
        return 0
    with closing(store.connect()) as connection:
        return connection.execute("SELECT count(*) FROM notes").fetchone()[0]


def _last_change(store: RecordStore) -> int:
    if not store.native:
        return 0
    with closing(store.connect()) as connection:
        return connection.execute("SELECT coalesce(max(change_id), 0) FROM note_changes").fetchone()[0]


def _changes(store: RecordStore, since: int) -> tuple[list[int], int]:
    """Notes touched after change ``since``, and the newest change."""
    if not store.native:
        return [], 0
    with closing(store.connect()) as connection:
        rows = connection.execute(
            "SELECT note_id, max(change_id) FROM note_changes WHERE change_id > ? "
            "GROUP BY note_id ORDER BY 2",
            (since,),
        ).fetchall()
    return [note_id for note_id, _ in rows], rows[-1][1] if rows else since


def _silent(stage: str, done: int, total: int) -> None:
    """Nobody wants to know."""
