"""Latency of search over many chunks, beside LangChain's EnsembleRetriever and txtai's hybrid index in the same run.

Both search the same chunks with the same vectors and the same model; they embed questions with sentence-transformers,
as they come. The texts are answers of MedQuAD,
cut into distinct passages; nothing is invented or repeated. Needs the extra ``bench``::

    python -m benchmarks.search --data ../shared/data/medquad.jsonl.gz --chunks 100000 --cache /var/tmp/bench

Embedding 100,000 passages takes minutes; the cache keeps them, and an interrupted run goes on.
"""

import argparse
import gzip
import hashlib
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from agent.prepare import knowledge_graph
from benchmarks.baselines import langchain_ensemble, txtai_hybrid
from indexes.chunking import chunks
from indexes.embedding import Embedder, Vectors
from indexes.graph_search import GraphSearch
from indexes.index import Filter, PassageIndex
from indexes.retrieval import Retrieval
from indexes.store_notes import StoreNotes
from indexes.tagging import GraphTagger
from knowledge.store.store import RecordStore

PASSAGE_WEIGHT = 180
PATIENTS = 1000
PART = 4096


def passages(data: Path, count: int) -> list[str]:
    """The first ``count`` distinct passages of the answers, each of which stays one chunk."""
    found: dict[str, None] = {}
    for row in _rows(data):
        for piece in chunks("", row["answer"] or "", weight=PASSAGE_WEIGHT):
            text = " ".join(piece.text.split())
            if text not in found and [p.section for p in chunks("", text)] == [""]:
                found[text] = None
                if len(found) == count:
                    return list(found)
    raise SystemExit(f"{data} gives {len(found)} distinct passages only; ask for no more with --chunks.")


def questions(data: Path, count: int) -> list[str]:
    """Every so-and-so-many-th question of the data set."""
    asked = [row["question"] for row in _rows(data) if row["question"]]
    return asked[:: max(1, len(asked) // count)][:count]


def vectors_of(texts: Sequence[str], cache: Path, embedder: Embedder) -> Vectors:
    """Vectors of the texts, from the cache where they are there."""
    cache.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, len(texts), PART):
        part = list(texts[start : start + PART])
        digest = hashlib.sha256("\0".join([embedder.sha256, *part]).encode()).hexdigest()[:24]
        path = cache / f"{digest}.npy"
        if not path.exists():
            order = sorted(range(len(part)), key=lambda i: len(part[i]))
            made = np.empty((len(part), embedder.dimension), dtype=np.float32)
            made[order] = embedder.encode([part[i] for i in order])
            temporary = path.with_suffix(".tmp.npy")
            np.save(temporary, made, allow_pickle=False)
            temporary.replace(path)
        parts.append(np.load(path, allow_pickle=False))
        print(f"\rembedded {start + len(part)} of {len(texts)}", end="", flush=True)
    print()
    return np.concatenate(parts)


class CachedEmbedder(Embedder):
    """The model itself for questions, known vectors for passages."""

    def __init__(self, texts: Sequence[str], vectors: Vectors) -> None:
        super().__init__()
        self._known = dict(zip(texts, vectors, strict=True))

    def encode(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None, *, batch: int = 512
    ) -> Vectors:
        """As ``Embedder.encode``."""
        if texts and all(text in self._known for text in texts):
            return np.stack([self._known[text] for text in texts])
        return super().encode(texts, progress, batch=batch)


def store_of(texts: Sequence[str], path: Path) -> RecordStore:
    """A store in which each passage is a note, dealt out to ``PATIENTS`` patients."""
    store = RecordStore.create(path)
    with closing(store.connect()) as connection, connection:
        connection.executemany(
            "INSERT INTO patients (subject_id) VALUES (?)", ((i,) for i in range(PATIENTS))
        )
        connection.executemany(
            "INSERT INTO notes (note_id, subject_id, note_type, text, sha256) "
            "VALUES (?, ?, 'progress', ?, '')",
            ((n, n % PATIENTS, text) for n, text in enumerate(texts)),
        )
    return store


def latency(search: Callable[[str], object], asked: Sequence[str]) -> dict[str, float]:
    """Milliseconds per question after five to warm up."""
    for question in asked[:5]:
        search(question)
    times = []
    for question in asked:
        begin = time.perf_counter()
        search(question)
        times.append((time.perf_counter() - begin) * 1000)
    return {
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1], 1),
    }


def main() -> None:
    """Run and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="medquad.jsonl.gz")
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the vectors")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--embed-only", action="store_true", help="fill the cache and stop")
    parser.add_argument("--without-baselines", action="store_true")
    given = parser.parse_args()

    texts = passages(given.data, given.chunks)
    vectors = vectors_of(texts, given.cache, Embedder())
    if given.embed_only:
        return
    embedder = CachedEmbedder(texts, vectors)
    asked = questions(given.data, given.questions)
    report: dict[str, object] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "chunks": len(texts),
        "questions": len(asked),
        "k": given.k,
        "model": embedder.name,
        "embed_question": latency(embedder.question, asked),
        "embed_question, sentence-transformers": latency(lambda q: embedder.encode([q]), asked),
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        store = store_of(texts, folder / "bench.sqlite")
        begin = time.perf_counter()
        graph = knowledge_graph(lambda stage, done, total: None)
        tagger = GraphTagger(graph)
        index = PassageIndex.build(StoreNotes(store), folder / "index", embedder, tagger=tagger)
        report["build_without_embedding_s"] = round(time.perf_counter() - begin, 1)
        begin = time.perf_counter()
        index.close()
        index = PassageIndex.open(StoreNotes(store), folder / "index", embedder)
        report["open_s"] = round(time.perf_counter() - begin, 2)
        if len(index) != len(texts):
            raise SystemExit(f"{len(index)} chunks were indexed where {len(texts)} were meant.")
        one, tenth = Filter(subject_ids=frozenset({7})), Filter(subject_ids=frozenset(range(PATIENTS // 10)))
        ours = {
            "keyword": latency(lambda q: index.search(q, mode="keyword", k=given.k), asked),
            "dense": latency(lambda q: index.search(q, mode="dense", k=given.k), asked),
            "hybrid": latency(lambda q: index.search(q, k=given.k), asked),
            "hybrid, one patient": latency(lambda q: index.search(q, k=given.k, where=one), asked),
            "hybrid, a tenth of the patients": latency(
                lambda q: index.search(q, k=given.k, where=tenth), asked
            ),
        }
        searched = Retrieval((index,), GraphSearch(graph, tagger))
        ours["graph"] = latency(lambda q: searched.search(q, mode="graph", k=given.k), asked)
        ours["adaptive"] = latency(lambda q: searched.search(q, mode="adaptive", k=given.k), asked)
        report["chartroom"] = ours
        begin = time.perf_counter()
        (
            store.connect()
            .execute("UPDATE notes SET text = text || ' Seen again.' WHERE note_id = 7")
            .connection
        ).commit()
        PassageIndex.update(StoreNotes(store), folder / "index", embedder, tagger=tagger)
        report["update_one_note_s"] = round(time.perf_counter() - begin, 2)
        index.close()
        graph.close()
    if not given.without_baselines:
        for name, make in (("langchain_ensemble", langchain_ensemble), ("txtai_hybrid", txtai_hybrid)):
            theirs = latency(make(texts, vectors, embedder, given.k), asked)
            report[name] = theirs
            report[f"{name}, ratio"] = {one: round(theirs[one] / ours["hybrid"][one], 1) for one in theirs}
    print(json.dumps(report, indent=1))


def _rows(data: Path) -> Iterator[dict[str, str]]:
    with gzip.open(data, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


if __name__ == "__main__":
    main()
