"""The JSON Schema of what can be asked of the events of a domain: the ``ask`` of a plan.

What does not depend on the domain is defined once (``SHARED``) and referred to: a server compiles the schema of
each question anew.
"""

from collections.abc import Iterable, Mapping
from typing import get_args

from agent.planning.askable import Askable
from agent.planning.schema_parts import Schema, const, list_of, object_of, one_of, ref
from agent.query.model import Bucket, Unit

_FIELDS = 6  # the most in a list
_SURVIVED_DAYS = (7, 14, 28, 30, 60, 90, 91, 180, 182, 365, 730, 1095, 1825)  # as studies report them
_COUNTED = ("count", "patients", "admissions")
_FUNCTIONS = ("mean", "min", "max", "sum", "median")
_PERIODS = ("patient", "admission", "day", "month", "year")


def _ask(kind: str, required: Mapping[str, Schema] | None = None, **optional: Schema) -> Schema:
    return object_of({"ask": const(kind), **(required or {}), **optional}, optional)


SHARED: Mapping[str, Schema] = {
    "ask-count": _ask("count", of=one_of(["names", "patients", "admissions"])),
    "ask-exists": _ask("exists", none=const(True)),
    "ask-trend": _ask("trend"),
    "ask-counted": _ask(
        "statistic", {"function": one_of(_FUNCTIONS), "per": one_of(_PERIODS), "inner": one_of(_COUNTED)}
    ),
    "ask-survival": _ask(
        "survival", {"days": one_of(_SURVIVED_DAYS)}, by=const("name"), n=ref("count"), show_rate=const(False)
    ),
    "ask-since": _ask("elapsed", unit=one_of(get_args(Unit))),
    "ask-duration": _ask("elapsed", unit=one_of(get_args(Unit)), what=const("duration")),
    "ask-balance": _ask("balance", per=const("day")),
    "ask-readmission": _ask("readmission", days=ref("count"), bucket=one_of(get_args(Bucket))),
}
"""Definitions; they refer to ``count``."""


def asks(at: Askable, earlier_of: Schema, numbers: int) -> Iterable[Schema]:
    """What can be asked of a domain.

    Args:
        at: the domain, with its definitions ``fields-…`` and ``worded-…``, ``pick-measured`` and ``SHARED``.
        earlier_of: the events that the earlier value of a change may be of.
        numbers: how many numbers the question has.
    """
    fields, worded = ref(f"fields-{at.domain}"), ref(f"worded-{at.domain}")
    yield _ask(
        "rows",
        {"fields": list_of(fields, _FIELDS)},
        also=list_of(fields, _FIELDS),
        distinct=const(False),
        order=one_of(["time_desc", *(["value", "value_desc"] if at.measured else [])]),
        limit=ref("count"),
    )
    yield from map(ref, ("ask-count", "ask-exists", "ask-counted", "ask-survival"))
    if at.numeric:
        yield _figures(at)
    if at.measured:
        side = ref("pick-measured")
        compared = one_of(["<", ">", "="])
        yield _ask("change", earlier_of=earlier_of, earlier=side, later=side, as_comparison=compared)
        yield ref("ask-trend")
        yield from percentiles(numbers)
    by = ["patients", *(["cost"] if "cost" in at.fields else [])]
    yield _ask("top", n=ref("count"), field=worded, by=one_of(by), show_count=const(False))
    yield from _groups(at, worded)
    yield ref("ask-duration" if at.ends else "ask-since")
    if at.domain == "input":
        yield ref("ask-balance")
    if at.domain == "admission":
        yield ref("ask-readmission")


def percentiles(numbers: int) -> Iterable[Schema]:
    """Where one of the question's numbers stands among the values."""
    if numbers:
        yield _ask("percentile", {"number": one_of(range(1, numbers + 1))})


def _figures(at: Askable) -> Schema:
    function = {"function": one_of(_FUNCTIONS)}
    rest = {"per": one_of(_PERIODS), "inner": one_of(["mean", "min", "max", *_COUNTED])}
    field = {"field": one_of(at.numeric)}
    if at.measured:  # the value unless another field is named
        return _ask("statistic", function, **field, **rest)
    return _ask("statistic", function | field, **rest)


def _groups(at: Askable, worded: Schema) -> Iterable[Schema]:
    rest: dict[str, Schema] = {"series": worded}
    if at.numeric:
        rest["figure"] = one_of(["patients", "admissions", "mean", "min", "max", "sum"])
        rest["field"] = one_of(at.numeric)
    else:
        rest["figure"] = one_of(["patients", "admissions"])
    rest |= {"share": const(True), "show_group": const(False)}
    yield _ask("group", {"by": worded}, **rest)
    yield _ask("group", {"bucket": one_of(get_args(Bucket))}, **rest)
