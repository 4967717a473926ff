"""Do the right facts and sentences come first? Every retrieval mode on ``questions/knowledge.jsonl``.

The questions were written without looking at the retrieval: they need several hops, synonyms, the hierarchy, the
other language or negation. Evidence is a fact of the core pack or a sentence of the demo hospital's notes; all
modes search the same passages (each fact is one, in both languages)::

    python -m benchmarks.evidence            # needs nothing else; builds what it searches in CHARTROOM_HOME
"""

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agent.knowledge_base import knowledge_index
from agent.paths import embedding_model, index_folder
from agent.prepare import demo_store, knowledge_graph
from indexes.chunk_table import Filter
from indexes.embedding import Embedder
from indexes.graph_search import GraphSearch
from indexes.index import Hit, PassageIndex
from indexes.retrieval import MODES, Retrieval, RetrievalMode
from indexes.store_notes import StoreNotes
from indexes.tagging import GraphTagger
from knowledge.store import RecordStore

QUESTIONS = Path(__file__).with_name("questions") / "knowledge.jsonl"
K = 5


@dataclass(frozen=True, slots=True)
class Question:
    """A line of the file: each piece of evidence is found if any of its alternatives is."""

    id: str
    question: str
    language: str
    patient: int | None
    needs: tuple[str, ...]
    half: str
    evidence: tuple[tuple[str, ...], ...]


def read(path: Path = QUESTIONS) -> list[Question]:
    """The questions."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        pieces = tuple(tuple(piece) for piece in row.pop("evidence"))
        found.append(Question(**{**row, "needs": tuple(row["needs"])}, evidence=pieces))
    return found


def is_found(alternatives: Sequence[str], hits: Sequence[Hit]) -> bool:
    """Whether any of the alternatives is among the hits; a note counts where the hit overlaps the sentence."""
    return any(_matches(one, hit) for one in alternatives for hit in hits)


def _matches(alternative: str, hit: Hit) -> bool:
    kind, _, rest = alternative.partition(":")
    if kind == "fact":
        return hit.kind == "fact" and hit.source_id == rest
    note_id, start, end = rest.split(":")
    return hit.kind == "note" and hit.source_id == note_id and hit.start < int(end) and int(start) < hit.end


def recall(question: Question, hits: Sequence[Hit], k: int = K) -> float:
    """The share of a question's pieces of evidence among the first ``k`` hits."""
    found = [is_found(piece, hits[:k]) for piece in question.evidence]
    return sum(found) / len(found)


def main() -> None:
    """Run all modes and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--half", choices=("tune", "held"), help="only this half")
    parser.add_argument("--missed", metavar="MODE", help="list what a mode does not find")
    given = parser.parse_args()
    asked = [q for q in read() if given.half in (None, q.half)]
    with retrieval() as searched:
        scores: dict[RetrievalMode, list[float]] = {}
        times: dict[RetrievalMode, list[float]] = defaultdict(list)
        for mode in MODES:
            searched.search("warm up metformin", mode=mode)
            scores[mode] = []
            for question in asked:
                begin = time.perf_counter()
                hits = ask(searched, question, mode)
                times[mode].append((time.perf_counter() - begin) * 1000)
                scores[mode].append(recall(question, hits))
                if given.missed == mode and scores[mode][-1] < 1:
                    print(question.id, question.needs, question.question, question.evidence)
                    for hit in hits:
                        print("     ", hit.kind, hit.source_id, hit.text[:90].replace("\n", " "))
    _print(asked, scores, times)


def ask(searched: Retrieval, question: Question, mode: RetrievalMode, k: int = K) -> list[Hit]:
    """The hits of a mode for a question, within its patient's notes where it has a patient."""
    where = None if question.patient is None else Filter(subject_ids=frozenset((question.patient,)))
    return searched.search(question.question, mode=mode, k=k, where=where)


class retrieval:
    """The demo hospital's notes and the knowledge, opened for searching."""

    def __enter__(self) -> Retrieval:
        store = RecordStore.open(demo_store(_silent))
        embedder = Embedder(embedding_model())
        self._graph = knowledge_graph(_silent)
        tagger = GraphTagger(self._graph)
        corpus, folder = StoreNotes(store), index_folder(store.path)
        if not (folder / corpus.name / "current").exists():
            PassageIndex.build(corpus, folder, embedder, _silent, tagger).close()
        PassageIndex.update(corpus, folder, embedder, _silent, tagger)
        self._notes = PassageIndex.open(corpus, folder, embedder)
        self._facts = knowledge_index(self._graph, embedder, _silent)
        return Retrieval((self._facts, self._notes), GraphSearch(self._graph, tagger))

    def __exit__(self, *_: object) -> None:
        for opened in (self._notes, self._facts, self._graph):
            opened.close()


def _print(
    asked: Sequence[Question],
    scores: dict[RetrievalMode, list[float]],
    times: dict[RetrievalMode, list[float]],
) -> None:
    needs = sorted({need for question in asked for need in question.needs})
    table = Table(title=f"answer-evidence recall@{K}, {len(asked)} questions")
    for column in ("mode", "all", "tune", "held", "en", "zh", *needs, "median ms"):
        table.add_column(column, justify="left" if column == "mode" else "right")
    for mode, each in scores.items():
        row = [_mean(each)]
        row += [
            _mean([s for q, s in zip(asked, each, strict=True) if q.half == half])
            for half in ("tune", "held")
        ]
        row += [
            _mean([s for q, s in zip(asked, each, strict=True) if q.language == one]) for one in ("en", "zh")
        ]
        row += [_mean([s for q, s in zip(asked, each, strict=True) if need in q.needs]) for need in needs]
        table.add_row(mode, *row, f"{statistics.median(times[mode]):.0f}")
    Console(width=160).print(table)


def _mean(values: Sequence[float]) -> str:
    return f"{100 * statistics.fmean(values):.1f}" if values else "–"


def _silent(stage: str, done: int, total: int) -> None:
    """A benchmark shows its table only."""


if __name__ == "__main__":
    main()
