"""A sentence about a result, with what it rests on and how its numbers were computed."""

from dataclasses import dataclass
from typing import Literal

OperationName = Literal[
    "count",
    "at_least",
    "min",
    "max",
    "mean",
    "median",
    "sum",
    "difference",
    "percent",
    "ratio",
    "share",
    "duration",
    "limit",
    "percentile",
    "asked",
    "rest",
    "searched",
]


@dataclass(frozen=True, slots=True)
class Operation:
    """A number that is computed.

    Attributes:
        name: how.
        inputs: indices into ``Outcome.evidence``; a difference is the last less the first, a ratio the last
            over the first.
        result: as exact as it was computed; the sentence shows it rounded.
    """

    name: OperationName
    inputs: tuple[int, ...]
    result: float


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, the indices of its evidence, and the operations behind its numbers."""

    text: str
    evidence: tuple[int, ...]
    operations: tuple[Operation, ...] = ()
