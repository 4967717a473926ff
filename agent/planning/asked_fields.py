"""Which fields a question asks for, where a planner lists more or fewer: "when did he leave the ICU?", "… and when?".

The words are in ``asked_fields.yaml``. Only the fields of a list of rows are set right; what is asked of which events
is the planner's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml

from agent.answer import Language
from agent.planning.times import half_width
from agent.query.model import ClinicalQuery, Rows

_MEASURED = frozenset({"lab", "vital", "output", "observation"})
_OF_A_STAY = frozenset({"careunit", "time", "end"})


@dataclass(frozen=True, slots=True)
class _Words:
    when: re.Pattern[str]
    left: re.Pattern[str]
    entered: re.Pattern[str]
    both: re.Pattern[str]
    highest: re.Pattern[str]
    lowest: re.Pattern[str]
    ordinal: re.Pattern[str]
    states: re.Pattern[str]


def fields_asked(question: str, language: Language, query: ClinicalQuery) -> ClinicalQuery:
    """The query with the fields that the question asks for; of the extreme, or of both states, where those are asked.

    Args:
        question: as cleaned.
        language: of the question.
        query: as planned.
    """
    ask, of, words = query.ask, query.of, _words()[language]
    text = half_width(question).lower()
    if not isinstance(ask, Rows):
        return query
    if of.status is not None and words.states.search(text):
        ask = ask.model_copy(update={"fields": tuple(dict.fromkeys((*ask.fields, "time", "end")))})
        return query.model_copy(update={"ask": ask, "of": of.model_copy(update={"status": None})})
    extreme = _extreme(text, words)
    pick = of.pick
    if extreme and of.domain in _MEASURED and pick is not None and pick.which in ("first", "last"):
        of = of.model_copy(update={"pick": pick.model_copy(update={"which": extreme, "n": 1})})
        query = query.model_copy(update={"of": of})
    asked: tuple[str, ...] = ask.fields
    side = _side(text, words)
    if of.domain == "icu_stay" and side is not None and set(asked) <= _OF_A_STAY:
        asked = (side,)
    elif (
        of.domain in _MEASURED
        and of.pick is not None
        and asked in (("time",), ("value",))
        and words.both.search(text)
    ):
        asked = ("value", "time")
    return (
        query
        if asked == ask.fields
        else query.model_copy(update={"ask": ask.model_copy(update={"fields": asked})})
    )


def is_other_stay(question: str, language: Language, query: ClinicalQuery) -> bool:
    """Whether a query is of the admission, although the question asks when the ICU was entered or left."""
    side = _side(half_width(question).lower(), _words()[language])
    return side is not None and query.of.domain == "admission"


def _side(text: str, words: _Words) -> str | None:
    """``end`` or ``time`` of an ICU stay, where the question asks for just one of them."""
    if not words.when.search(text):
        return None
    left, entered = words.left.search(text), words.entered.search(text)
    return None if bool(left) == bool(entered) else "end" if left else "time"


def _extreme(text: str, words: _Words) -> Literal["max", "min"] | None:
    """Which extreme value a question asks for, where it asks for one and names no order in time."""
    high, low = words.highest.search(text), words.lowest.search(text)
    if bool(high) == bool(low) or words.ordinal.search(text):
        return None
    return "max" if high else "min"


@cache
def _words() -> Mapping[Language, _Words]:
    path = files("agent.planning").joinpath("asked_fields.yaml")
    content: dict[Language, dict[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        language: _Words(**{name: re.compile(pattern) for name, pattern in raw.items()})
        for language, raw in content.items()
    }
