"""The general knowledge as a corpus: the documents of the library, and the facts of the graph as sentences.

A fact is a passage of its own, in both languages, so that words and meaning find it beside the documents. Facts
of a release that brings very many are found by the graph alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from indexes.corpus import Indexed, Key, Reader, Source, SourceKind, Text, text_sha256
from knowledge.documents import Document, Library
from knowledge.graph import KnowledgeGraph
from knowledge.graph.parts import Edge
from knowledge.graph.wording import fact_text

_FEW = 20_000
"""A source with more facts than so many is too large for a sentence of each."""


class KnowledgeCorpus:
    """Documents in use, then facts; see :class:`~indexes.corpus.Corpus`."""

    name = "passages"
    repair = "chartroom knowledge index --rebuild"

    def __init__(self, library: Library, graph: KnowledgeGraph) -> None:
        self.library = library
        self.graph = graph

    def identity(self) -> str:
        """There is one for each installation."""
        return "knowledge"

    def count(self) -> int:
        """Documents and facts."""
        return self.library.count() + sum(source.edges for source in self._sources())

    def texts(self) -> Iterator[Text]:
        """Documents by id, then facts."""
        yield from (_of_document(document) for document in self.library.in_use())
        yield from self._facts().values()

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Reads single documents and facts."""

        def read(kind: SourceKind, source_id: str) -> Text | None:
            if kind == "fact":
                return self._fact(source_id)
            found = next(self.library.in_use([source_id]), None)
            return None if found is None else _of_document(found)

        yield read

    def last_change(self) -> int:
        """The newest change of the library."""
        return self.library.last_change()

    def changes(self, since: int, indexed: Indexed) -> tuple[Sequence[Key], int]:
        """Documents by the library's log; facts by what the index holds."""
        changed, last = self.library.changes(since)
        now = {name: text.source.sha256 for name, text in self._facts().items()}
        held = {name: sha256 for (kind, name), sha256 in indexed().items() if kind == "fact"}
        facts = [name for name in sorted(now.keys() | held.keys()) if now.get(name) != held.get(name)]
        keys: list[Key] = [*(("document", one) for one in changed), *(("fact", one) for one in facts)]
        return keys, last

    def _sources(self) -> list:
        return [source for source in self.graph.sources() if 0 < source.edges <= _FEW]

    def _facts(self) -> dict[str, Text]:
        """All facts by name; what several sources say alike stands once."""
        found: dict[str, list[Edge]] = {}
        for source in self._sources():
            for edge in self.graph.edges_from(source.id):
                found.setdefault(fact_name(edge), []).append(edge)
        return {name: self._of_edges(name, edges) for name, edges in found.items()}

    def _fact(self, name: str) -> Text | None:
        edges = self.edges_of(name)
        return self._of_edges(name, edges) if edges else None

    def edges_of(self, name: str) -> list[Edge]:
        """The relations behind the name of a fact, one of each source."""
        subject, relation, *_ = name.split("|")
        return [edge for edge in self.graph.edges([subject], [relation]) if fact_name(edge) == name]

    def _of_edges(self, name: str, edges: Sequence[Edge]) -> Text:
        first = edges[0]
        nodes = {node.id: node for node in self.graph.nodes((first.subject, first.object))}
        english = fact_text(first, nodes, "en")
        text = f"{english} {fact_text(first, nodes, 'zh')}"
        source = Source("fact", name, text_sha256(text), title=first.source)
        return Text(source, text, (first.subject, first.object), english)


def fact_name(edge: Edge) -> str:
    """What a fact is called in an index: it stays the same when the graph is built anew."""
    return "|".join((edge.subject, edge.relation, edge.object, edge.condition or ""))


def _of_document(document: Document) -> Text:
    source = Source(
        "document",
        document.doc_id,
        text_sha256(document.text),
        language=document.language,
        title=document.cited_as,
    )
    return Text(source, document.text)
