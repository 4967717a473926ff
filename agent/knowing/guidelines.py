"""What the imported guidelines of a problem call for: sentences that tell to do something that can be looked up."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from agent.answer import Language, PassageEvidence
from agent.knowing.evidence import UNNUMBERED
from agent.knowing.wordings import says
from agent.language import language_of
from knowledge.documents import Document, Library
from knowledge.mentions import MentionFinder
from knowledge.mentions.sentences import sentences

_LOOKED_UP = frozenset({"lab", "vital", "procedure"})
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


class Guidelines:
    """Reads the documents in use; a superseded edition is none of them.

    Args:
        library: of this installation.
        finder: finds what titles and sentences name.
    """

    def __init__(self, library: Library, finder: MentionFinder) -> None:
        self._library = library
        self._finder = finder

    def calls_for(self, concepts: Collection[str]) -> Iterator[Passage]:
        """What documents whose title names one of some concepts call for, in the order of their text."""
        about = [
            entry.doc_id
            for entry in self._library.entries()
            if entry.superseded_by is None
            and any(mention.concept in concepts for mention in self._finder.find(entry.title))
        ]
        for document in self._library.in_use(about):
            yield from self._of(document)

    def _of(self, document: Document) -> Iterator[Passage]:
        language: Language = language_of(document.text[:400])
        for sentence in sentences(document.text):
            text = document.text[sentence.start : sentence.end]
            if not says(text, language, "recommends"):
                continue
            named = {
                mention.concept
                for mention in self._finder.find(text, language)
                if mention.concept is not None
                and mention.type in _LOOKED_UP
                and mention.assertion not in _NOT_CALLED
            }
            for concept in sorted(named):
                yield Passage(concept, document.doc_id, document.cited_as, sentence.start, sentence.end, text)
