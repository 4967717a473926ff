"""Fits the confidence of readings and says how good it is: ``python -m agent.planning.calibrate``.

Every example question and every aside is classified by a classifier trained without it (exactly, in closed
form). A logistic regression on the signs of one half gives the probability of being right; the other half
measures it. Nothing random: the halves are every second question.
"""

import argparse
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from agent.answer import Language
from agent.language import language_of
from agent.planning.classifier import Training
from agent.planning.confidence import Signs
from agent.planning.reading import intents, permit, signs_of

_STEPS = 2000
_RATE = 0.5
_DECAY = 1e-3
_BINS = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What leaving one question out gave."""

    text: str
    gold: str
    label: str
    signs: Signs

    @property
    def right(self) -> bool:
        """Whether the reading is the one that was meant."""
        return self.label == self.gold

    @property
    def aside(self) -> bool:
        """Whether the tables do not answer the question."""
        return self.gold.startswith("!")

    @property
    def language(self) -> Language:
        """Of the question."""
        return language_of(re.sub(r"<\w+>", "", self.text))


def outcomes(classifier: Training) -> list[Outcome]:
    """Each question of the catalogue, read by a classifier that has not seen it."""
    found = []
    for text, gold, row in zip(classifier.texts, classifier.gold, classifier.leave_one_out(), strict=True):
        present = Counter(kind for kind in re.findall(r"<(\w+)>", text) if kind not in _CONTEXT)
        has_time = any(f"<{word}>" in text for word in ("period", "stay", "icu"))
        signs, label = signs_of(permit(row, classifier.labels, present, has_time), classifier.labels)
        found.append(Outcome(text, gold, label, signs))
    return found


_CONTEXT = frozenset({"patient", "named", "period", "stay", "icu"})


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


def measure(classifier: Training) -> dict[str, object]:
    """Fit on one half, measure on the other; everything that the report and the file need."""
    found = outcomes(classifier)
    rows = np.array([outcome.signs.row() for outcome in found])
    right = np.array([outcome.right for outcome in found], dtype=np.float64)
    training = np.arange(len(found)) % 2 == 0
    intercept, weights = fit(rows[training], right[training])
    probabilities = 1 / (1 + np.exp(-(rows @ weights + intercept)))
    queries = np.array([outcome.label in intents() for outcome in found])
    threshold = _threshold(probabilities[training & queries], right[training & queries])
    test = ~training
    aside = np.array([outcome.aside for outcome in found])
    answered = queries & (probabilities >= threshold)
    in_language = {name: np.array([o.language == name for o in found]) for name in ("en", "zh")}
    return {
        "intents": len(intents()),
        "questions": len(found),
        "accuracy": {n: round(float(right[m & ~aside].mean()), 3) for n, m in in_language.items()},
        "aside_accuracy": {n: round(float(right[m & aside].mean()), 3) for n, m in in_language.items()},
        "ece": round(calibration_error(probabilities[test], right[test]), 3),
        "asides_answered_by_tables": round(float(answered[test & aside].mean()), 3),
        "questions_answered": round(float(answered[test & ~aside].mean()), 3),
        "precision_of_answered": round(float(right[test & answered].mean()), 3),
        "threshold": threshold,
        "intercept": round(intercept, 4),
        "coefficients": [round(float(weight), 4) for weight in weights],
    }


def _threshold(probabilities: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """The threshold with the most right answers less twice the wrong ones."""
    choices = np.round(np.arange(0.3, 0.95, 0.01), 2)
    gains = [float(((2 * (right - 1) + right) * (probabilities >= choice)).sum()) for choice in choices]
    return float(choices[int(np.argmax(gains))])


def main() -> None:
    """Print the measurements; with ``--write``, store the coefficients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace calibration.yaml")
    write = parser.parse_args().write
    measured = measure(Training.of_catalogue())
    print(yaml.safe_dump(measured, sort_keys=False, allow_unicode=True))  # noqa: T201 - a command's output
    if write:
        kept = {key: measured[key] for key in ("threshold", "intercept", "coefficients")}
        obtained = "python -m agent.planning.calibrate --write, on the catalogue's leave-one-out scores"
        path = Path(__file__).with_name("calibration.yaml")
        path.write_text(yaml.safe_dump({"obtained": obtained, **kept}, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()
