"""Retrieval over several indexes, with or without the graph: the five modes by name.

``keyword``, ``dense`` and ``hybrid`` search the passages of all indexes as if they were one. ``graph`` walks from
the concepts of the question to facts and passages. ``adaptive`` decides: nothing is retrieved for what asks
nothing, words and meaning alone where no concept is named, both with the graph where one is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from indexes import fusion
from indexes.chunk_table import Filter
from indexes.graph_search import GraphSearch, Spread
from indexes.index import Hit, Mode, PassageIndex
from indexes.knowledge_corpus import fact_name
from indexes.tokens import stop_words, tokenise
from knowledge.graph.wording import path_text

RetrievalMode = Literal["keyword", "dense", "hybrid", "graph", "adaptive"]
MODES: tuple[RetrievalMode, ...] = get_args(RetrievalMode)
_DEPTH = 50
_FACT = 1.0
_PASSAGE = 1.0
"""How much the best fact and the best passage of the graph weigh against each other."""

Place = tuple[int, int]
"""A chunk: number of the index, chunk id."""


@dataclass(frozen=True, slots=True)
class _Ranking:
    """Chunks, best first, with what led to some of them."""

    places: Sequence[tuple[Place, float]]
    why: dict[Place, str]


class Retrieval:
    """Searches indexes, and the graph whose concepts they are tagged with.

    Args:
        indexes: opened; their passages are searched together.
        graph: ``None`` leaves the modes ``graph`` and ``adaptive`` to ``hybrid``.
    """

    def __init__(self, indexes: Sequence[PassageIndex], graph: GraphSearch | None = None) -> None:
        self.indexes = tuple(indexes)
        self.graph = graph

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
        depth = max(_DEPTH, 2 * k)
        if mode in ("keyword", "dense", "hybrid"):
            return self._hits(self._by_words(query, mode, depth, where), k)
        if mode == "adaptive" and not asks_something(query):
            return []
        spread = None if self.graph is None else self.graph.spread(query, also)
        if self.graph is None or spread is None or not spread.seeds:
            return self._hits(self._by_words(query, "hybrid", depth, where), k) if mode == "adaptive" else []
        walked = self._by_graph(spread, depth, where)
        if mode == "graph":
            return self._hits(walked, k)
        words = self._by_words(query, "hybrid", depth, where)
        return self._hits(_mixed(words, walked), k)

    def _by_words(self, query: str, mode: Mode, depth: int, where: Filter | None) -> _Ranking:
        merged: dict[str, list[tuple[Place, float]]] = {}
        for number, index in enumerate(self.indexes):
            for name, ranking in index.rankings(query, mode=mode, k=depth, where=_for(index, where)).items():
                merged.setdefault(name, []).extend(((number, chunk), score) for chunk, score in ranking)
        ordered = [sorted(ranking, key=lambda item: (-item[1], item[0])) for ranking in merged.values()]
        if len(ordered) == 1:
            return _Ranking(ordered[0][:depth], {})
        return _Ranking(fusion.fuse([[place for place, _ in r[:depth]] for r in ordered]), {})

    def _by_graph(self, spread: Spread, depth: int, where: Filter | None) -> _Ranking:
        assert self.graph is not None
        scored: dict[Place, float] = {}
        why: dict[Place, str] = {}
        for number, index in enumerate(self.indexes):
            if index.corpus.name == "passages" and _permits(where, "fact"):
                for found in self.graph.facts(spread, depth):
                    for chunk in index.chunks_of("fact", fact_name(found.edge))[:1]:
                        scored[number, chunk] = _FACT * found.score
                        why[number, chunk] = path_text(self.graph.graph, (found.edge,))
            passages = self.graph.passages(spread, index, _for(index, where))[:depth]
            best = passages[0][1] if passages else 1.0
            for chunk, score in passages:
                scored.setdefault((number, chunk), _PASSAGE * score / best)
        ordered = sorted(scored.items(), key=lambda item: (-item[1], item[0]))
        return _Ranking(ordered[:depth], why)

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


def _mixed(words: _Ranking, walked: _Ranking) -> _Ranking:
    lists = [[place for place, _ in ranking.places] for ranking in (words, walked)]
    return _Ranking(fusion.fuse(lists), walked.why)


def _for(index: PassageIndex, where: Filter | None) -> Filter | None:
    """The filter as it applies to an index: general knowledge belongs to no patient and to no time."""
    if where is None or index.corpus.name == "notes":
        return where
    return Filter(kinds=where.kinds)


def _permits(where: Filter | None, kind: str) -> bool:
    return where is None or where.kinds is None or kind in where.kinds
