"""Corrects misspelt words of names that have several: "respratory rate", "blood presure".

The value index corrects a word that is a name by itself; a word within a name is only found in its company. Words
that anything known is called by are left alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from agent.planning.vocabulary import is_common
from indexes.tokens import stop_words, tokenise

_SHORTEST = 5  # letters: shorter words have too many neighbours
_LONG = 8  # letters from which two slips are allowed
_OPPOSITES = (("hyper", "hypo"),)
Place = tuple[int, int]


class Spelling:
    """The words of all names that the terminology and the store know.

    Args:
        names: every name, in any spelling.
        words: further known words.
    """

    def __init__(self, names: Iterable[str], words: Iterable[str]) -> None:
        self._known = {word for name in names for word in _words(name)} | set(words)
        near: dict[tuple[str, int], list[str]] = defaultdict(list)
        for word in sorted(self._known):
            near[word[0], len(word)].append(word)
        self._near: Mapping[tuple[str, int], Sequence[str]] = dict(near)

    def correct(self, text: str) -> tuple[str, tuple[tuple[Place, Place], ...]]:
        """A lower-case text with its misspelt words replaced, and where each stands there and stood here."""
        parts: list[str] = []
        places: list[tuple[Place, Place]] = []
        at = 0
        for token in tokenise(text):
            better = self._better(token.text)
            if better is not None:
                parts += text[at : token.start], better
                start = sum(map(len, parts)) - len(better)
                places.append(((start, start + len(better)), (token.start, token.end)))
                at = token.end
        return "".join([*parts, text[at:]]), tuple(places)

    def _better(self, word: str) -> str | None:
        """The one nearest known word of an unknown one; none where there is none or two are as near."""
        if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()):
            return None
        if word in self._known or word in stop_words() or is_common(word):
            return None
        allowed = 1 if len(word) < _LONG else 2
        choices = [
            known
            for length in range(len(word) - allowed, len(word) + allowed + 1)
            for known in self._near.get((word[0], length), ())
            if not is_opposite(known, word)
        ]
        near = process.extract(word, choices, scorer=OSA.distance, score_cutoff=allowed, limit=2)
        if not near or (len(near) > 1 and near[0][1] == near[1][1]):
            return None
        return near[0][0]


def is_opposite(known: str, said: str) -> bool:
    """Whether a word is the opposite of another one, few letters apart: hypo- is no slip for hyper-."""
    return any(
        (one in known.lower()) != (one in said.lower())
        and (other in known.lower()) != (other in said.lower())
        for one, other in _OPPOSITES
    )


def back(places: Sequence[tuple[Place, Place]], start: int, end: int) -> Place:
    """Where ``[start, end)`` of a corrected text stands in the text as it was."""

    def moved(position: int, *, to_end: bool) -> int:
        shift = 0
        for (first, last), (old_first, old_last) in places:
            if position >= last:
                shift = old_last - last
            elif position > first:
                return old_last if to_end else old_first
        return position + shift

    return moved(start, to_end=False), moved(end, to_end=True)


def _words(name: str) -> Iterable[str]:
    return (t.text for t in tokenise(name) if t.text.isascii() and t.text.isalpha() and len(t.text) > 3)
