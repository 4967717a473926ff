"""The hybrid index over the passages of a corpus: open it, search it, quote from it."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexes import build as building
from indexes import chunk_table, concept_table, fusion, keywords
from indexes.build import Progress, Updated
from indexes.chunk_table import Filter
from indexes.corpus import Corpus, SourceKind, Tagger, Text
from indexes.embedding import Embedder
from indexes.vectors import VectorIndex
from knowledge.errors import IndexFault
from knowledge.manifest import Manifest

Mode = Literal["keyword", "dense", "hybrid"]
"""How one index is searched; ``indexes.retrieval`` adds the graph."""
_DEPTH = 50
"""Each ranking gives at least this many candidates to the fusion."""
_CACHED_FILTERS = 16
_READ = 4000
"""Characters of a question that are embedded."""
_POSTINGS = 5000
"""Passages of one concept beyond so many are not looked at: it tells little then."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A found chunk: ``text`` is the source's ``[start, end)``, read from the corpus when it was found.

    Attributes:
        chunk_id: key within this index.
        kind: note, document or fact.
        source_id: ``note_id`` or edge id as text, or the document's id.
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
        why: the path of the graph that led here, '' where none did.
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
    why: str = ""


class PassageIndex:
    """An opened generation; safe to use from several threads. Made by ``build`` or ``open``."""

    def __init__(self, corpus: Corpus, folder: Path, manifest: Manifest, embedder: Embedder | None) -> None:
        self.manifest = manifest
        self.corpus = corpus
        self._folder = folder
        self._embedder = embedder if manifest.embedding else None
        self._vectors = VectorIndex.read(folder / building.VECTORS) if self._embedder else None
        database = f"{(folder / building.DATABASE).resolve().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(database, uri=True, check_same_thread=False)
        self._lock = threading.Lock()
        self._filters: dict[Filter, NDArray[np.int64] | None] = {}

    @classmethod
    def build(
        cls,
        corpus: Corpus,
        folder: Path,
        embedder: Embedder | None,
        progress: Progress | None = None,
        tagger: Tagger | None = None,
    ) -> "PassageIndex":
        """Build from scratch (see ``indexes.build.build``) and open the result."""
        building.build(corpus, folder, embedder, progress, tagger)
        return cls.open(corpus, folder, embedder)

    @classmethod
    def open(cls, corpus: Corpus, folder: Path, embedder: Embedder | None) -> "PassageIndex":
        """Open the index of a corpus; every byte is checked.

        Args:
            corpus: what was indexed.
            folder: its index folder.
            embedder: the model it was built with; without one, only keywords are searched.

        Raises:
            IndexFault: missing, truncated, altered, of another corpus or another model.
        """
        places = building.generations(corpus, folder)
        generation, manifest = places.open()
        building.check_belongs(manifest, corpus, embedder, places)
        return cls(corpus, generation, manifest, embedder)

    @staticmethod
    def update(
        corpus: Corpus,
        folder: Path,
        embedder: Embedder | None,
        progress: Progress | None = None,
        tagger: Tagger | None = None,
    ) -> Updated:
        """Follow the changes (see ``indexes.build.update``); open the index again to see them."""
        return building.update(corpus, folder, embedder, progress, tagger)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """What this index can do: without embeddings, keywords only."""
        return ("keyword", "dense", "hybrid") if self._vectors is not None else ("keyword",)

    def __len__(self) -> int:
        return int(self.manifest.details["chunks"])

    def count(self, where: Filter | None = None) -> int:
        """How many sources ``where`` permits."""
        with self._lock:
            return chunk_table.count_sources(self._connection, where or Filter())

    def pending(self, tagger: Tagger | None = None) -> int:
        """How many sources changed since this index was written; all where another tagger is at work."""
        return building.pending(self.corpus, self._folder, self.manifest, tagger)

    def search(
        self, query: str, *, mode: Mode = "hybrid", k: int = 10, where: Filter | None = None
    ) -> list[Hit]:
        """The ``k`` best chunks among those that ``where`` permits; others are never scored.

        A source that changed since it was indexed gives no hits: what is quoted must be what the corpus says.

        Args:
            query: any text, in English or Chinese.
            mode: 'hybrid' falls back to keywords where the index has no embeddings (see ``modes``).
            k: how many.
            where: the filter.

        Raises:
            IndexFault: mode 'dense' on an index without embeddings.
        """
        rankings = self.rankings(query, mode=mode, k=k, where=where)
        if len(rankings) == 1:
            (ordered,) = rankings.values()
        else:
            ordered = fusion.fuse([[i for i, _ in ranking] for ranking in rankings.values()])
        ranks = {name: {i: n for n, (i, _) in enumerate(r, start=1)} for name, r in rankings.items()}
        return self.hits(ordered, ranks, k)

    def rankings(
        self, query: str, *, mode: Mode = "hybrid", k: int = 10, where: Filter | None = None
    ) -> dict[str, list[tuple[int, float]]]:
        """The rankings that a mode fuses, by name: (chunk id, score), best first.

        Raises:
            IndexFault: mode 'dense' on an index without embeddings.
        """
        if mode == "dense" and self._vectors is None:
            raise IndexFault(
                "This index holds keywords only; build it with an embedding model to search by meaning."
            )
        allowed = self._allowed(where or Filter())
        depth = max(_DEPTH, 2 * k)
        with_meaning = mode != "keyword" and self._vectors is not None and bool(query.strip())
        if not with_meaning:
            return {"keyword": self._by_words(query, depth, allowed)} if mode != "dense" else {}
        if mode == "dense":
            return {"dense": self._by_meaning(query, depth, allowed)}
        with ThreadPoolExecutor(max_workers=1) as beside:  # SQLite and the model let each other compute
            words = beside.submit(self._by_words, query, depth, allowed)
            meaning = self._by_meaning(query, depth, allowed)
            return {"keyword": words.result(), "dense": meaning}

    def mentioning(
        self, concepts: Collection[str], where: Filter | None = None
    ) -> list[tuple[str, int, bool, int]]:
        """Where concepts are mentioned in what ``where`` permits: (concept, chunk id, negated, how often)."""
        allowed = self._allowed(where or Filter())
        with self._lock:
            return list(concept_table.mentioning(self._connection, concepts, _POSTINGS, allowed))

    def sources_mentioning(
        self, concepts: Collection[str], where: Filter | None = None
    ) -> list[tuple[str, int]]:
        """The sources that mention concepts and do not only deny them, with how often, most often first."""
        counted: Counter[str] = Counter()
        times_of = {i: times for _, i, negated, times in self.mentioning(concepts, where) if not negated}
        with self._lock:
            for place in chunk_table.places(self._connection, times_of):
                counted[place.source.source_id] += times_of[place.chunk_id]
        return sorted(counted.items(), key=lambda item: (-item[1], item[0]))

    def chunks_of(self, kind: SourceKind, source_id: str) -> list[int]:
        """The chunks of one source, in order."""
        with self._lock:
            return [i for i, _, _ in chunk_table.spans(self._connection, kind, source_id)]

    def frequencies(self, concepts: Collection[str]) -> dict[str, int]:
        """In how many chunks each concept is mentioned."""
        with self._lock:
            return concept_table.frequencies(self._connection, concepts)

    def close(self) -> None:
        """Release the files."""
        self._connection.close()

    def _by_words(self, query: str, depth: int, allowed: NDArray[np.int64] | None) -> list[tuple[int, float]]:
        with self._lock:
            return keywords.search(self._connection, query, depth, allowed)

    def _by_meaning(
        self, query: str, depth: int, allowed: NDArray[np.int64] | None
    ) -> list[tuple[int, float]]:
        assert self._vectors is not None and self._embedder is not None
        return self._vectors.search(self._embedder.question(query[:_READ]), depth, allowed)

    def _allowed(self, where: Filter) -> NDArray[np.int64] | None:
        with self._lock:
            if where not in self._filters:
                if len(self._filters) >= _CACHED_FILTERS:
                    self._filters.pop(next(iter(self._filters)))
                self._filters[where] = chunk_table.permitted(self._connection, where)
            return self._filters[where]

    def hits(
        self, ordered: Sequence[tuple[int, float]], ranks: dict[str, dict[int, int]], k: int
    ) -> list[Hit]:
        """The first ``k`` of a ranking that can be quoted, each with its rank in the rankings behind it."""
        texts: dict[tuple[SourceKind, str], Text | None] = {}
        found: list[Hit] = []
        with self.corpus.reading() as read:
            for chunk_id, score in ordered:
                with self._lock:
                    place = next(chunk_table.places(self._connection, [chunk_id]))
                source = place.source
                key = (source.kind, source.source_id)
                if key not in texts:
                    now = read(*key)
                    texts[key] = now if now and now.source.sha256 == source.sha256 else None
                text = texts[key]
                if text is None:
                    continue
                found_by = {
                    name: positions[chunk_id] for name, positions in ranks.items() if chunk_id in positions
                }
                found.append(
                    Hit(
                        chunk_id=chunk_id,
                        kind=source.kind,
                        source_id=source.source_id,
                        start=place.start,
                        end=place.end,
                        section=place.section,
                        score=score,
                        text=text.text[place.start : place.end],
                        ranks=found_by,
                        subject_id=source.subject_id,
                        hadm_id=source.hadm_id,
                        charttime=source.charttime,
                        note_type=source.note_type,
                        title=source.title,
                    )
                )
                if len(found) == k:
                    break
        return found
