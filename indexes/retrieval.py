"""Retrieval over several indexes, with or without the graph: the five modes by name.

``keyword``, ``dense`` and ``hybrid`` search the passages of all indexes as if they were one. ``graph`` walks from
the concepts of the question to facts and passages. ``adaptive`` decides: nothing is retrieved for what asks
nothing, words and meaning alone where no concept is named, both with the graph where one is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from indexes import fusion
from indexes.chunk_table import Filter
from indexes.corpus import SourceKind
from indexes.graph_search import GraphSearch, Spread
from indexes.index import Hit, Mode, PassageIndex
from indexes.knowledge_corpus import fact_name
from indexes.rerank import Reranker
from indexes.tokens import stop_words, tokenise
from knowledge.graph.wording import path_text

RetrievalMode = Literal["keyword", "dense", "hybrid", "graph", "adaptive"]
MODES: tuple[RetrievalMode, ...] = get_args(RetrievalMode)
_DEPTH = 50
_RERANKED = 30
_WORDS = 0.3
"""The best chunk by keywords, and the best by meaning, counts so much; a later one ``_SLOPE / (_SLOPE + rank)``."""
_SLOPE = 10
_FACT = 0.5
"""What the graph says of a fact, 0 to about 4, counts so much."""
_MENTIONS: Mapping[SourceKind, float] = {"note": 0.5, "document": 0.05, "fact": 0.0}
"""The passage that mentions most of what lies near counts so much: a note is short of words for its concepts, and
may be in the other language, a document says itself what it is about."""
_OWN, _OTHERS = 2.0, 0.4
"""Factors for notes: where a patient is open the question is about that record, else rather about medicine."""

Place = tuple[int, int]
"""A chunk: number of the index, chunk id."""


@dataclass(frozen=True, slots=True)
class _Ranking:
    """Chunks, best first, with what led to some of them."""

    places: Sequence[tuple[Place, float]]
    why: dict[Place, str]


@dataclass(frozen=True, slots=True)
class _Scores:
    """Scores of chunks that add up, with what led to some of them."""

    scores: dict[Place, float]
    why: dict[Place, str]

    def add(self, others: Mapping[Place, float]) -> None:
        for place, score in others.items():
            self.scores[place] += score

    def ranking(self, depth: int) -> _Ranking:
        ordered = sorted(self.scores.items(), key=lambda item: (-item[1], item[0]))
        return _Ranking(ordered[:depth], self.why)


class Retrieval:
    """Searches indexes, and the graph whose concepts they are tagged with.

    Args:
        indexes: opened; their passages are searched together.
        graph: ``None`` leaves the modes ``graph`` and ``adaptive`` to ``hybrid``.
        reranker: orders the best hits of every mode anew.
    """

    def __init__(
        self,
        indexes: Sequence[PassageIndex],
        graph: GraphSearch | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self.indexes = tuple(indexes)
        self.graph = graph
        self._reranker = reranker

    def search(
        self,
        query: str,
        *,
        mode: RetrievalMode = "adaptive",
        k: int = 10,
        where: Filter | None = None,
        also: Iterable[str] = (),
    ) -> list[Hit]:
        """The ``k`` best passages and facts.

        Args:
            query: in English or Chinese.
            mode: see the module.
            k: how many.
            where: restricts notes; documents and facts belong to no patient and are restricted by ``kinds`` only.
            also: ids of concepts that the question is about without naming them: the open patient's.

        Raises:
            IndexFault: mode 'dense' on an index without embeddings.
        """
        if self._reranker is None:
            return self._search(query, mode, k, where, also)
        return self._reranker.rerank(query, self._search(query, mode, max(_RERANKED, k), where, also), k)

    def _search(
        self, query: str, mode: RetrievalMode, k: int, where: Filter | None, also: Iterable[str]
    ) -> list[Hit]:
        depth = max(_DEPTH, 2 * k)
        if mode in ("keyword", "dense", "hybrid"):
            return self._hits(self._by_words(query, mode, depth, where), k)
        if mode == "adaptive" and not asks_something(query):
            return []
        spread = None if self.graph is None else self.graph.spread(query, also)
        if self.graph is None or spread is None or not spread.seeds:
            return self._hits(self._by_words(query, "hybrid", depth, where), k) if mode == "adaptive" else []
        scores = self._by_graph(spread, depth, where)
        if mode == "adaptive":
            scores.add(self._word_scores(query, depth, where))
        return self._hits(scores.ranking(depth), k)

    def _by_words(self, query: str, mode: Mode, depth: int, where: Filter | None) -> _Ranking:
        ordered = list(self._rankings(query, mode, depth, where).values())
        if len(ordered) == 1:
            return _Ranking(ordered[0][:depth], {})
        return _Ranking(fusion.fuse([[place for place, _ in ranking[:depth]] for ranking in ordered]), {})

    def _rankings(
        self, query: str, mode: Mode, depth: int, where: Filter | None
    ) -> dict[str, list[tuple[Place, float]]]:
        """The rankings of all indexes as one, by score."""
        merged: dict[str, list[tuple[Place, float]]] = {}
        for number, index in enumerate(self.indexes):
            for name, ranking in index.rankings(query, mode=mode, k=depth, where=_for(index, where)).items():
                merged.setdefault(name, []).extend(((number, chunk), score) for chunk, score in ranking)
        return {
            name: sorted(ranking, key=lambda item: (-item[1], item[0])) for name, ranking in merged.items()
        }

    def _word_scores(self, query: str, depth: int, where: Filter | None) -> dict[Place, float]:
        """What words and meaning say of the notes and passages, by their ranks."""
        scores: dict[Place, float] = defaultdict(float)
        for ranking in self._rankings(query, "hybrid", depth, where).values():
            for rank, (place, _) in enumerate(ranking[:depth], start=1):
                scores[place] += self._share(place, where) * _WORDS * _SLOPE / (_SLOPE + rank)
        return scores

    def _by_graph(self, spread: Spread, depth: int, where: Filter | None) -> "_Scores":
        assert self.graph is not None
        scores: dict[Place, float] = defaultdict(float)
        why: dict[Place, str] = {}
        for number, index in enumerate(self.indexes):
            if index.corpus.name == "passages" and _permits(where, "fact"):
                for found in self.graph.facts(spread, depth):
                    for chunk in index.chunks_of("fact", fact_name(found.edge))[:1]:
                        scores[number, chunk] += _FACT * found.score
                        why[number, chunk] = path_text(self.graph.graph, (found.edge,))
            kind: SourceKind = "note" if index.corpus.name == "notes" else "document"
            passages = self.graph.passages(spread, index, _for(index, where))
            for rank, (chunk, _) in enumerate(passages[:depth], start=1):
                if (number, chunk) not in why:  # a fact has its own score already
                    share = self._share((number, chunk), where) * _MENTIONS[kind]
                    scores[number, chunk] += share * _SLOPE / (_SLOPE + rank)
        return _Scores(scores, why)

    def _share(self, place: Place, where: Filter | None) -> float:
        if self.indexes[place[0]].corpus.name != "notes" or len(self.indexes) == 1:
            return 1.0
        return _OTHERS if where is None or where.subject_ids is None else _OWN

    def _hits(self, ranking: _Ranking, k: int) -> list[Hit]:
        chosen = ranking.places[: k + _DEPTH]
        found: dict[Place, Hit] = {}
        for number, index in enumerate(self.indexes):
            mine = [(chunk, score) for (place, chunk), score in chosen if place == number]
            for hit in index.hits(mine, {}, k):
                found[number, hit.chunk_id] = replace(hit, why=ranking.why.get((number, hit.chunk_id), ""))
        return [found[place] for place, _ in chosen if place in found][:k]


def asks_something(query: str) -> bool:
    """Whether anything in a text could be looked for: a word that is no stop word."""
    return any(token.text not in stop_words() for token in tokenise(query))


def _for(index: PassageIndex, where: Filter | None) -> Filter | None:
    """The filter as it applies to an index: general knowledge belongs to no patient and to no time."""
    if where is None or index.corpus.name == "notes":
        return where
    return Filter(kinds=where.kinds)


def _permits(where: Filter | None, kind: str) -> bool:
    return where is None or where.kinds is None or kind in where.kinds
