"""Which sentences of a note bear on a question.

Search finds passages; this reads them. A sentence's relevance is the share of what the question is about
that the sentence, or the heading above it, mentions. A word counts by how rare it is among the sentences
read (inverse document frequency), a clinical concept by any of its names in either language, and the
meaning of the whole (cosine of sentence embeddings) supports what words alone would miss.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

from indexes.tokens import is_cjk, stop_words, tokenise

HEADING_WEIGHT = 0.5
"""A word that only the heading above a sentence says counts half: "Allergies: none known"."""
MEANING_WEIGHT = 0.35
MEANING_FLOOR = 0.25
"""Cosines of unrelated clinical sentences under MiniLM lie around this value."""

_STEMMER = snowballstemmer.stemmer("english")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that the question is about, in every form in which a note may say it (as ``forms`` gives)."""

    forms: frozenset[str]


def terms(question: str, synonyms: Callable[[str], Iterable[tuple[int, int, Sequence[str]]]]) -> list[Term]:
    """What a question is about.

    Args:
        question: in English or Chinese.
        synonyms: gives, for a text, spans that name a clinical concept with all names of that concept.
    """
    found: list[Term] = []
    covered: set[int] = set()
    for start, end, names in synonyms(question):
        covered.update(range(start, end))
        found.append(Term(frozenset(key for name in (question[start:end], *names) if (key := phrase(name)))))
    rest = "".join(" " if i in covered else c for i, c in enumerate(question))
    for form in _units(rest):
        term = Term(frozenset((form,)))
        if term not in found:
            found.append(term)
    return [term for term in found if term.forms]


def phrase(text: str) -> str:
    """A form that can be looked up in ``searchable`` text: stemmed words between single spaces."""
    return " ".join(_stem(token.text) for token in tokenise(text))


def searchable(text: str) -> str:
    """A text in which ``f" {form} "`` is found exactly where the form occurs as whole words."""
    return f" {phrase(text)} "


def score(
    about: Sequence[Term],
    sentences: Sequence[str],
    headings: Sequence[str],
    meaning: NDArray[np.float32] | None,
) -> list[float]:
    """Relevance of each sentence, 0 to 1.

    Args:
        about: the terms of the question.
        sentences: what is read.
        headings: the heading above each sentence.
        meaning: cosine of question and sentence, shape ``(len(sentences),)``, or ``None``.
    """
    bodies = [searchable(sentence) for sentence in sentences]
    titles = [searchable(heading) for heading in headings]
    present = Counter[int]()
    for body in bodies:
        present.update(i for i, term in enumerate(about) if _mentions(body, term))
    weights = [math.log(1 + (len(bodies) + 1) / (present[i] + 0.5)) for i in range(len(about))]
    total = sum(weights) or 1.0
    scores = []
    for index, (body, title) in enumerate(zip(bodies, titles, strict=True)):
        words = sum(
            weight * (1.0 if _mentions(body, term) else HEADING_WEIGHT if _mentions(title, term) else 0.0)
            for weight, term in zip(weights, about, strict=True)
        )
        share = words / total
        if meaning is not None:
            near = max(0.0, (float(meaning[index]) - MEANING_FLOOR) / (1 - MEANING_FLOOR))
            share = (1 - MEANING_WEIGHT) * share + MEANING_WEIGHT * near
        scores.append(min(1.0, share))
    return scores


def _mentions(text: str, term: Term) -> bool:
    return any(f" {form} " in text for form in term.forms)


def _units(text: str) -> list[str]:
    """Content words of a text; a run of CJK characters gives its overlapping pairs."""
    units: list[str] = []
    run: list[str] = []
    position = -1
    for token in (*tokenise(_without_stop_phrases(text)), None):
        if token is not None and is_cjk(token.text) and (not run or token.start == position):
            run.append(token.text)
            position = token.end
            continue
        if run:
            units += [" ".join(pair) for pair in zip(run, run[1:], strict=False)] or run
            run = []
        if token is None:
            break
        if is_cjk(token.text):
            run, position = [token.text], token.end
        elif token.text not in stop_words():
            units.append(_stem(token.text))
    return units


def _without_stop_phrases(text: str) -> str:
    """Chinese words of asking, longest first, become blanks, so that pairs do not reach across them."""
    for word in _chinese_stop_phrases():
        text = text.replace(word, " ")
    return text


def _chinese_stop_phrases() -> list[str]:
    words = {w.replace(" ", "") for w in stop_words() if is_cjk(w[:1])}
    return sorted(words, key=lambda word: (-len(word), word))


def _stem(word: str) -> str:
    return _STEMMER.stemWord(word) if word.isascii() and word.isalpha() and len(word) > 3 else word
