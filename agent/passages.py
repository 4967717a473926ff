"""The tool ``search_knowledge``: sentences of the imported documents that bear on a question."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from agent.planning.plan import SearchKnowledge
from agent.relevance import Passage, Synonyms, searchable, terms, with_meaning, word_scores
from agent.state import PassageSentence, PassagesFinding
from indexes.chunk_table import Filter
from indexes.embedding import Embedder
from indexes.index import Hit
from indexes.retrieval import Retrieval
from knowledge.documents import Document, Library
from knowledge.mentions.sentences import sections, sentences

_PASSAGES = 20
_EMBEDDED = 16
_MOST = 3
_RELEVANT = 0.5
"""Below this a sentence does not bear on the question. Higher than for notes: these are of a patient that the
question is about, a document may be about anything."""
_NEAR_BEST = 0.6


@dataclass(frozen=True, slots=True)
class _Read:
    document: Document
    start: int
    end: int
    section: str

    @property
    def text(self) -> str:
        return self.document.text[self.start : self.end]


class PassageReader:
    """Searches and reads the documents in use.

    Args:
        library: holds them.
        retrieval: over their passages.
        embedder: compares by meaning; ``None`` reads by words only.
        synonyms: spans of a text that name a clinical concept, with all names of that concept.
    """

    def __init__(
        self, library: Library, retrieval: Retrieval, embedder: Embedder | None, synonyms: Synonyms
    ) -> None:
        self._library = library
        self._retrieval = retrieval
        self._embedder = embedder
        self._synonyms = synonyms

    def read(self, action: SearchKnowledge) -> PassagesFinding:
        """The sentences that bear on a question, best first."""
        where = Filter(kinds=frozenset(("document",)))
        hits = self._retrieval.search(action.text, mode="adaptive", k=_PASSAGES, where=where)
        scored = self._score(action.text, list(self._sentences(hits)))
        kept = [one for one in scored if one.relevance >= max(_RELEVANT, _NEAR_BEST * scored[0].relevance)]
        return PassagesFinding(action, tuple(kept[:_MOST]), searched=self._library.count())

    def mentioning(self, concepts: Collection[str]) -> list[str]:
        """Ids of the documents that mention some concepts without denying them, most often first."""
        where = Filter(kinds=frozenset({"document"}))
        found = (
            pair for index in self._retrieval.indexes for pair in index.sources_mentioning(concepts, where)
        )
        return [source_id for source_id, _ in sorted(found, key=lambda pair: (-pair[1], pair[0]))]

    def close(self) -> None:
        """Release the index."""
        for index in self._retrieval.indexes:
            index.close()

    def _sentences(self, hits: Sequence[Hit]) -> Iterable[_Read]:
        spans: dict[str, list[tuple[int, int]]] = {}
        for hit in hits:
            spans.setdefault(hit.source_id, []).append((hit.start, hit.end))
        for document in self._library.in_use(spans):
            titled = sections(document.text)
            for sentence in sentences(document.text):
                inside = any(a <= sentence.start < b for a, b in spans[document.doc_id])
                if inside and not sentence.heading:
                    title = next((s.title for s in reversed(titled) if s.start <= sentence.start), "")
                    yield _Read(document, sentence.start, sentence.end, title)

    def _score(self, question: str, read: Sequence[_Read]) -> list[PassageSentence]:
        if not read:
            return []
        passages = [
            Passage(
                searchable(s.text), searchable(s.section), searchable(f"{s.section} | {s.document.title}")
            )
            for s in read
        ]
        scores = word_scores(question, terms(question, self._synonyms), passages)
        if self._embedder is not None:
            best = sorted(range(len(read)), key=lambda i: -scores[i])[:_EMBEDDED]
            vectors = self._embedder.encode([question, *(read[i].text for i in best)])
            meant = with_meaning([scores[i] for i in best], vectors[1:] @ vectors[0])
            for i, score in zip(best, meant, strict=True):
                scores[i] = max(scores[i], score)
        found = [
            PassageSentence(
                doc_id=one.document.doc_id,
                cited_as=one.document.cited_as,
                start=one.start,
                end=one.end,
                text=one.text,
                section=one.section or None,
                relevance=score,
            )
            for one, score in zip(read, scores, strict=True)
        ]
        return sorted(found, key=lambda one: (-one.relevance, one.doc_id, one.start))
