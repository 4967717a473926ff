"""Whether "none" is said of measurements that were looked at: "none of 4 potassiums was below 3.5; the lowest was 3.8".

Where a limit is asked about and the values are on record, but none is beyond it, "no lab result is recorded" would
be false, and notes have nothing to add.
"""

from typing import Literal

from agent.query.model import ClinicalQuery, Condition, Events, Exists

_SIDES: dict[str, Literal["low", "high"]] = {"<": "low", "<=": "low", ">": "high", ">=": "high"}
LOOKED_AT = frozenset({"looked_at", "furthest"})
"""Roles of the evidence behind such a "no"."""
_MEASURED = frozenset({"lab", "vital", "output", "observation"})


def limit_of(events: Events) -> Condition | None:
    """The condition on the value, where it is one limit on one side: ``value < 3.5``, ``value = high``."""
    found = [condition for condition in events.where if condition.field == "value"]
    only = found[0] if len(found) == 1 else None
    return only if only is not None and _side(only) is not None else None


def side_of(events: Events) -> Literal["low", "high"]:
    """On which side of its limit a value is asked for."""
    limit = limit_of(events)
    return (_side(limit) if limit is not None else None) or "high"


def looks_among(query: ClinicalQuery) -> bool:
    """Whether a "no" rests on the measurements that were looked at."""
    ask, of = query.ask, query.of
    if not isinstance(ask, Exists) or ask.none:
        return False
    plain = query.patient is not None and of.domain in _MEASURED and of.pick is None and bool(of.concepts)
    return ask.among or (plain and limit_of(of) is not None)


def _side(condition: Condition) -> Literal["low", "high"] | None:
    if isinstance(condition.value, str):
        word = condition.value
        return word if condition.op == "=" and (word == "low" or word == "high") else None
    return _SIDES.get(condition.op)
