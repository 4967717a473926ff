"""How sure a reading is: a calibrated probability from the classifier's scores.

The coefficients are in ``calibration.yaml``, written by ``python -m agent.planning.calibrate``.
"""

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict


class Calibration(BaseModel):
    """A logistic regression on ``Signs`` and the threshold below which the catalogue abstains."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    obtained: str
    threshold: float
    intercept: float
    coefficients: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells whether the best reading is right.

    Attributes:
        best: its score.
        margin: its distance from the next label.
        aside: the best score of any question that the tables do not answer.
    """

    best: float
    margin: float
    aside: float

    def row(self) -> tuple[float, float, float]:
        """As numbers, in the order of the coefficients."""
        return self.best, self.margin, self.aside


@cache
def calibration() -> Calibration:
    """The calibration that was measured last."""
    text = files("agent.planning").joinpath("calibration.yaml").read_text(encoding="utf-8")
    return Calibration.model_validate(yaml.safe_load(text))


def probability(signs: Signs) -> float:
    """The probability, 0 to 1, that the reading asks what the question asks."""
    fitted = calibration()
    logit = fitted.intercept + sum(w * x for w, x in zip(fitted.coefficients, signs.row(), strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
