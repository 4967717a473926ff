"""Finds the concepts of the knowledge graph in passages and questions, under all their names."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files

from knowledge.graph import KnowledgeGraph
from knowledge.mentions import Mention, MentionFinder, NameTable


class GraphTagger:
    """A :class:`~indexes.corpus.Tagger` with the names of a graph.

    Args:
        graph: opened.
        finder: of all its names; by default they are read at first use.
    """

    def __init__(self, graph: KnowledgeGraph, finder: MentionFinder | None = None) -> None:
        self._graph = graph
        self._given = finder
        self.identity = _identity(graph)
        """The digest of the graph's sources and of the rules by which mentions are judged."""

    def find(self, text: str, language: str | None = None) -> Sequence[Mention]:
        """The mentions of a text, by position; of a language without rules each sentence's script decides."""
        return self._finder.find(text, language if language in ("en", "zh") else None)

    @cached_property
    def _finder(self) -> MentionFinder:
        return self._given or MentionFinder.load(NameTable.of_graph(self._graph))


def _identity(graph: KnowledgeGraph) -> str:
    digest = hashlib.sha256()
    for source in graph.sources():
        digest.update(f"{source.id} {source.version} {source.sha256} {source.names}\n".encode())
    for table in sorted(files("knowledge.mentions").joinpath("rules").iterdir(), key=lambda t: t.name):
        digest.update(table.read_bytes())
    return digest.hexdigest()[:16]
