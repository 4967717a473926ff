"""Which sentences of a note bear on a question.

Search finds passages; this reads them. A question is about a few things (``Term``): clinical concepts with all
their names in both languages, topics of a record in the words that notes use for them (``topics.tsv``), and
what other content words it has. A sentence's relevance is the share of these that it mentions, each weighted
by how rare it is among the sentences read (inverse document frequency). The meaning of the whole (cosine of
sentence embeddings) supports what words alone would miss.
"""

import csv
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

from indexes.tokens import is_cjk, stop_words, tokenise

RELATED_WEIGHT = 0.75
"""A sentence on the same topic in other words ("Lives with her son" for "alone") counts so much."""
CONTEXT_WEIGHT = 0.5
"""What only the heading, the title or the type of the note says counts so much ("CHEST X-RAY: lungs clear")."""
MEANING_WEIGHT = 0.5
MEANING_FLOOR = 0.2
"""Cosines of unrelated clinical sentences under MiniLM lie around this value."""
CONCLUSION_WEIGHT = 0.9
"""The same under a heading that concludes ("IMPRESSION"): that is what the report says of its subject."""
UNSAID = 6
"""A word that no sentence has weighs as if so many had it: the notes may say it otherwise."""
ANOTHER_SUBJECT = 0.4
"""Factor for a sentence that names none of the clinical concepts that the question names."""
HYPOTHETICAL_FACTOR = 0.6
"""A condition or instruction ("If febrile, repeat CXR") is no statement of what is, unless that was asked."""
LONGEST_FORM = 4

Synonyms = Callable[[str], Iterable[tuple[int, int, Sequence[str]]]]

_STEMMER = snowballstemmer.stemmer("english")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that the question is about.

    Attributes:
        forms: how the question, or a synonym of it, names it (as ``phrase`` gives them).
        related: how a note may speak of the same topic otherwise.
        concept: whether it is a clinical concept, without which a sentence is about something else.
    """

    forms: frozenset[str]
    related: frozenset[str] = frozenset()
    concept: bool = False

    def weight_in(self, body: str, context: str, section: str) -> float:
        """How well a sentence, its section's title and all that stands above it mention this, 0 to 1."""
        if any(f" {form} " in body for form in self.forms):
            return 1.0
        if any(f" {form} " in body for form in self.related):
            return RELATED_WEIGHT
        if not any(f" {form} " in context for form in self.forms | self.related):
            return 0.0
        return CONCLUSION_WEIGHT if _has(section, "conclusion") else CONTEXT_WEIGHT


def terms(question: str, synonyms: Synonyms) -> list[Term]:
    """What a question is about.

    Args:
        question: in English or Chinese.
        synonyms: gives, for a text, spans that name a clinical concept with all names of that concept.
    """
    found: list[Term] = []
    rest = list(question)
    for start, end, names in synonyms(question):
        rest[start:end] = " " * (end - start)
        forms = frozenset(key for name in (question[start:end], *names) if (key := phrase(name)))
        found.append(
            Term(forms, frozenset().union(*(_topics().get(form, ()) for form in forms)) - forms, concept=True)
        )
    by_topic: dict[frozenset[str], set[str]] = {}
    for form in _units("".join(rest)):
        topic = _topics().get(form)
        if topic is None:
            found.append(Term(frozenset((form,))))
        else:
            by_topic.setdefault(topic, set()).add(form)
    found += [Term(frozenset(forms), topic - forms) for topic, forms in by_topic.items()]
    return list(dict.fromkeys(term for term in found if term.forms))


def phrase(text: str) -> str:
    """A form that can be looked up in ``searchable`` text: stemmed words between single spaces."""
    return " ".join(_stem(token.text) for token in tokenise(text))


def searchable(text: str) -> str:
    """A text in which ``f" {form} "`` is found exactly where the form occurs as whole words."""
    return f" {phrase(text)} "


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence to be scored; all three as ``searchable`` gives them.

    Attributes:
        body: the sentence.
        section: the title of its section.
        context: all that stands above it: section, first line, title and type of the note.
    """

    body: str
    section: str = " "
    context: str = " "


def word_scores(question: str, about: Sequence[Term], passages: Sequence[Passage]) -> list[float]:
    """Share of the question's terms that each sentence mentions, 0 to 1."""
    mentions = np.array(
        [[term.weight_in(p.body, p.context, p.section) for term in about] for p in passages]
    ).reshape(len(passages), len(about))
    present = (mentions >= RELATED_WEIGHT).sum(axis=0)
    rarity = np.array([math.log(1 + (len(passages) + 1) / ((n or UNSAID) + 0.5)) for n in present])
    total = float(rarity.sum()) or 1.0
    scores = mentions @ rarity / total
    concepts = [i for i, term in enumerate(about) if term.concept]
    if concepts:
        scores *= np.where(mentions[:, concepts].any(axis=1), 1.0, ANOTHER_SUBJECT)
    if not _has(searchable(question), "asks for instructions"):
        scores *= [HYPOTHETICAL_FACTOR if _has(p.body, "hypothetical") else 1.0 for p in passages]
    return [float(x) for x in scores]


def with_meaning(words: Sequence[float], meaning: NDArray[np.float32]) -> list[float]:
    """Word scores supported by the cosine of question and sentence, shape ``(len(words),)``."""
    near = np.clip((meaning - MEANING_FLOOR) / (1 - MEANING_FLOOR), 0.0, 1.0)
    mixed = (1 - MEANING_WEIGHT) * np.asarray(words) + MEANING_WEIGHT * near
    return [float(x) for x in mixed]


def _units(text: str) -> list[str]:
    """Content of a text: forms of topics, longest first, then words; a run of CJK characters gives its pairs."""
    tokens = [(_stem(token.text), token) for token in tokenise(text)]
    units: list[str] = []
    position = 0
    while position < len(tokens):
        for length in range(min(LONGEST_FORM, len(tokens) - position), 0, -1):
            form = " ".join(stem for stem, _ in tokens[position : position + length])
            if form in _topics() or (form in _asking() and (length > 1 or not is_cjk(form))):
                break
        else:
            length, form = 1, tokens[position][0]
        if form in _topics():
            units.append(form)
        elif form not in _asking() and tokens[position][1].text not in stop_words():
            units.append(form if not is_cjk(form) else f"\0{form}")
        else:
            units.append("\1")
        position += length
    return _paired(units)


def _paired(units: Sequence[str]) -> list[str]:
    """Joins neighbouring single characters into pairs; a character that stands alone stays."""
    joined: list[str] = []
    run: list[str] = []
    for unit in (*units, "\1"):
        if unit.startswith("\0"):
            run.append(unit[1:])
            continue
        joined += [" ".join(pair) for pair in pairwise(run)] or run
        run = []
        if unit != "\1":
            joined.append(unit)
    return list(dict.fromkeys(joined))


def _stem(word: str) -> str:
    return _STEMMER.stemWord(word) if word.isascii() and word.isalpha() and len(word) > 3 else word


@cache
def _topics() -> dict[str, frozenset[str]]:
    """Each form of each topic to all forms of the topics that it belongs to."""
    by_form: dict[str, frozenset[str]] = {}
    for row in _table("topics.tsv"):
        forms = frozenset(phrase(f) for f in (*row["forms_en"].split("|"), *row["forms_zh"].split("|")) if f)
        for form in forms:
            by_form[form] = by_form.get(form, frozenset()) | forms
    return by_form


@cache
def _asking() -> frozenset[str]:
    return frozenset(phrase(row["word"]) for row in _table("asking_words.tsv"))


def _has(text: str, kind: str) -> bool:
    return any(f" {form} " in text for form in _reading(kind))


@cache
def _reading(kind: str) -> frozenset[str]:
    return frozenset(phrase(row["form"]) for row in _table("reading.tsv") if row["kind"] == kind)


def _table(name: str) -> list[dict[str, str]]:
    text = files("agent").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))
