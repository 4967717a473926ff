"""Tells which intent (or which kind of other question) a masked question is, from the example questions.

A ridge regression on TF-IDF features with one output for each intent: it has a closed form, trains in a
second from the catalogue itself, and gives each example's leave-one-out scores exactly, which is what the
confidence is calibrated on (``calibrate.py``).
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from agent.answer import Language
from agent.planning.features import damped, meanings, words
from agent.planning.intent import load_asides, load_intents
from agent.planning.mask import mask_example

Scores = NDArray[np.float32]
_RIDGE = 0.3  # chosen by leave-one-out accuracy, flat between 0.1 and 1
_ASIDE = "!"  # labels of other questions: "!note", "!action", "!absent", "!outside"


class _Block:
    """TF-IDF vectors of one kind of features."""

    def __init__(self, extract: Callable[[str], Counter[str]], texts: Sequence[str]) -> None:
        self._extract = extract
        counted = [extract(text) for text in texts]
        documents = Counter(feature for counts in counted for feature in counts)
        self._idf = {feature: math.log(1 + len(texts) / n) for feature, n in documents.items()}
        self._rarest = math.log(1 + len(texts))
        self._columns = {feature: column for column, feature in enumerate(self._idf)}
        self.matrix = np.stack([self.vector(text) for text in texts])

    def vector(self, text: str) -> NDArray[np.float32]:
        """The text's vector, of length 1, or shorter by what of it no example has."""
        row = np.zeros(len(self._columns), dtype=np.float32)
        unknown = 0.0
        for feature, count in self._extract(text).items():
            column = self._columns.get(feature)
            if column is not None:
                row[column] = damped(count) * self._idf[feature]
            elif " " not in feature and "&" not in feature:
                unknown += self._rarest**2
        norm = math.sqrt(float(row @ row) + unknown)
        return row / norm if norm else row


class Classifier:
    """Scores masked questions against labelled examples.

    Args:
        texts: masked examples.
        labels: their intents, or asides with a leading ``!``.
    """

    def __init__(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        self.labels = tuple(dict.fromkeys(labels))
        self.texts, self.gold = tuple(texts), tuple(labels)
        self._blocks = [_Block(meanings, texts), _Block(words, texts)]
        self._features = np.hstack([block.matrix for block in self._blocks])
        targets = np.zeros((len(texts), len(self.labels)), dtype=np.float64)
        for row, label in enumerate(labels):
            targets[row, self.labels.index(label)] = 1
        kernel = (self._features @ self._features.T).astype(np.float64)
        kernel[np.diag_indices_from(kernel)] += _RIDGE
        self._inverse = np.linalg.inv(kernel)
        self._targets = targets
        dual = self._inverse @ targets
        self._dual = dual
        self._weights = (self._features.T @ dual).astype(np.float32)

    @classmethod
    @cache
    def of_catalogue(cls) -> "Classifier":
        """Trained on all example questions of the catalogue and all asides, both languages together."""
        languages: tuple[Language, ...] = ("en", "zh")
        examples = [
            (mask_example(text, language), intent.intent)
            for intent in load_intents()
            for language in languages
            for text in intent.examples(language)
        ]
        examples += [(mask_example(a.text, a.language), f"{_ASIDE}{a.kind}") for a in load_asides()]
        return cls([text for text, _ in examples], [label for _, label in examples])

    def scores(self, texts: Sequence[str]) -> Scores:
        """About 1 for the label that fits and 0 for the others, shape ``(len(texts), len(labels))``."""
        rows = np.stack([np.hstack([block.vector(text) for block in self._blocks]) for text in texts])
        return rows @ self._weights

    def leave_one_out(self) -> Scores:
        """The scores that each example would get from a classifier trained without it."""
        return (self._targets - self._dual / np.diag(self._inverse)[:, None]).astype(np.float32)
