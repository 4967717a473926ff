"""How sure a plan of the bundled planner is: a calibrated probability.

The coefficients are in ``calibration.yaml``, written by ``python -m agent.bundled.calibrate`` from questions
that the network was not trained on.
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

from agent.bundled.calls import calls
from agent.bundled.decoder import Written
from agent.bundled.lexicon import lexicon

_FLOOR = -8.0  # log-probabilities below are as bad


class Calibration(BaseModel):
    """A logistic regression on :class:`Signs`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    obtained: str
    intercept: float
    coefficients: dict[str, float]


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells whether a plan asks what the question asks.

    Attributes:
        doubt: how far the script is from certain: minus its log-probability, at most 8.
        least: the same of its least sure token.
        rival: probability of all other scripts that were followed, by that of the best.
        unused: names and times of the question that the plan leaves out.
        numbers: numbers that it leaves out.
        absent: names that it uses and that the store never recorded.
        foreign: words of the question that never stood in an answerable one, at most 3.
        against: how much its most suspicious word speaks for a question that the tables do not answer.
        length: tokens of the script, in tens.
        unheard: how strongly words of the question call for what the script lacks (``calls.py``), at most 1.5.
    """

    doubt: float
    least: float
    rival: float
    unused: float
    numbers: float
    absent: float
    foreign: float
    against: float
    length: float
    unheard: float


def signs_of(
    written: Sequence[Written], *, unused: int, numbers: int, absent: int, text: str
) -> Signs:
    """The signs of the first of several scripts.

    Args:
        written: scripts of one question, the likeliest first.
        unused: names and times that the first leaves out.
        numbers: numbers that it leaves out.
        absent: names that it uses and that the store never recorded.
        text: the question, delexicalised.
    """
    best = written[0]
    rival = sum(math.exp(max(_FLOOR, other.logprob - best.logprob)) for other in written[1:])
    return Signs(
        doubt=-max(_FLOOR, best.logprob),
        least=-max(_FLOOR, best.least),
        rival=min(2.0, rival),
        unused=min(2, unused),
        numbers=min(2, numbers),
        absent=min(2, absent),
        foreign=min(3, lexicon().foreign(text)),
        against=lexicon().against(text),
        length=len(best.tokens) / 10,
        unheard=calls().unheard(text, best.tokens),
    )


@cache
def calibration() -> Calibration:
    """The calibration that was measured last."""
    text = files("agent.bundled").joinpath("calibration.yaml").read_text(encoding="utf-8")
    return Calibration.model_validate(yaml.safe_load(text))


def probability(signs: Signs) -> float:
    """The probability, 0 to 1, that the plan asks what the question asks."""
    fitted = calibration()
    names = Signs.__dataclass_fields__
    logit = fitted.intercept + sum(
        fitted.coefficients[name] * value for name, value in zip(names, astuple(signs), strict=True)
    )
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
