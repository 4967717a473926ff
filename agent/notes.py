"""The tool ``search_notes``: passages in the notes that may be seen, and their sentences that bear on the question."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from agent.language import language_of
from agent.phrases import name_of
from agent.planning.plan import SearchNotes
from agent.relevance import Passage, Synonyms, searchable, terms, with_meaning, word_scores
from agent.scope import Scope
from agent.state import NoteSentence, NotesFinding
from indexes.chunk_table import Filter
from indexes.embedding import Embedder
from indexes.index import Hit, PassageIndex
from knowledge.mentions.sentences import sections, sentences
from knowledge.store import TIME_FORMAT, Note, RecordStore

PASSAGES = 40
EMBEDDED = 16
"""Sentences that are compared by meaning, those that words favour first: embedding costs about 5 ms each."""
MOST_SENTENCES = 4
RELEVANT = 0.22
"""Below this a sentence does not bear on the question (chosen on ``benchmarks/questions/demo_tune.jsonl``)."""
NEAR_BEST = 0.5
"""A further sentence is quoted if it is at least this relevant compared with the best one."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A sentence as it is read, with all that stands above it."""

    note: Note
    start: int
    end: int
    section: str

    @property
    def text(self) -> str:
        return self.note.text[self.start : self.end]

    @property
    def context(self) -> str:
        first_line = self.note.text.split("\n", 1)[0]
        kind = " ".join(name_of(language, "note_types", self.note.note_type) for language in ("en", "zh"))
        return f"{self.section} | {self.note.title or ''} | {first_line} | {kind}"


class NoteReader:
    """Searches and reads notes for one store.

    Args:
        embedder: compares by meaning; ``None`` reads by words only.
        synonyms: spans of a text that name a clinical concept, with all names of that concept.
    """

    def __init__(
        self, store: RecordStore, index: PassageIndex, embedder: Embedder | None, synonyms: Synonyms
    ) -> None:
        self._store = store
        self._index = index
        self._embedder = embedder
        self._synonyms = synonyms

    def read(self, action: SearchNotes, scope: Scope) -> NotesFinding:
        """The sentences that bear on ``action.text``; only notes that the scope permits are ever searched."""
        hits = self.search(action, scope)
        found = [s for s in self.score(action.text, hits) if s.relevance >= RELEVANT]
        kept = [s for s in found if s.relevance >= NEAR_BEST * found[0].relevance][:MOST_SENTENCES]
        return NotesFinding(action, tuple(kept), searched=self._index.count(permitted_notes(action, scope)))

    def search(self, action: SearchNotes, scope: Scope) -> list[Hit]:
        """The passages: by words and meaning; by words alone where the model does not read the language."""
        mode = "hybrid" if self._understands(action.text) else "keyword"
        names = {name for _, _, found in self._synonyms(action.text) for name in found}
        names |= {form for term in terms(action.text, self._synonyms) for form in term.related}
        query = " ".join([action.text, *sorted(names)])
        where = permitted_notes(action, scope)
        return self._index.search(query, mode=mode, k=PASSAGES, where=where)

    def score(self, question: str, hits: Sequence[Hit]) -> list[NoteSentence]:
        """Every sentence of the passages with its relevance, best first; what was copied forward stands once."""
        read = self._sentences(hits)
        if not read:
            return []
        groups = _same_text(read)
        latest = [max(same, key=lambda s: (s.note.charttime or "", s.note.note_id)) for same in groups]
        about = terms(question, self._synonyms)
        passages = [Passage(searchable(s.text), searchable(s.section), searchable(s.context)) for s in latest]
        relevances = word_scores(question, about, passages)
        if self._embedder is not None and self._understands(question):
            favoured = sorted(range(len(latest)), key=lambda i: -relevances[i])[:EMBEDDED]
            vectors = self._embedder.encode([question, *(latest[i].text for i in favoured)])
            meaning = np.zeros(len(latest), dtype=np.float32)
            meaning[favoured] = vectors[1:] @ vectors[0]
            relevances = with_meaning(relevances, meaning)
        scored = [
            NoteSentence(
                note_id=sentence.note.note_id,
                start=sentence.start,
                end=sentence.end,
                text=sentence.text,
                section=sentence.section or None,
                note_type=sentence.note.note_type,
                charttime=sentence.note.charttime,
                author=sentence.note.author,
                subject_id=sentence.note.subject_id,
                relevance=relevance,
                repeats=len(same) - 1,
            )
            for sentence, same, relevance in zip(latest, groups, relevances, strict=True)
        ]
        scored.sort(key=lambda s: (s.charttime or "", -s.start), reverse=True)
        return sorted(scored, key=lambda s: -round(s.relevance, 2))

    def _understands(self, text: str) -> bool:
        return self._embedder is not None and (language_of(text) == "en" or self._embedder.reads_chinese)

    def _sentences(self, hits: Sequence[Hit]) -> list[_Read]:
        spans: dict[int, list[tuple[int, int]]] = {}
        for hit in hits:
            if hit.kind == "note":
                spans.setdefault(int(hit.source_id), []).append((hit.start, hit.end))
        read: list[_Read] = []
        for note in self._store.notes(spans):
            titled = sections(note.text)
            for sentence in sentences(note.text):
                if sentence.heading or not any(a <= sentence.start < b for a, b in spans[note.note_id]):
                    continue
                title = next((s.title for s in reversed(titled) if s.start <= sentence.start), "")
                read.append(_Read(note, sentence.start, sentence.end, title))
        return read


def permitted_notes(action: SearchNotes, scope: Scope) -> Filter:
    """The filter of a search: what the action asks for, never more than the scope permits."""
    if action.subject_id is not None:
        asked = frozenset((action.subject_id,))
        subjects = asked if scope.permitted is None else asked & scope.permitted
    else:
        subjects = scope.permitted
    return Filter(
        subject_ids=subjects,
        hadm_ids=None if action.hadm_id is None else frozenset((action.hadm_id,)),
        note_types=frozenset(action.note_types) or None,
        start=action.window.start if action.window else None,
        end=_before(action.window.end) if action.window and action.window.end else None,
        kinds=frozenset(("note",)),
    )


def _before(end: str) -> str:
    """The last second before the open end of a window."""
    return (datetime.strptime(end, TIME_FORMAT) - timedelta(seconds=1)).strftime(TIME_FORMAT)


def _same_text(read: Sequence[_Read]) -> list[list[_Read]]:
    """Sentences of a patient that say the same to the letter, as copying forward makes them."""
    groups: dict[tuple[int, str], list[_Read]] = {}
    for sentence in read:
        key = (sentence.note.subject_id, re.sub(r"\W+", "", sentence.text).casefold())
        groups.setdefault(key, []).append(sentence)
    return list(groups.values())
