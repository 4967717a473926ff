"""Fits the confidence of readings and says how good it is: ``python -m agent.planning.calibrate``.

The catalogue's examples and the further wordings were written by different authors. What is learnt from one is
tried on the other, and each half of the asides on the other half: questions of a user are like neither, so
this is the honest figure. A logistic regression on the signs of every second question gives the probability
of being right; the others measure it. Leave-one-out over all examples (``--loo``, slow) is reported beside it.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from agent.answer import Language
from agent.planning.classifier import Scores, Training
from agent.planning.confidence import Signs
from agent.planning.examples import ASIDE, LANGUAGES, Example, examples
from agent.planning.reading import intents, permit, signs_of

_STEPS = 2000
_RATE = 0.5
_DECAY = 1e-3
_BINS = 10
_CONTEXT = frozenset({"patient", "named", "period", "stay", "icu"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a question was read by a classifier that has not seen it."""

    text: str
    gold: str
    label: str
    signs: Signs
    language: Language

    @property
    def right(self) -> bool:
        """Whether the reading is the one that was meant."""
        return self.label == self.gold

    @property
    def aside(self) -> bool:
        """Whether the tables do not answer the question."""
        return self.gold.startswith(ASIDE)


def left_out(found: Sequence[Example]) -> list[Outcome]:
    """Each question, read by a classifier that was trained on all the others."""
    training = _training(found)
    return _outcomes(found, training.leave_one_out(), training.labels)


def across_authors(found: Sequence[Example]) -> list[Outcome]:
    """Each question, read by a classifier that was trained on the other author's (asides: the other half's)."""
    asides = [example for example in found if example.label.startswith(ASIDE)]
    tried: list[Outcome] = []
    for half, author in enumerate(("catalogue", "wordings")):
        known = [e for e in found if e.author == author and not e.label.startswith(ASIDE)] + asides[half::2]
        unknown = [e for e in found if e.author != author and not e.label.startswith(ASIDE)]
        unknown += asides[1 - half :: 2]
        classifier = _training(known).classifier()
        scores = classifier.scores([example.masked for example in unknown])
        tried += _outcomes(unknown, scores, classifier.labels)
    return tried


def _training(found: Iterable[Example]) -> Training:
    texts, labels = zip(*((example.masked, example.label) for example in found), strict=True)
    return Training(texts, labels)


def _outcomes(asked: Sequence[Example], scores: Scores, labels: Sequence[str]) -> list[Outcome]:
    found = []
    for example, row in zip(asked, scores, strict=True):
        text = example.masked
        present = Counter(kind for kind in re.findall(r"<(\w+)>", text) if kind not in _CONTEXT)
        has_time = any(f"<{word}>" in text for word in ("period", "stay", "icu"))
        signs, label = signs_of(permit(row, labels, present, has_time), labels)
        found.append(Outcome(text, example.label, label, signs, example.language))
    return found


def fit(rows: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Intercept and coefficients of a logistic regression, by gradient descent with a little decay."""
    weights, intercept = np.zeros(rows.shape[1]), 0.0
    for _ in range(_STEPS):
        error = 1 / (1 + np.exp(-(rows @ weights + intercept))) - right
        weights -= _RATE * (rows.T @ error / len(right) + _DECAY * weights)
        intercept -= _RATE * float(error.mean())
    return intercept, weights


def calibration_error(probabilities: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Expected calibration error over ten bins of equal width."""
    bins = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    return float(
        sum(
            abs(probabilities[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
            for b in range(_BINS)
            if (bins == b).any()
        )
    )


def accuracy(found: Sequence[Outcome], *, aside: bool) -> dict[str, float]:
    """The share that was read right, by language."""
    return {
        language: round(
            float(np.mean([o.right for o in found if o.language == language and o.aside == aside])), 3
        )
        for language in LANGUAGES
    }


def measure(found: Sequence[Outcome], threshold: float) -> dict[str, object]:
    """Fit on one half, measure on the other; everything that the report and the file need.

    Args:
        found: how questions were read.
        threshold: of the probability, above which tables are asked.
    """
    rows = np.array([outcome.signs.row() for outcome in found])
    right = np.array([outcome.right for outcome in found], dtype=np.float64)
    training = np.arange(len(found)) % 2 == 0
    intercept, weights = fit(rows[training], right[training])
    probabilities = 1 / (1 + np.exp(-(rows @ weights + intercept)))
    queries = np.array([outcome.label in intents() for outcome in found])
    aside = np.array([outcome.aside for outcome in found])
    answered = queries & (probabilities >= threshold)
    test = ~training
    return {
        "questions": len(found),
        "accuracy": accuracy(found, aside=False),
        "aside_accuracy": accuracy(found, aside=True),
        "ece": round(calibration_error(probabilities[test], right[test]), 3),
        "asides_answered_by_tables": round(float(answered[test & aside].mean()), 3),
        "questions_answered": round(float(answered[test & ~aside].mean()), 3),
        "precision_of_answered": round(float(right[test & answered].mean()), 3),
        "intercept": round(intercept, 4),
        "coefficients": [round(float(weight), 4) for weight in weights],
    }


THRESHOLD = 0.5
"""Above it a shown query with its assumptions is right more often than wrong, which pays at no extra risk."""


def main() -> None:
    """Print the measurements; with ``--write``, store the coefficients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace calibration.yaml")
    parser.add_argument("--loo", action="store_true", help="measure leaving one question out, too")
    given = parser.parse_args()
    found = examples()
    measured = measure(across_authors(found), THRESHOLD)
    print(yaml.safe_dump(measured, sort_keys=False, allow_unicode=True))  # noqa: T201 - a command's output
    if given.loo:
        print(yaml.safe_dump({"left out": measure(left_out(found), THRESHOLD)}, sort_keys=False))  # noqa: T201 - a command's output
    if given.write:
        obtained = (
            "python -m agent.planning.calibrate --write, on the questions of the author not learnt from"
        )
        kept = {"threshold": THRESHOLD, **{key: measured[key] for key in ("intercept", "coefficients")}}
        path = Path(__file__).with_name("calibration.yaml")
        path.write_text(yaml.safe_dump({"obtained": obtained, **kept}, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()
