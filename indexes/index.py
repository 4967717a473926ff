"""The hybrid index over notes and documents: open it, search it, quote from it."""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexes import build as building
from indexes import chunk_table, fusion, keywords
from indexes.build import Document, Progress, Updated
from indexes.chunk_table import Filter, Place, SourceKind
from indexes.embedding import Embedder
from indexes.vectors import VectorIndex
from knowledge.errors import IndexFault
from knowledge.manifest import Manifest
from knowledge.store.store import RecordStore

Mode = Literal["keyword", "dense", "hybrid"]
_DEPTH = 50
"""Each ranking gives at least this many candidates to the fusion."""
_CACHED_FILTERS = 16


@dataclass(frozen=True, slots=True)
class Hit:
    """A found chunk: ``text`` is the source's ``[start, end)``, read from the record when it was found.

    Attributes:
        chunk_id: key within this index.
        kind: note or document.
        source_id: ``note_id`` as text, or the document's id.
        start: code point in the source.
        end: exclusive.
        section: heading it stands under, '' for none.
        score: of the mode: BM25, cosine or fused.
        text: the quote.
        ranks: 1-based rank in each ranking that found it.
        subject_id: patient of a note.
        hadm_id: encounter of a note.
        charttime: time of a note.
        note_type: type of a note.
        title: of the source.
    """

    chunk_id: int
    kind: SourceKind
    source_id: str
    start: int
    end: int
    section: str
    score: float
    text: str
    ranks: dict[str, int]
    subject_id: int | None
    hadm_id: int | None
    charttime: str | None
    note_type: str | None
    title: str | None


class NoteIndex:
    """An opened generation; safe to use from several threads. Made by ``build`` or ``open``."""

    def __init__(
        self, store: RecordStore, folder: Path, manifest: Manifest, embedder: Embedder | None
    ) -> None:
        self.manifest = manifest
        self._store = store
        self._embedder = embedder if manifest.embedding else None
        self._vectors = VectorIndex.read(folder / building.VECTORS) if self._embedder else None
        database = f"{(folder / building.DATABASE).resolve().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(database, uri=True, check_same_thread=False)
        self._lock = threading.Lock()
        self._filters: dict[Filter, NDArray[np.int64] | None] = {}

    @classmethod
    def build(
        cls,
        store: RecordStore,
        folder: Path,
        embedder: Embedder | None,
        progress: Progress | None = None,
        documents: Iterable[Document] = (),
    ) -> "NoteIndex":
        """Build from scratch (see ``indexes.build.build``) and open the result."""
        building.build(store, folder, embedder, progress, documents)
        return cls.open(store, folder, embedder)

    @classmethod
    def open(cls, store: RecordStore, folder: Path, embedder: Embedder | None) -> "NoteIndex":
        """Open the index of a store; every byte is checked.

        Args:
            store: the store that was indexed.
            folder: its index folder.
            embedder: the model it was built with; without one, only keywords are searched.

        Raises:
            IndexFault: missing, truncated, altered, of another store or another model.
        """
        places = building.generations(store, folder)
        generation, manifest = places.open()
        building.check_belongs(manifest, store, embedder, places)
        return cls(store, generation, manifest, embedder)

    @staticmethod
    def update(
        store: RecordStore,
        folder: Path,
        embedder: Embedder | None,
        progress: Progress | None = None,
        documents: Iterable[Document] = (),
    ) -> Updated:
        """Follow the note changes (see ``indexes.build.update``); open the index again to see them."""
        return building.update(store, folder, embedder, progress, documents)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """What this index can do: without embeddings, keywords only."""
        return ("keyword", "dense", "hybrid") if self._vectors is not None else ("keyword",)

    def __len__(self) -> int:
        return int(self.manifest.details["chunks"])

    def count(self, where: Filter | None = None) -> int:
        """How many notes and documents ``where`` permits."""
        with self._lock:
            return chunk_table.count_sources(self._connection, where or Filter())

    def pending(self) -> int:
        """How many notes changed in the store since this index was written."""
        return building.pending(self._store, self.manifest)

    def search(
        self, query: str, *, mode: Mode = "hybrid", k: int = 10, where: Filter | None = None
    ) -> list[Hit]:
        """The ``k`` best chunks among those that ``where`` permits; others are never scored.

        A source that changed since it was indexed gives no hits: what is quoted must be what the record says.

        Args:
            query: any text, in English or Chinese.
            mode: 'hybrid' falls back to keywords where the index has no embeddings (see ``modes``).
            k: how many.
            where: the filter.

        Raises:
            IndexFault: mode 'dense' on an index without embeddings.
        """
        if mode == "dense" and self._vectors is None:
            raise IndexFault(
                "This index holds keywords only; build it with an embedding model to search by meaning."
            )
        allowed = self._allowed(where or Filter())
        depth = max(_DEPTH, 2 * k)
        rankings: dict[str, list[tuple[int, float]]] = {}
        if mode != "dense":
            with self._lock:
                rankings["keyword"] = keywords.search(self._connection, query, depth, allowed)
        if mode != "keyword" and self._vectors is not None and self._embedder is not None and query.strip():
            vector = self._embedder.encode([query[:4000]])[0]
            rankings["dense"] = self._vectors.search(vector, depth, allowed)
        if len(rankings) == 1:
            (ordered,) = rankings.values()
        else:
            ordered = fusion.fuse([[i for i, _ in ranking] for ranking in rankings.values()])
        ranks = {name: {i: n for n, (i, _) in enumerate(r, start=1)} for name, r in rankings.items()}
        return self._hits(ordered, ranks, k)

    def close(self) -> None:
        """Release the files."""
        self._connection.close()

    def _allowed(self, where: Filter) -> NDArray[np.int64] | None:
        with self._lock:
            if where not in self._filters:
                if len(self._filters) >= _CACHED_FILTERS:
                    self._filters.pop(next(iter(self._filters)))
                self._filters[where] = chunk_table.permitted(self._connection, where)
            return self._filters[where]

    def _hits(
        self, ordered: Sequence[tuple[int, float]], ranks: dict[str, dict[int, int]], k: int
    ) -> list[Hit]:
        texts: dict[tuple[SourceKind, str], str | None] = {}
        hits: list[Hit] = []
        with closing(self._store.connect()) as records:
            for chunk_id, score in ordered:
                with self._lock:
                    place = next(chunk_table.places(self._connection, [chunk_id]))
                key = (place.source.kind, place.source.source_id)
                if key not in texts:
                    texts[key] = self._read(records, place)
                text = texts[key]
                if text is None:
                    continue
                found_by = {
                    name: positions[chunk_id] for name, positions in ranks.items() if chunk_id in positions
                }
                hits.append(
                    Hit(
                        chunk_id=chunk_id,
                        kind=place.source.kind,
                        source_id=place.source.source_id,
                        start=place.start,
                        end=place.end,
                        section=place.section,
                        score=score,
                        text=text[place.start : place.end],
                        ranks=found_by,
                        subject_id=place.source.subject_id,
                        hadm_id=place.source.hadm_id,
                        charttime=place.source.charttime,
                        note_type=place.source.note_type,
                        title=place.source.title,
                    )
                )
                if len(hits) == k:
                    break
        return hits

    def _read(self, records: sqlite3.Connection, place: Place) -> str | None:
        """The source's text as it is now, or ``None`` if it is not what was indexed."""
        if place.source.kind == "note":
            row = records.execute(
                "SELECT text FROM notes WHERE note_id = ?", (int(place.source.source_id),)
            ).fetchone()
        else:
            with self._lock:
                row = self._connection.execute(
                    "SELECT text FROM documents WHERE source_id = ?", (place.source.source_id,)
                ).fetchone()
        if row is None or building.text_sha256(row[0]) != place.source.sha256:
            return None
        return row[0]
