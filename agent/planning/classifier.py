"""Tells which intent (or which kind of other question) a masked question is, from the example questions.

A ridge regression on TF-IDF features with one output for each intent: it has a closed form, so it is trained
from the catalogue itself, and each example's leave-one-out scores are exact, which is what the confidence is
calibrated on (``calibrate.py``). What was trained is kept on disk (``weights.py``).
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from agent.planning.examples import examples
from agent.planning.features import damped, meanings, words
from agent.planning.weights import cached

Scores = NDArray[np.float32]
_RIDGE = 0.3  # chosen by leave-one-out accuracy, flat between 0.1 and 1
_EXTRACTORS: tuple[Callable[[str], Counter[str]], ...] = (meanings, words)


@dataclass(frozen=True, slots=True)
class Block:
    """TF-IDF of one kind of features.

    Attributes:
        columns: feature to column.
        idf: weight of each column.
        rarest: weight of a feature that no example has.
    """

    columns: Mapping[str, int]
    idf: NDArray[np.float32]
    rarest: float

    @classmethod
    def of(cls, counted: Sequence[Counter[str]]) -> "Block":
        """The features of counted texts."""
        documents = Counter(feature for counts in counted for feature in counts)
        idf = np.array([math.log(1 + len(counted) / n) for n in documents.values()], dtype=np.float32)
        columns = {feature: column for column, feature in enumerate(documents)}
        return cls(columns, idf, math.log(1 + len(counted)))

    def vector(self, counts: Counter[str]) -> NDArray[np.float32]:
        """A text's vector, of length 1, or shorter by what of it no example has."""
        row = np.zeros(len(self.columns), dtype=np.float32)
        unknown = 0.0
        for feature, count in counts.items():
            column = self.columns.get(feature)
            if column is not None:
                row[column] = damped(count) * self.idf[column]
            elif " " not in feature and "&" not in feature:
                unknown += self.rarest**2
        norm = math.sqrt(float(row @ row) + unknown)
        return row / norm if norm else row


class Classifier:
    """Scores masked questions with trained weights.

    Args:
        labels: the intents, and the asides with a leading ``!``; one column of ``weights`` each.
        blocks: the features.
        weights: one row for each feature of each block.
    """

    def __init__(self, labels: Sequence[str], blocks: Sequence[Block], weights: Scores) -> None:
        self.labels = tuple(labels)
        self.blocks = tuple(blocks)
        self.weights = weights

    @classmethod
    @cache
    def of_catalogue(cls) -> "Classifier":
        """Trained on all example questions of the catalogue and all asides, both languages together."""

        def train() -> Mapping[str, NDArray[np.generic]]:
            return Training.of_catalogue().classifier().arrays()

        return cls.of_arrays(cached(train))

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> "Classifier":
        """From what ``arrays`` gave."""
        blocks = []
        for place in range(len(_EXTRACTORS)):
            idf = arrays[f"idf{place}"].astype(np.float32)
            names = _unpack(arrays[f"features{place}"])
            columns = {feature: column for column, feature in enumerate(names)}
            blocks.append(Block(columns, idf, float(arrays[f"rarest{place}"])))
        return cls(_unpack(arrays["labels"]), blocks, arrays["weights"].astype(np.float32, copy=False))

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """Everything it consists of, as plain arrays."""
        found: dict[str, NDArray[np.generic]] = {"labels": _pack(self.labels), "weights": self.weights}
        for place, block in enumerate(self.blocks):
            found[f"features{place}"] = _pack(block.columns)
            found[f"idf{place}"] = block.idf
            found[f"rarest{place}"] = np.array(block.rarest)
        return found

    def scores(self, texts: Sequence[str]) -> Scores:
        """About 1 for the label that fits and 0 for the others, shape ``(len(texts), len(labels))``."""
        return np.stack([_row(text, self.blocks) for text in texts]) @ self.weights


class Training:
    """Labelled examples from which a classifier is trained.

    Args:
        texts: masked examples.
        labels: their intents, or asides with a leading ``!``.
    """

    def __init__(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        self.texts, self.gold = tuple(texts), tuple(labels)
        self.labels = tuple(dict.fromkeys(labels))
        counted = [[extract(text) for text in texts] for extract in _EXTRACTORS]
        self._blocks = [Block.of(counts) for counts in counted]
        self._features = np.hstack(
            [
                np.stack([block.vector(count) for count in counts])
                for block, counts in zip(self._blocks, counted, strict=True)
            ]
        )
        column = {label: place for place, label in enumerate(self.labels)}
        self._targets = np.zeros((len(texts), len(self.labels)))
        self._targets[np.arange(len(texts)), [column[label] for label in labels]] = 1

    @classmethod
    def of_catalogue(cls) -> "Training":
        """All example questions of the catalogue and all asides."""
        found = examples()
        return cls([example.masked for example in found], [example.label for example in found])

    @cached_property
    def _kernel(self) -> NDArray[np.float64]:
        kernel = (self._features @ self._features.T).astype(np.float64)
        kernel[np.diag_indices_from(kernel)] += _RIDGE
        return kernel

    def classifier(self) -> Classifier:
        """The classifier that fits the examples."""
        dual = np.linalg.solve(self._kernel, self._targets)
        return Classifier(self.labels, self._blocks, self._features.T @ dual.astype(np.float32))

    def leave_one_out(self) -> Scores:
        """The scores that each example would get from a classifier trained without it."""
        inverse = np.linalg.inv(self._kernel)
        dual = inverse @ self._targets
        return (self._targets - dual / np.diag(inverse)[:, None]).astype(np.float32)


def _row(text: str, blocks: Sequence[Block]) -> NDArray[np.float32]:
    return np.hstack(
        [block.vector(extract(text)) for block, extract in zip(blocks, _EXTRACTORS, strict=True)]
    )


def _pack(names: Sequence[str] | Mapping[str, int]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(names).encode(), dtype=np.uint8)


def _unpack(packed: NDArray[np.generic]) -> list[str]:
    return packed.astype(np.uint8).tobytes().decode().split("\n")
