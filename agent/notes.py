"""The tool ``search_notes``: finds passages in the notes that may be seen, and the sentences that bear on the question."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from agent.planning.plan import SearchNotes
from agent.relevance import score, terms
from agent.scope import Scope
from agent.state import NoteSentence, NotesFinding
from indexes.chunk_table import Filter
from indexes.chunking import sections, sentences
from indexes.embedding import Embedder
from indexes.index import Hit, NoteIndex
from knowledge.store import Note, RecordStore

PASSAGES = 12
MOST_SENTENCES = 4
RELEVANT = 0.42
"""Below this a sentence does not bear on the question (see ``benchmarks/notes.py`` for how it was chosen)."""
NEAR_BEST = 0.75
"""A further sentence is quoted if it is at least this relevant compared with the best one."""

Synonyms = Callable[[str], Iterable[tuple[int, int, Sequence[str]]]]


class NoteReader:
    """Searches and reads notes for one store."""

    def __init__(
        self, store: RecordStore, index: NoteIndex, embedder: Embedder | None, synonyms: Synonyms
    ) -> None:
        self._store = store
        self._index = index
        self._embedder = embedder
        self._synonyms = synonyms

    def read(self, action: SearchNotes, scope: Scope) -> NotesFinding:
        """The sentences that bear on ``action.text``; only notes that the scope permits are ever searched."""
        where = permitted_notes(action, scope)
        hits = self._index.search(self._expanded(action.text), k=PASSAGES, where=where)
        found = [s for s in self._sentences(action.text, hits) if s.relevance >= RELEVANT]
        found.sort(
            key=lambda s: (-s.relevance, s.charttime is None, _reversed(s.charttime), s.note_id, s.start)
        )
        kept = _without_repeats(found)
        if kept:
            kept = [s for s in kept if s.relevance >= NEAR_BEST * kept[0].relevance][:MOST_SENTENCES]
        return NotesFinding(action, tuple(kept), searched=len({hit.source_id for hit in hits}))

    def _expanded(self, text: str) -> str:
        """The question with the other names of its concepts, in both languages, so that either is found."""
        names = {name for _, _, found in self._synonyms(text) for name in found}
        return " ".join([text, *sorted(names)])

    def _sentences(self, question: str, hits: list[Hit]) -> list[NoteSentence]:
        spans: dict[int, list[tuple[int, int]]] = {}
        for hit in hits:
            if hit.kind == "note":
                spans.setdefault(int(hit.source_id), []).append((hit.start, hit.end))
        read: list[tuple[Note, int, int, str]] = []
        for note in self._store.notes(spans):
            titled = sections(note.text)
            for sentence in sentences(note.text):
                if sentence.heading or not any(a <= sentence.start < b for a, b in spans[note.note_id]):
                    continue
                title = next((s.title for s in reversed(titled) if s.start <= sentence.start), "")
                read.append((note, sentence.start, sentence.end, title))
        if not read:
            return []
        texts = [note.text[start:end] for note, start, end, _ in read]
        meaning = None
        if self._embedder is not None:
            vectors = self._embedder.encode([question, *texts])
            meaning = np.asarray(vectors[1:] @ vectors[0], dtype=np.float32)
        relevances = score(terms(question, self._synonyms), texts, [title for *_, title in read], meaning)
        return [
            NoteSentence(
                note_id=note.note_id,
                start=start,
                end=end,
                text=note.text[start:end],
                section=title or None,
                note_type=note.note_type,
                charttime=note.charttime,
                author=note.author,
                subject_id=note.subject_id,
                relevance=relevance,
            )
            for (note, start, end, title), relevance in zip(read, relevances, strict=True)
        ]


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
        end=action.window.end if action.window else None,
        kinds=frozenset(("note",)),
    )


def _without_repeats(found: list[NoteSentence]) -> list[NoteSentence]:
    """Text that was copied forward is quoted once, from the latest note, with the number of its repeats."""
    groups: dict[tuple[int, str], list[NoteSentence]] = {}
    for sentence in found:
        groups.setdefault((sentence.subject_id, re.sub(r"\W+", "", sentence.text).casefold()), []).append(
            sentence
        )
    kept = []
    for same in groups.values():
        latest = max(same, key=lambda s: (s.charttime or "", s.note_id))
        kept.append(replace(latest, repeats=len(same) - 1))
    return kept


def _reversed(charttime: str | None) -> tuple[int, ...]:
    """Sort key that puts later times first."""
    return tuple(-ord(c) for c in charttime or "")
