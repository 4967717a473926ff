"""The words that the planner was trained on, and how often in questions that the tables answer.

A word that never stood in an answerable question is a sign that a plan misses what is asked ("which
*manufacturer* …"). Chinese text counts by pairs of neighbouring characters.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

LEXICON_FILE = Path(__file__).with_name("planner.words.tsv")
_WORD = re.compile(r"(?<![a-z<.])[a-z]{3,}(?![a-z>.])")
_SLIPS_FROM = 5  # letters from which on a word with one slip is told from another word
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_PLACEHOLDER = re.compile(r"<[a-z_.]+\d?>")


@dataclass(frozen=True)
class Lexicon:
    """How many answerable and other training questions had each word."""

    answerable: Mapping[str, int]
    other: Mapping[str, int]

    @classmethod
    def learnt(cls, questions: Iterable[tuple[str, bool]]) -> "Lexicon":
        """Count the words of delexicalised questions, each with whether the tables answer it."""
        answerable: Counter[str] = Counter()
        other: Counter[str] = Counter()
        for text, answers in questions:
            (answerable if answers else other).update(set(words(text)))
        return cls(answerable, other)

    @classmethod
    def load(cls, path: Path = LEXICON_FILE) -> "Lexicon":
        """Read what :meth:`save` wrote."""
        answerable, other = {}, {}
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            word, here, there = line.split("\t")
            answerable[word], other[word] = int(here), int(there)
        return cls(answerable, other)

    def save(self, path: Path) -> None:
        """Write a table, sorted by word."""
        rows = [
            f"{word}\t{self.answerable.get(word, 0)}\t{self.other.get(word, 0)}\n"
            for word in sorted({*self.answerable, *self.other})
        ]
        path.write_text("word\tanswerable\tother\n" + "".join(rows), encoding="utf-8")

    def foreign(self, text: str) -> tuple[int, float]:
        """What never stood in an answerable question, nor is a slip from a word that did.

        Returns:
            How many English words, and which share of the pairs of Chinese characters.
        """
        here = set(words(text))
        han = [word for word in here if not word.isascii()]
        strange = [word for word in here if not self._is_known(word)]
        english = sum(word.isascii() for word in strange)
        return english, (len(strange) - english) / max(1, len(han))

    def _is_known(self, word: str) -> bool:
        if self.answerable.get(word):
            return True
        if not word.isascii() or len(word) < _SLIPS_FROM:
            return False
        near = process.extractOne(word, self._plain, scorer=OSA.distance, score_cutoff=1)
        return near is not None

    @cached_property
    def _plain(self) -> list[str]:
        return [word for word, count in self.answerable.items() if count and word.isascii()]

    def against(self, text: str) -> float:
        """The share of other questions among those with the word that speaks most against an answer, 0 to 1."""
        return max(
            (
                self.other.get(word, 0) / (self.answerable.get(word, 0) + self.other.get(word, 0) + 1)
                for word in words(text)
            ),
            default=0.0,
        )


@cache
def lexicon() -> Lexicon:
    """The one that comes with the planner."""
    return Lexicon.load()


def words(text: str) -> Iterator[str]:
    """The words of a delexicalised question, in lower case; pairs of characters for Chinese."""
    plain = _PLACEHOLDER.sub(" ", text)
    yield from _WORD.findall(plain)
    for run in _HAN.findall(plain):
        yield from (run[at : at + 2] for at in range(max(1, len(run) - 1)))
