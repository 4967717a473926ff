"""How sure a prompted model is of a plan: a logistic curve over the mean log-probability of its tokens.

Each model needs a curve of its own. Until one is fitted (``chartroom measure … --calibrate``), the one of
``prompts/planner.yaml`` serves, which ranks plans but states no share of right ones. Curves are kept in
``calibration.json`` in Chartroom's folder, by model.
"""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from agent.answer import Model
from agent.measure.gold import Judged
from agent.paths import home
from agent.planning.prompt_text import Confidence, prompt_text
from knowledge.errors import ConfigError

_ADAPTER = TypeAdapter(dict[str, Confidence])
_LEAST = 5  # right and wrong answers that a curve is fitted to; fewer say nothing about the other kind
_STEPS = 50
_RIDGE = 1e-3
_LIMIT = 30.0  # of a logit, so that no confidence is exactly 0 or 1


def confidence(curve: Confidence, mean_logprob: float | None) -> float:
    """The confidence in a plan; 0 where the model gave no probabilities."""
    if mean_logprob is None:
        return 0.0
    return 1 / (1 + math.exp(-max(-_LIMIT, min(_LIMIT, curve.intercept + curve.slope * mean_logprob))))


def curve_of(model: Model) -> Confidence:
    """The curve of a model: its own where one was fitted.

    Raises:
        ConfigError: the file of curves is damaged.
    """
    return _kept().get(_key(model), prompt_text().confidence)


def keep_curve(model: Model, curve: Confidence) -> None:
    """Use a curve for a model from now on."""
    target = _file()
    arriving = target.with_suffix(".part")
    arriving.write_bytes(_ADAPTER.dump_json(_kept() | {_key(model): curve}, indent=1))
    os.replace(arriving, target)


def fitted(judged: Sequence[Judged], before: Confidence) -> Confidence:
    """A curve for which confidence is the share of right answers among plans of that confidence.

    Args:
        judged: of a run at risk 0.
        before: the curve that the run's confidences come from.

    Raises:
        ConfigError: there are too few right or wrong answers to tell.
    """
    answers = [one for one in judged if one.answered]
    right = [one.verdict == "right" for one in answers]
    wrong = len(right) - sum(right)
    if min(wrong, sum(right)) < _LEAST:
        raise ConfigError(
            f"{sum(right)} right and {wrong} wrong answers are too few to calibrate with; at least {_LEAST} of each "
            "are needed. Measure with more questions."
        )
    logprobs = [(_logit(one.confidence) - before.intercept) / before.slope for one in answers]
    intercept, slope = _regression(logprobs, right)
    if slope <= 0:  # no help in telling right from wrong: every answer is as sure as the average one
        intercept, slope = _logit(sum(right) / len(right)), 0.0
    obtained = f"fitted to {len(right)} answers, {wrong} of them wrong"
    return Confidence(obtained=obtained, intercept=intercept, slope=slope)


def _regression(values: Sequence[float], right: Sequence[bool]) -> tuple[float, float]:
    """Intercept and slope of a logistic regression on one variable, by Newton's method with a slight ridge."""
    middle = sum(values) / len(values)
    spread = math.sqrt(sum((x - middle) ** 2 for x in values) / len(values)) or 1.0
    scaled = [(x - middle) / spread for x in values]
    a = b = 0.0
    for _ in range(_STEPS):
        chances = [1 / (1 + math.exp(-max(-_LIMIT, min(_LIMIT, a + b * x)))) for x in scaled]
        weights = [p * (1 - p) for p in chances]
        slant_a = sum(y - p for y, p in zip(right, chances, strict=True)) - _RIDGE * a
        slant_b = sum((y - p) * x for y, p, x in zip(right, chances, scaled, strict=True)) - _RIDGE * b
        aa = sum(weights) + _RIDGE
        ab = sum(w * x for w, x in zip(weights, scaled, strict=True))
        bb = sum(w * x * x for w, x in zip(weights, scaled, strict=True)) + _RIDGE
        det = aa * bb - ab * ab
        step_a, step_b = (bb * slant_a - ab * slant_b) / det, (aa * slant_b - ab * slant_a) / det
        a, b = a + step_a, b + step_b
        if abs(step_a) + abs(step_b) < 1e-9:
            break
    return a - b * middle / spread, b / spread


def _logit(p: float) -> float:
    p = min(1 - 1e-9, max(1e-9, p))
    return math.log(p / (1 - p))


def _key(model: Model) -> str:
    return model.sha256 or model.name


def _file() -> Path:
    return home() / "calibration.json"


def _kept() -> dict[str, Confidence]:
    try:
        return _ADAPTER.validate_python(json.loads(_file().read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, ValidationError) as error:
        raise ConfigError(
            f"The calibrations {_file()} cannot be read ({type(error).__name__}). Delete the file and calibrate "
            "again with `chartroom measure … --calibrate`."
        ) from None
