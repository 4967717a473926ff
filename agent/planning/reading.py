"""Which intent a linked question is: the classifier's scores, restricted to what the links make possible."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from agent.answer import Language
from agent.planning.classifier import Classifier, Scores
from agent.planning.confidence import Signs, probability
from agent.planning.examples import ASIDE
from agent.planning.features import meanings
from agent.planning.intent import Intent, kind_of, load_intents
from agent.planning.link import Link, Linked
from agent.planning.mask import Masked, mask_question

_UNUSED_LINK = 0.3  # what a linked value that the intent has no slot for takes off its score
_NO_PATIENT = 0.05  # what questions about one patient lose where none is open or named
_ONE_PATIENT = 0.15  # what questions about many lose where one is open and nothing says "many"
_LESSER_KIND = 4.0  # how much a mention counts against a kind, by the lead of its best candidate of any kind
_MOST_AGAINST = 0.3
_FREE = frozenset({"note_type", "n"})  # may stay unused: words such as "CT", numbers inside other phrases


@dataclass(frozen=True, slots=True)
class Reading:
    """The best reading of a question.

    Attributes:
        label: an intent's name, or ``!note``, ``!action``, ``!absent``, ``!outside``.
        masked: the reading of its mentions.
        confidence: calibrated, of the label.
        signs: what the confidence rests on.
        aside: which other question it is most like.
    """

    label: str
    masked: Masked
    confidence: float
    signs: Signs
    aside: str

    @property
    def intent(self) -> Intent | None:
        """The intent, or ``None`` for an aside."""
        return intents().get(self.label)


@cache
def intents() -> Mapping[str, Intent]:
    """The catalogue by name."""
    return {intent.intent: intent for intent in load_intents()}


def read(question: str, linked: Linked, language: Language, *, has_patient: bool) -> Reading:
    """The best reading of a question.

    Args:
        question: as cleaned.
        linked: what it names.
        language: of the question.
        has_patient: a patient is open or named; without one, questions about one patient are less likely.
    """
    classifier = Classifier.of_catalogue()
    variants = mask_question(question, linked, language)
    scores = classifier.scores([variant.text for variant in variants])
    best: Reading | None = None
    for variant, row in zip(variants, scores, strict=True):
        present = Counter(kind for kind in variant.kinds if kind)
        present["n"] = len(linked.numbers)
        allowed = permit(row, classifier.labels, present, bool(linked.times)) - _against(linked, variant)
        if has_patient and "many" not in meanings(variant.text):
            many = [name in intents() and intents()[name].patient == "many" for name in classifier.labels]
            allowed[many] -= _ONE_PATIENT
        if not has_patient:
            one = [name in intents() and intents()[name].patient == "one" for name in classifier.labels]
            allowed[one] -= _NO_PATIENT
        signs, label = signs_of(allowed, classifier.labels)
        if best is None or signs.best > best.signs.best:
            asides = [name.startswith(ASIDE) for name in classifier.labels]
            aside = classifier.labels[int(np.argmax(np.where(asides, allowed, -1)))]
            best = Reading(label, variant, probability(signs), signs, aside)
    assert best is not None  # mask_question gives one reading at least
    return best


def _against(linked: Linked, variant: Masked) -> float:
    """What speaks against taking mentions as the kinds that this variant takes them as."""
    found = 0.0
    for link, kind in zip(linked.values, variant.kinds, strict=True):
        scores = [candidate.score for candidate in link.candidates if kind_of(candidate) == kind]
        if kind is not None and scores:
            lead = max(candidate.score for candidate in link.candidates) - max(scores)
            found += min(_MOST_AGAINST, _LESSER_KIND * lead)
        if kind == "allergen" and len(kinds_of(link)) > 1 and "allergy" not in meanings(variant.text):
            found += _MOST_AGAINST  # a drug is an allergen only in a question about allergies
    return found


def kinds_of(link: Link) -> set[str]:
    """The slots that a mention may fill."""
    return {kind for candidate in link.candidates if (kind := kind_of(candidate)) is not None}


def permit(row: Scores, labels: Sequence[str], present: Mapping[str, int], has_time: bool) -> Scores:
    """Scores of one reading with the impossible intents ruled out and links left unused charged for.

    Args:
        row: scores of all labels.
        labels: which label each column is.
        present: how many links of each kind the reading has (``n``: numbers).
        has_time: the question names a time.
    """
    allowed = row.copy()
    for column, label in enumerate(labels):
        intent = intents().get(label)
        if intent is None:
            continue
        needed = Counter(_kind(slot.kind) for slot in intent.slots if slot.required)
        taken = Counter(_kind(slot.kind) for slot in intent.slots)
        if any(present.get(kind, 0) < n for kind, n in needed.items()) or (
            intent.needs_time and not has_time
        ):
            allowed[column] = -1.0
            continue
        unused = sum(max(0, n - taken[kind]) for kind, n in present.items() if kind not in _FREE)
        allowed[column] -= _UNUSED_LINK * unused
    return allowed


def signs_of(allowed: Scores, labels: Sequence[str]) -> tuple[Signs, str]:
    """What speaks for the best label, and that label."""
    order = np.argsort(allowed)[::-1]
    asides = [column for column, label in enumerate(labels) if label.startswith(ASIDE)]
    label = labels[int(order[0])]
    others = [column for column in asides if column != order[0]]
    return (
        Signs(
            best=float(allowed[order[0]]),
            margin=float(allowed[order[0]] - allowed[order[1]]),
            aside=float(max(allowed[column] for column in others)),
        ),
        label,
    )


def _kind(kind: str) -> str:
    return "n" if kind == "number" else kind
