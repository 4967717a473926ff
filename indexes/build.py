"""Builds an index of passages and brings it up to date, one generation after the other."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from indexes import chunk_table, concept_table, keywords
from indexes.chunking import Chunk, chunks
from indexes.corpus import Corpus, Key, Source, SourceKind, Tagger, Text
from indexes.embedding import Embedder
from indexes.vectors import VectorIndex
from knowledge.errors import IndexFault
from knowledge.generations import Generations
from knowledge.manifest import Manifest, ModelRecord

DATABASE = "chunks.sqlite"
VECTORS = "vectors.faiss"
_BATCH = 512
_TAGGED = "tagged by"

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); stages: the corpus' name, 'embeddings', 'files'."""


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did to the index."""

    put: int
    deleted: int
    chunks: int


def generations(corpus: Corpus, folder: Path) -> Generations:
    """Where the index of a corpus lives within an index folder."""
    return Generations(folder / corpus.name, corpus.repair)


def build(
    corpus: Corpus,
    folder: Path,
    embedder: Embedder | None,
    progress: Progress | None = None,
    tagger: Tagger | None = None,
) -> Manifest:
    """Index all texts of a corpus from scratch.

    Args:
        corpus: read only.
        folder: the index folder.
        embedder: ``None`` for keywords only.
        progress: told how far it is.
        tagger: finds the concepts of each passage, for the search by the graph; ``None`` for none.

    Raises:
        IndexFault: another build is at work or the folder cannot be written.
    """
    report = progress or _silent
    with generations(corpus, folder).stage() as staging:
        last_change = corpus.last_change()  # before the texts: what changes meanwhile is read again
        total = corpus.count()
        with closing(_create(staging.folder / DATABASE)) as connection:
            vectors = VectorIndex(embedder.dimension) if embedder else None
            writer = _Writer(connection, vectors, embedder, tagger)
            for done, text in enumerate(corpus.texts(), start=1):
                writer.put(text)
                report(corpus.name, done, max(total, done))
            writer.embed(report)
            staging.manifest = _finish(corpus, staging.folder, writer, last_change, report)
    return staging.manifest


def update(
    corpus: Corpus,
    folder: Path,
    embedder: Embedder | None,
    progress: Progress | None = None,
    tagger: Tagger | None = None,
) -> Updated:
    """Follow the changes of a corpus since the last build or update, and tag it anew where the tagger changed.

    The work goes into a copy: a kill at any moment leaves the index as it was.

    Raises:
        IndexFault: no index yet, an altered one, another model than it was built with, or a build at work.
    """
    report = progress or _silent
    places = generations(corpus, folder)
    with places.stage() as staging:
        source, manifest = places.open()
        check_belongs(manifest, corpus, embedder, places)
        indexed = partial(_indexed, source / DATABASE)
        changed, last_change = corpus.changes(manifest.last_change, indexed)
        retag = _is_retagged(manifest, tagger)
        if not changed and not retag:
            return Updated(0, 0, int(manifest.details["chunks"]))
        shutil.copyfile(source / DATABASE, staging.folder / DATABASE)
        vectors = VectorIndex.read(source / VECTORS) if manifest.embedding else None
        with closing(sqlite3.connect(staging.folder / DATABASE)) as connection, corpus.reading() as read:
            writer = _Writer(connection, vectors, embedder, tagger)
            put = 0
            for done, (kind, source_id) in enumerate(changed, start=1):
                writer.forget(kind, source_id)
                text = read(kind, source_id)
                if text is not None:
                    writer.put(text)
                    put += 1
                report(corpus.name, done, len(changed))
            if retag:
                writer.tag_all(corpus)
            writer.embed(report)
            staging.manifest = _finish(corpus, staging.folder, writer, last_change, report)
    return Updated(put, len(changed) - put, int(staging.manifest.details["chunks"]))


def pending(corpus: Corpus, folder: Path, manifest: Manifest, tagger: Tagger | None = None) -> int:
    """How many sources changed since the generation in ``folder``; all where another tagger is at work."""
    if _is_retagged(manifest, tagger):
        return max(1, corpus.count())
    return len(corpus.changes(manifest.last_change, partial(_indexed, folder / DATABASE))[0])


def check_belongs(manifest: Manifest, corpus: Corpus, embedder: Embedder | None, places: Generations) -> None:
    """Refuse an index of another corpus or of another embedding model.

    Raises:
        IndexFault: it does not belong.
    """
    if manifest.store != corpus.identity():
        raise IndexFault(
            f"The index {places.folder} was built from another store or library. Build it anew with: {places.repair}"
        )
    made_by = manifest.embedding
    if made_by and embedder and made_by.sha256 != embedder.sha256:
        raise IndexFault(
            f"The index {places.folder} was built with the embedding model {made_by.name!r} "
            f"({made_by.sha256[:12]}), not {embedder.name!r} ({embedder.sha256[:12]}). "
            f"Build it anew with: {places.repair}"
        )


class _Writer:
    """Collects chunks for the indexes and embeds what is new."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        vectors: VectorIndex | None,
        embedder: Embedder | None,
        tagger: Tagger | None,
    ) -> None:
        if vectors is not None and embedder is None:
            raise IndexFault(
                "The index holds embeddings; updating it needs the embedding model it was built with."
            )
        self.connection = connection
        self.vectors = vectors
        self.tagger = tagger
        self._embedder = embedder
        connection.execute("CREATE TEMP TABLE waiting (chunk_id INTEGER PRIMARY KEY, text TEXT NOT NULL)")

    def put(self, text: Text) -> None:
        pieces = chunks(text.source.source_id, text.text)
        ids = chunk_table.add(self.connection, text.source, pieces)
        keywords.add(self.connection, ids, (piece.text for piece in pieces))
        self.tag(text, [(i, piece.start, piece.end) for i, piece in zip(ids, pieces, strict=True)])
        if self.vectors is not None:
            self.connection.executemany(
                "INSERT INTO waiting VALUES (?, ?)",
                (
                    (chunk_id, text.meaning or passage(text.source, piece))
                    for chunk_id, piece in zip(ids, pieces, strict=True)
                ),
            )

    def tag(self, text: Text, spans: list[tuple[int, int, int]]) -> None:
        """Record which concepts the chunks of a text mention."""
        if self.tagger is None:
            return
        if text.concepts:
            concept_table.add_known(self.connection, [chunk_id for chunk_id, _, _ in spans], text.concepts)
        else:
            found = self.tagger.find(text.text, text.source.language)
            concept_table.add(self.connection, spans, found)

    def tag_all(self, corpus: Corpus) -> None:
        """Tag every source anew; passages and vectors stay."""
        concept_table.clear(self.connection)
        for text in corpus.texts():
            spans = chunk_table.spans(self.connection, text.source.kind, text.source.source_id)
            self.tag(text, spans)

    def forget(self, kind: SourceKind, source_id: str) -> None:
        gone = chunk_table.remove(self.connection, kind, source_id)
        keywords.remove(self.connection, gone)
        concept_table.remove(self.connection, gone)
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


def _is_retagged(manifest: Manifest, tagger: Tagger | None) -> bool:
    return tagger is not None and manifest.details.get(_TAGGED) != tagger.identity


def _indexed(database: Path) -> Mapping[Key, str]:
    with closing(
        sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    ) as connection:
        return {
            (kind, source_id): sha256
            for kind, source_id, sha256 in connection.execute("SELECT kind, source_id, sha256 FROM sources")
        }


def _create(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.executescript(chunk_table.SCHEMA + concept_table.SCHEMA + keywords.SCHEMA)
    return connection


def _finish(corpus: Corpus, folder: Path, writer: _Writer, last_change: int, report: Progress) -> Manifest:
    report("files", 0, 1)
    writer.connection.commit()
    (count,) = writer.connection.execute("SELECT count(*) FROM chunks").fetchone()
    (sources,) = writer.connection.execute("SELECT count(*) FROM sources").fetchone()
    if writer.vectors is not None:
        writer.vectors.finish()
        writer.vectors.write(folder / VECTORS)
    report("files", 1, 1)
    tagged: dict[str, int | str] = {_TAGGED: writer.tagger.identity} if writer.tagger else {}
    return Manifest(
        store=corpus.identity(),
        last_change=last_change,
        embedding=writer.model(),
        details={"chunks": count, "sources": sources, **tagged},
    )


def _silent(stage: str, done: int, total: int) -> None:
    """Nobody wants to know."""
