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
_ALONE = 0.85


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
        rival: probability of all other scripts that were followed, by that of the best.
        strange: 1 if an English word of the question never stood in an answerable one.
        stranger: how many such words there are, at most 2.
        strange_han: share of its pairs of Chinese characters that never did.
        against: how much its most suspicious word speaks for a question that the tables do not answer.
        unheard: how strongly words of the question call for what the script lacks (``calls.py``), at most 1.5.
        loud: by how much that is more than one word alone can be wrong about.
        many: 1 for a question about many patients.
        bare: 1 for a script that follows no name of the question.
    """

    doubt: float
    rival: float
    strange: float
    stranger: float
    strange_han: float
    against: float
    unheard: float
    loud: float
    many: float
    bare: float


def signs_of(written: Sequence[Written], text: str) -> Signs:
    """The signs of the first of several scripts.

    Args:
        written: scripts of one question, the best first.
        text: the question, delexicalised.
    """
    best = written[0]
    english, han = lexicon().foreign(text)
    unheard = calls().unheard(text, best.tokens)
    return Signs(
        doubt=-max(_FLOOR, best.logprob),
        rival=min(2.0, sum(math.exp(max(_FLOOR, other.logprob - best.logprob)) for other in written[1:])),
        strange=float(english > 0),
        stranger=min(2, english),
        strange_han=han,
        against=lexicon().against(text),
        unheard=unheard,
        loud=max(0.0, unheard - _ALONE),
        many=float(best.tokens[:1] == ("all",)),
        bare=float(not any(token[0] == "v" and token[1:].isdigit() for token in best.tokens)),
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
