"""The general knowledge of this installation: its library, and the index over documents and facts."""

from collections.abc import Callable
from contextlib import closing

from agent.paths import home
from indexes.embedding import Embedder
from indexes.index import PassageIndex
from indexes.knowledge_corpus import KnowledgeCorpus
from indexes.tagging import GraphTagger
from knowledge.documents import Library
from knowledge.generations import Generations
from knowledge.graph import KnowledgeGraph

Report = Callable[[str, int, int], None]


def library() -> Library:
    """The documents that were imported here."""
    return Library(home() / "knowledge" / "library.sqlite")


def passages() -> Generations:
    """Where the index over documents and facts lives."""
    return Generations(home() / "knowledge" / KnowledgeCorpus.name, KnowledgeCorpus.repair)


def knowledge_index(
    graph: KnowledgeGraph, embedder: Embedder | None, report: Report, *, rebuild: bool = False
) -> PassageIndex:
    """The index over the library and the facts of the graph, built or brought up to date first.

    Args:
        graph: whose facts; its concepts tag the passages.
        embedder: ``None`` for keywords only.
        report: told how far it is.
        rebuild: builds anew what is there, too.

    Raises:
        IndexFault: it is damaged (``rebuild`` repairs it), or another build is at work.
    """
    corpus, folder, tagger = KnowledgeCorpus(library(), graph), home() / "knowledge", GraphTagger(graph)
    if rebuild or not (passages().folder / "current").exists():
        return PassageIndex.build(corpus, folder, embedder, report, tagger)
    index = PassageIndex.open(corpus, folder, embedder)
    if not index.pending(tagger):
        return index
    with closing(index):
        PassageIndex.update(corpus, folder, embedder, report, tagger)
    return PassageIndex.open(corpus, folder, embedder)
