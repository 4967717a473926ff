"""What a mention is: where a text names a thing, and what it says of it."""

from dataclasses import dataclass
from typing import Literal

Assertion = Literal["present", "negated", "possible", "historical", "family", "hypothetical", "conditional"]
Experiencer = Literal["patient", "family", "other"]


@dataclass(frozen=True, slots=True)
class Mention:
    """``source[start:end] == text`` names a concept, or is a target that somebody asked to judge.

    Attributes:
        concept: id of the concept; None for a target that is none, and where ``candidates`` are left open.
        type: of the concept; where the candidates differ in it, None.
        assertion: ``historical`` is over or long known; ``hypothetical`` may come; ``conditional`` comes
            only under the circumstance that the text gives; ``family`` is affirmed of a relative.
        experiencer: whose it is; a negated mention of a relative is ``negated`` and ``family``.
        time: as ISO date where the sentence gives one, else in its words; None where it gives none.
        candidates: ids of the concepts that it may be, where the text does not tell them apart.
    """

    start: int
    end: int
    text: str
    concept: str | None
    type: str | None
    assertion: Assertion
    experiencer: Experiencer
    time: str | None
    candidates: tuple[str, ...] = ()
