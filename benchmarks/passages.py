"""Plain passage retrieval: all modes beside LangChain's ensemble and txtai's hybrid index, same model, same chunks.

PubMedQA asks 1,000 questions, each answered by one of 1,000 abstracts; MedQuAD asks 16,407, each answered by one
answer of NIH sites (the questions are not part of what is searched). Needs the extra ``bench``::

    python -m benchmarks.passages pubmedqa --data ../shared/data --cache /var/tmp/bench
    python -m benchmarks.passages medquad --every 16 --data ../shared/data --cache /var/tmp/bench

Reported for each: recall at 1, 5 and 10, nDCG@10 and MRR@10 of the right source.
"""

import argparse
import gzip
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agent.prepare import knowledge_graph
from benchmarks.baselines import langchain_ensemble, txtai_hybrid
from benchmarks.search import CachedEmbedder, vectors_of
from indexes.build import passage
from indexes.chunking import chunks
from indexes.corpus import Indexed, Key, Reader, Source, SourceKind, Text, text_sha256
from indexes.embedding import Embedder
from indexes.graph_search import GraphSearch
from indexes.index import PassageIndex
from indexes.retrieval import MODES, Retrieval, RetrievalMode
from indexes.tagging import GraphTagger

K = 10
_DEEP = 40  # chunks asked for: several may be of one source

Asked = Sequence[tuple[str, str]]
"""Questions with the id of the source that answers each."""


class Texts:
    """Texts by id as a corpus."""

    name = "texts"
    repair = "python -m benchmarks.passages"

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def identity(self) -> str:
        """There is one for each run."""
        return "benchmark"

    def count(self) -> int:
        """How many texts."""
        return len(self._texts)

    def texts(self) -> Iterator[Text]:
        """All of them."""
        return (self._text(one) for one in self._texts)

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Reads single texts."""

        def read(kind: SourceKind, source_id: str) -> Text | None:
            return self._text(source_id)

        yield read

    def last_change(self) -> int:
        """They never change."""
        return 0

    def changes(self, since: int, indexed: Indexed) -> tuple[Sequence[Key], int]:
        """They never change."""
        return [], 0

    def _text(self, one: str) -> Text:
        text = self._texts[one]
        return Text(Source("document", one, text_sha256(text), language="en"), text)


def pubmedqa(data: Path, every: int) -> tuple[dict[str, str], Asked]:
    """Abstracts without their conclusions, and their questions."""
    rows = json.loads((data / "pubmedqa" / "ori_pqal.json").read_text(encoding="utf-8"))
    texts = {one: "\n".join(row["CONTEXTS"]) for one, row in rows.items()}
    return texts, [(row["QUESTION"], one) for one, row in rows.items()][::every]


def medquad(data: Path, every: int) -> tuple[dict[str, str], Asked]:
    """Answers, and their questions; the same answer given twice counts as one."""
    texts: dict[str, str] = {}
    asked: dict[tuple[str, str], None] = {}
    first: dict[str, str] = {}
    with gzip.open(data / "medquad.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            text = (row["answer"] or "").strip()
            if text and row["question"]:
                one = first.setdefault(text, row["id"])
                texts[one] = text
                asked[row["question"], one] = None
    return texts, list(asked)[::every]


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("set", choices=("pubmedqa", "medquad"))
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the vectors")
    parser.add_argument("--every", type=int, default=1, help="ask every so-and-so-many-th question")
    parser.add_argument("--without-baselines", action="store_true")
    given = parser.parse_args()
    texts, asked = (pubmedqa if given.set == "pubmedqa" else medquad)(given.data, given.every)
    pieces = {one: chunks(one, text) for one, text in texts.items()}
    flat = [
        (one, piece.text, passage(Source("document", one, ""), piece))
        for one, ps in pieces.items()
        for piece in ps
    ]
    distinct = list(dict.fromkeys(embedded for _, _, embedded in flat))
    embedder = CachedEmbedder(distinct, vectors_of(distinct, given.cache, Embedder()))
    table = Table(title=f"{given.set}: {len(asked)} questions, {len(texts)} sources, {len(flat)} passages")
    for column in ("search", "R@1", "R@5", "R@10", "nDCG@10", "MRR@10", "median ms"):
        table.add_column(column, justify="left" if column == "search" else "right")
    with tempfile.TemporaryDirectory() as folder, closing(knowledge_graph(_silent)) as graph:
        tagger = GraphTagger(graph)
        index = PassageIndex.build(Texts(texts), Path(folder), embedder, _silent, tagger)
        searched = Retrieval((index,), GraphSearch(graph, tagger))
        for mode in MODES:

            def ours(question: str, mode: RetrievalMode = mode) -> list[str]:
                return [hit.source_id for hit in searched.search(question, mode=mode, k=_DEEP)]

            table.add_row(mode, *measured(ours, asked))
        index.close()
    if not given.without_baselines:
        vectors = embedder.encode([embedded for _, _, embedded in flat])
        sources, bodies = [one for one, _, _ in flat], [text for _, text, _ in flat]
        for name, make in (("LangChain ensemble", langchain_ensemble), ("txtai hybrid", txtai_hybrid)):
            find = make(bodies, vectors, embedder, _DEEP)
            table.add_row(name, *measured(lambda q, find=find: [sources[i] for i in find(q)], asked))
    Console(width=120).print(table)


def measured(search: Callable[[str], Sequence[str]], asked: Asked) -> list[str]:
    """The figures of one search: recall at 1, 5, 10, nDCG, MRR in per cent, and milliseconds."""
    ranks, times = [], []
    search(asked[0][0])
    for question, right in asked:
        begin = time.perf_counter()
        found = list(dict.fromkeys(search(question)))[:K]
        times.append((time.perf_counter() - begin) * 1000)
        ranks.append(found.index(right) + 1 if right in found else None)
    shares = [sum(r is not None and r <= k for r in ranks) / len(ranks) for k in (1, 5, 10)]
    gain = statistics.fmean(1 / math.log2(r + 1) if r else 0.0 for r in ranks)
    reciprocal = statistics.fmean(1 / r if r else 0.0 for r in ranks)
    return [
        *(f"{100 * share:.1f}" for share in (*shares, gain, reciprocal)),
        f"{statistics.median(times):.1f}",
    ]


def _silent(stage: str, done: int, total: int) -> None:
    """A benchmark shows its table only."""


if __name__ == "__main__":
    main()
