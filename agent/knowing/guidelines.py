"""What the imported guidelines of a problem call for: sentences that tell to do something that can be looked up."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from agent.answer import Language, PassageEvidence
from agent.knowing.evidence import UNNUMBERED
from agent.knowing.wordings import says
from agent.language import language_of
from knowledge.documents import Document, Library
from knowledge.mentions import MentionFinder
from knowledge.mentions.sentences import Sentence, sections, sentences

_LOOKED_UP = frozenset({"lab", "vital", "procedure"})
_PROBLEMS = frozenset({"disease", "drug", "drug_class"})
_DOCUMENTS = 20
"""So many documents that mention a problem most often are read for one question."""
_NOT_CALLED = frozenset({"negated"})


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of a guideline that calls for something.

    Attributes:
        concept: of what is called for.
        cited_as: the document's title with its edition.
    """

    concept: str
    doc_id: str
    cited_as: str
    start: int
    end: int
    quote: str

    @property
    def evidence(self) -> PassageEvidence:
        """The sentence as evidence."""
        return PassageEvidence(
            id=UNNUMBERED,
            doc_id=self.doc_id,
            start=self.start,
            end=self.end,
            quote=self.quote,
            title=self.cited_as,
        )


@dataclass(frozen=True, slots=True)
class _Section:
    """A stretch of a document.

    Attributes:
        named: concepts in the titles above it: its own, those it lies under, the document's.
        problems: diseases and drugs that its text mentions and does not deny.
    """

    start: int
    end: int
    named: frozenset[str]
    problems: frozenset[str]

    def is_about(self, concepts: Collection[str]) -> bool:
        """Whether its titles name one of some concepts, or its text mentions no other problem."""
        return bool(self.named & set(concepts)) or (bool(self.problems) and self.problems <= set(concepts))


class Guidelines:
    """Reads the documents in use; a superseded edition is none of them.

    Args:
        library: of this installation.
        finder: finds what titles and sentences name.
        mentioning: the documents that mention some concepts, most often first; without it all are read.
    """

    def __init__(
        self,
        library: Library,
        finder: MentionFinder,
        mentioning: Callable[[Collection[str]], Sequence[str]] | None = None,
    ) -> None:
        self._library = library
        self._finder = finder
        self._mentioning = mentioning
        self._read: dict[tuple[str, int], tuple[_Section, ...]] = {}

    def calls_for(self, concepts: Collection[str]) -> Iterator[Passage]:
        """What documents call for in sections about some concepts, and in sentences that name one of them."""
        about = self._mentioning(concepts)[:_DOCUMENTS] if self._mentioning is not None else None
        for document in self._library.in_use(about):
            language = language_of(document.text[:400])
            sections_of = self._sections(document, language)
            for sentence in sentences(document.text):
                text = document.text[sentence.start : sentence.end]
                if sentence.heading or not says(text, language, "recommends"):
                    continue
                section = next(s for s in reversed(sections_of) if s.start <= sentence.start)
                yield from self._of(
                    document, sentence, language, concepts, everything=section.is_about(concepts)
                )

    def _of(
        self,
        document: Document,
        sentence: Sentence,
        language: Language,
        concepts: Collection[str],
        *,
        everything: bool,
    ) -> Iterator[Passage]:
        text = document.text[sentence.start : sentence.end]
        mentions = [m for m in self._finder.find(text, language) if m.assertion not in _NOT_CALLED]
        if everything or any(mention.concept in concepts for mention in mentions):
            named = {m.concept for m in mentions if m.concept is not None and m.type in _LOOKED_UP}
            for concept in sorted(named):
                yield Passage(concept, document.doc_id, document.cited_as, sentence.start, sentence.end, text)

    def _sections(self, document: Document, language: Language) -> tuple[_Section, ...]:
        """The sections of a document with what they are about; each version is read once."""
        key = (document.doc_id, document.version)
        if key not in self._read:
            whole = self._named(document.title, language)
            above: list[tuple[int, frozenset[str]]] = []  # titles that a section lies under, with their depth
            found: list[_Section] = []
            for section in sections(document.text):
                text = document.text[section.start : section.end]
                depth = len(text) - len(text.lstrip("#"))
                above = [(level, named) for level, named in above if 0 < level < depth]
                above.append((depth, self._named(section.title, language)))
                mentions = self._finder.find(text, language)
                problems = frozenset(
                    m.concept
                    for m in mentions
                    if m.concept is not None and m.type in _PROBLEMS and m.assertion not in _NOT_CALLED
                )
                named = whole.union(*(named for _, named in above))
                found.append(_Section(section.start, section.end, named, problems))
            self._read[key] = tuple(found)
        return self._read[key]

    def _named(self, title: str, language: Language) -> frozenset[str]:
        return frozenset(m.concept for m in self._finder.find(title, language) if m.concept is not None)
