"""Finds the store's own values by what people call them: exact, abbreviated, misspelt, in parts, in Chinese.

The index is one SQLite file that is read where it lies: nothing is loaded at start. Which meaning of an
ambiguous mention is right is left to the caller, who sees all candidates with how they were found.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, product
from pathlib import Path
from typing import Literal

from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexes import value_build
from indexes.tokens import Token, is_cjk, normalise, stop_words, tokenise
from indexes.value_build import Column, columns
from knowledge.errors import IndexFault
from knowledge.store.store import RecordStore

__all__ = ["Column", "SpanMatch", "ValueIndex", "ValueMatch", "columns"]

How = Literal["exact", "normalised", "abbreviation", "synonym", "typo", "token"]
_SCORES: dict[How, float] = {"exact": 1.0, "normalised": 0.98, "abbreviation": 0.92, "synonym": 0.95}
_READ = 4000  # characters of a question that are looked at
_CANDIDATES = 50
_SHORTEST_TYPO = 5
_UNUSED = 0.6
"""'tf residual', which the record has, beats 'tf residual output', which only its dictionary has; but
'acute kidney failure' beats the specimen 'kidney' within it, whether the record has it or not."""

_SYNONYM = 0.8
"""'oral gastric', a name of the store, beats 'gastric output', which is only another word for one."""


@dataclass(frozen=True, slots=True)
class ValueMatch:
    """A value of the store and how a text leads to it.

    Attributes:
        table: table of the value.
        column: its column.
        value: as the store spells it.
        score: 0 to 1, comparable within one look-up.
        how: the way it was found.
        count: rows of ``events`` that hold it; 0 for a dictionary entry that the record never uses.
        events: table of those rows (for ``d_items`` the table it links to).
    """

    table: str
    column: str
    value: str
    score: float
    how: How
    count: int
    events: str


@dataclass(frozen=True, slots=True)
class SpanMatch:
    """A mention of values in a question: ``text == question[start:end]``; best match first."""

    start: int
    end: int
    text: str
    matches: tuple[ValueMatch, ...]


class ValueIndex:
    """An opened value index; safe to use from several threads. Made by ``build`` or ``open``."""

    def __init__(self, database: Path, content: str) -> None:
        self._content = content
        self._connection = sqlite3.connect(
            f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )

    @classmethod
    def build(
        cls, store: RecordStore, folder: Path, synonyms: Mapping[str, Sequence[str]] | None = None
    ) -> "ValueIndex":
        """Build (see ``value_build.build``) and open the result."""
        value_build.build(store, folder, synonyms)
        return cls.open(store, folder)

    @classmethod
    def open(cls, store: RecordStore, folder: Path) -> "ValueIndex":
        """Open the value index of a store; every byte is checked.

        Raises:
            IndexFault: missing, truncated, altered or of another store.
        """
        places = value_build.generations(store, folder)
        generation, manifest = places.open()
        if manifest.store != store.identity():
            raise IndexFault(
                f"The index {places.folder} was built from another store. Build it anew with: {places.repair}"
            )
        return cls(generation / value_build.DATABASE, str(manifest.details["content"]))

    def is_stale(self, store: RecordStore) -> bool:
        """Whether rows were added to the store since this index was built."""
        return value_build.fingerprint(store) != self._content

    def exact(self, text: str, columns: Collection[tuple[str, str]] | None = None) -> list[ValueMatch]:
        """Values that ``text`` names as a whole, in any case and punctuation, by abbreviation or synonym."""
        return self._surface(normalise(text[:_READ]), text, columns)

    def lookup(
        self, text: str, columns: Collection[tuple[str, str]] | None = None, limit: int = 10
    ) -> list[ValueMatch]:
        """The values that ``text`` may mean, best first.

        Whole names come first; then values that contain all its words; if there are none of either, the same
        after correction of misspelt words.

        Args:
            text: a mention, such as 'creatinin'.
            columns: (table, column) pairs to look in; all linkable columns by default.
            limit: how many.
        """
        found = self.exact(text, columns)
        words = normalise(text[:_READ]).split()[:12]
        if len(found) < limit:
            found += self._containing(words, columns, "token")
        if not found:
            for distance, corrected in self._corrections(words, self._words):
                matches = self._surface(" ".join(corrected), "", columns) or self._containing(
                    corrected, columns, "typo"
                )
                found += [_misspelt(match, distance) for match in matches]
        return _best(found, limit)

    def spans(
        self,
        question: str,
        columns: Collection[tuple[str, str]] | None = None,
        *,
        loose: bool = False,
        limit: int = 20,
    ) -> list[SpanMatch]:
        """The mentions of values in a question, in order of place; of those that overlap, the longest.

        Args:
            question: any text; its first 4,000 characters are read.
            columns: (table, column) pairs to look in; all linkable columns by default.
            loose: also take misspelt names, and words that are part of values that occur in the record.
            limit: matches for each mention.
        """
        tokens = list(tokenise(question[:_READ]))
        found: list[tuple[int, int, list[ValueMatch]]] = []
        edges: dict[tuple[int, int], tuple[int, int]] = {}
        for first, last in self._mentions([token.text for token in tokens]):
            start, end = tokens[first].start, tokens[last - 1].end
            matches = self._surface(
                " ".join(t.text for t in tokens[first:last]), question[start:end], columns
            )
            if matches:
                found.append((first, last, matches))
                edges[first, last] = _edges(question, start, end, matches)
        taken = [False] * len(tokens)
        chosen = list(_longest(found, tokens, taken))
        if loose:
            chosen += self._loose(tokens, taken, columns)
        spans = []
        for first, last, matches in sorted(chosen, key=lambda item: item[0]):
            start, end = edges.get((first, last), (tokens[first].start, tokens[last - 1].end))
            text = question[start:end]
            named = sorted((_as_written(match, text) for match in matches), key=_rank)
            spans.append(SpanMatch(start, end, text, tuple(_best(named, limit))))
        return spans

    def words(self) -> Collection[str]:
        """The Latin words, of four letters or more, that occur in values of the record."""
        return self._live_words.keys()

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _mentions(self, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Stretches of words that are some value's name, walking the sorted spellings like a trie."""
        after = "SELECT norm FROM surfaces WHERE norm >= ? ORDER BY norm LIMIT 1"
        for first in range(len(words)):
            name = ""
            for last in range(first + 1, len(words) + 1):
                name = f"{name} {words[last - 1]}" if name else words[first]
                row = self._connection.execute(after, (name,)).fetchone()
                # A space sorts before every character of a word: the next spelling tells whether a longer
                # name begins like this one.
                if row is None or not (row[0] == name or row[0].startswith(name + " ")):
                    break
                if row[0] == name and _tells(words[first:last]):
                    yield first, last

    def _loose(
        self, tokens: Sequence[Token], taken: list[bool], columns: Collection[tuple[str, str]] | None
    ) -> Iterator[tuple[int, int, list[ValueMatch]]]:
        for place, token in enumerate(tokens):
            word = token.text
            if taken[place] or len(word) < _SHORTEST_TYPO or not word.isalpha() or word in stop_words():
                continue
            matches = [m for m in self._containing([word], columns, "token") if m.count]
            if not matches and word not in self._words:
                for distance, corrected in self._corrections([word], self._live_words):
                    whole = self._surface(corrected[0], "", columns)
                    matches += [_misspelt(m, distance) for m in whole if m.count]
            if matches:
                taken[place] = True
                yield place, place + 1, matches

    def _surface(self, norm: str, text: str, columns: Collection[tuple[str, str]] | None) -> list[ValueMatch]:
        rows = self._connection.execute(
            'SELECT how, tbl, col, value, count, events FROM surfaces JOIN "values" USING (value_id) '
            "WHERE norm = ? ORDER BY value_id LIMIT 1000",
            (norm,),
        )
        found = []
        for how, table, column, value, count, events in rows:
            if columns is None or (table, column) in columns:
                how = "exact" if value.casefold() == text.strip().casefold() else how
                found.append(ValueMatch(table, column, value, _SCORES[how], how, count, events))
        return sorted(found, key=_rank)

    def _containing(
        self, words: Sequence[str], columns: Collection[tuple[str, str]] | None, how: How
    ) -> list[ValueMatch]:
        """Values that contain all words, those of the record and short ones first."""
        if not words or not _tells(words):
            return []
        condition, parameters = "", []
        if columns is not None:
            condition = (
                f"AND (tbl, col) IN (VALUES {', '.join(['(?, ?)'] * len(columns))}) " if columns else "AND 0 "
            )
            parameters = [part for pair in columns for part in pair]
        rows = self._connection.execute(
            'SELECT tbl, col, value, count, events FROM value_words JOIN "values" '
            f"ON value_id = value_words.rowid WHERE value_words MATCH ? {condition}"
            "ORDER BY value_words.rowid LIMIT ?",
            (
                " AND ".join(f'"{part}"' for word in words for part in word.split(".")),
                *parameters,
                _CANDIDATES,
            ),
        )
        found = []
        for table, column, value, count, events in rows:
            share = len(words) / max(len(words), len(normalise(value).split()))
            found.append(ValueMatch(table, column, value, round(0.5 + 0.4 * share, 3), how, count, events))
        return found

    def _corrections(
        self, words: Sequence[str], vocabulary: Mapping[str, int]
    ) -> Iterator[tuple[int, list[str]]]:
        """Spellings of the whole with unknown words replaced by the nearest known ones, nearest first."""
        choices: list[list[tuple[str, int]]] = []
        for word in words:
            if word in self._words or len(word) < _SHORTEST_TYPO or not word.isalpha() or is_cjk(word):
                choices.append([(word, 0)])
                continue
            allowed = 1 if len(word) < 8 else 2
            near = process.extract(
                word,
                [w for w in vocabulary if w[0] == word[0] and abs(len(w) - len(word)) <= allowed],
                scorer=OSA.distance,
                score_cutoff=allowed,
                limit=4,
            )
            ranked = sorted(near, key=lambda n: (n[1], -vocabulary[n[0]]))
            choices.append([(known, int(distance)) for known, distance, _ in ranked] or [(word, 0)])
        for combination in islice(product(*choices), 8):
            distance = sum(d for _, d in combination)
            if distance:
                yield distance, [word for word, _ in combination]

    @cached_property
    def _words(self) -> dict[str, int]:
        return dict(self._connection.execute("SELECT word, live FROM words"))

    @cached_property
    def _live_words(self) -> dict[str, int]:
        return {word: live for word, live in self._words.items() if live}


def _tells(words: Sequence[str]) -> bool:
    """Whether words name something: not only stop words, single letters and bare numbers."""
    if all(is_cjk(word) for word in words):
        return len(words) > 1
    return any(
        len(word) > 1 and word not in stop_words() and not word.replace(".", "").isdigit() for word in words
    )


def _edges(question: str, start: int, end: int, matches: Sequence[ValueMatch]) -> tuple[int, int]:
    """The mention with the signs that belong to a value's name: the "%" of "lidocaine 1%", a last bracket."""
    widest = (start, end)
    for match in matches:
        tokens = list(tokenise(match.value))
        if not tokens:
            continue
        first, last = start - tokens[0].start, end + len(match.value) - tokens[-1].end
        if first >= 0 and _folded(question[first:last]) == _folded(match.value):
            widest = min(widest[0], first), max(widest[1], last)
    return widest


def _as_written(match: ValueMatch, text: str) -> ValueMatch:
    """The match as exact where the text is the value, case and spacing aside."""
    if match.how == "typo" or _folded(match.value) != _folded(text):
        return match
    return replace(match, score=_SCORES["exact"], how="exact")


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _longest(
    found: Sequence[tuple[int, int, list[ValueMatch]]], tokens: Sequence[Token], taken: list[bool]
) -> Iterator[tuple[int, int, list[ValueMatch]]]:
    """Mentions that do not overlap, the longest first; values that the record never uses weigh less."""

    def weight(mention: tuple[int, int, list[ValueMatch]]) -> float:
        first, last, matches = mention
        length = tokens[last - 1].end - tokens[first].start
        named = 1.0 if any(match.how != "synonym" for match in matches) else _SYNONYM
        return named * (length if any(match.count for match in matches) else _UNUSED * length)

    for first, last, matches in sorted(found, key=lambda mention: (-weight(mention), mention[0])):
        if not any(taken[first:last]):
            taken[first:last] = [True] * (last - first)
            yield first, last, matches


def _misspelt(match: ValueMatch, distance: int) -> ValueMatch:
    return ValueMatch(
        match.table,
        match.column,
        match.value,
        round(match.score - 0.1 * distance, 3),
        "typo",
        match.count,
        match.events,
    )


def _rank(match: ValueMatch) -> tuple[bool, float, int, str]:
    return match.count == 0, -match.score, -match.count, match.value


def _best(found: Sequence[ValueMatch], limit: int) -> list[ValueMatch]:
    """The best of each value, whole names before parts."""
    unique: dict[tuple[str, str, str, str], ValueMatch] = {}
    for match in found:
        unique.setdefault((match.table, match.column, match.value, match.events), match)
    return sorted(unique.values(), key=lambda m: (-m.score if m.how == "token" else -1.0, *_rank(m)))[:limit]
