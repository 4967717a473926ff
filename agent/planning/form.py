"""The compact form in which a model writes a plan; ``form_query`` turns it into a query and back.

It is a :class:`~agent.query.model.ClinicalQuery` in which everything that comes from the question is a
position in its :class:`~agent.planning.offer.Offer`: values, periods, stays, numbers. Positions start at 1.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agent.planning.link import TimeLink
from agent.planning.offer import Number, Offer, Offered, Who, pointed
from agent.query.model import (
    Balance,
    Count,
    Domain,
    Elapsed,
    Exists,
    Group,
    Operator,
    Pick,
    Readmission,
    Repeated,
    Rows,
    Statistic,
    Survival,
    Top,
    Trend,
)
from knowledge.errors import QueryRejected

Reason = Literal["action_request", "not_in_schema", "out_of_scope", "judgement", "low_confidence"]
Relation = Literal[
    "ever",
    "same_admission",
    "before",
    "after",
    "same_admission_before",
    "same_admission_after",
    "same_time",
    "same_name",
    "same_age",
]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ConditionForm(_Form):
    """A comparison with a linked number, or with one of the fixed ``word``s of a field.

    Attributes:
        op: as in the query, or ``decade`` of ``age``: from the number to nine above it ("in their sixties").
    """

    field: str
    op: Operator | Literal["decade"] = "="
    number: int | None = None
    upper: int | None = None
    word: str | None = None


class EventsForm(_Form):
    """A set of events; ``repeated`` and ``pick`` are those of the query itself."""

    domain: Domain
    values: tuple[int, ...] = ()
    period: int | None = None
    period_on: Literal["time", "end", "overlap"] = "time"
    stay: int | Literal["this"] | None = None
    where: tuple[ConditionForm, ...] = ()
    status: Literal["active", "ended"] | None = None
    repeated: Repeated | None = None
    pick: Pick | None = None


class RelatedForm(EventsForm):
    """Other events of the same patient, or, with ``whose``, of the question's patient while all are asked about."""

    relation: Relation = "ever"
    within_days: int | None = None
    within_months: int | None = None
    same: Literal["day", "month", "year"] | None = None
    negated: bool = False
    each: bool = False
    whose: Literal["patient"] | None = None


class ChangeForm(_Form):
    """The query's ``Change``, whose earlier value may be of other events."""

    ask: Literal["change"] = "change"
    earlier_of: EventsForm | None = None
    earlier: Pick = Pick(which="first")
    later: Pick = Pick(which="last")
    as_comparison: Literal["<", ">", "="] | None = None


class PercentileForm(_Form):
    """The query's ``Percentile`` of a linked number."""

    ask: Literal["percentile"] = "percentile"
    number: int


AskForm = Annotated[
    Rows
    | Count
    | Exists
    | Statistic
    | ChangeForm
    | Trend
    | Top
    | Group
    | Elapsed
    | Balance
    | Readmission
    | Survival
    | PercentileForm,
    Field(discriminator="ask"),
]


class _Head(_Form):
    action: Literal["query_records"]
    who: Who


class QueryForm(EventsForm, _Head):
    """Ask the tables; ``ask`` is that of the query, but for what it takes from the question."""

    related: tuple[RelatedForm, ...] = ()
    ask: AskForm


class SearchForm(_Form):
    """Search the notes; ``values`` are note types."""

    action: Literal["search_notes"]
    who: Who
    values: tuple[int, ...] = ()
    period: int | None = None


class ClarifyForm(_Form):
    """Ask back: which patient, or what is meant by a value."""

    action: Literal["clarify"]
    about: Literal["patient", "value"]
    value: int | None = None


class RefuseForm(_Form):
    """Decline."""

    action: Literal["refuse"]
    reason: Reason


PlanForm = Annotated[QueryForm | SearchForm | ClarifyForm | RefuseForm, Field(discriminator="action")]
_ADAPTER: TypeAdapter[PlanForm] = TypeAdapter(PlanForm)


def read_form(text: str) -> PlanForm:
    """The plan that a model wrote.

    Raises:
        QueryRejected: it is no plan; the message names the fields that are wrong and quotes no values.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        said = "; ".join(f"{'.'.join(str(p) for p in fault['loc'])}: {fault['msg']}" for fault in faults[:3])
        raise QueryRejected(f"The plan is not valid: {said}.") from None


def write_form(form: PlanForm) -> str:
    """A plan as a model is to write it: on one line, in the order of the schema, without defaults."""
    written = form.model_dump(mode="json", exclude_defaults=True)
    if isinstance(form, QueryForm):
        written["ask"] = {"ask": form.ask.ask, **written["ask"]}
    return json.dumps(written, separators=(",", ":"))


def values_of(form: PlanForm, offer: Offer) -> tuple[Offered, ...]:
    """The values that a plan points at, its related events' too.

    Raises:
        QueryRejected: a position points at nothing.
    """
    if isinstance(form, RefuseForm):
        return ()
    if isinstance(form, ClarifyForm):
        return () if form.value is None else (pointed(offer.values, form.value, "value"),)
    places = form.values if isinstance(form, SearchForm) else [p for part in _sets(form) for p in part.values]
    return tuple(pointed(offer.values, place, "value") for place in dict.fromkeys(places))


def times_of(form: PlanForm, offer: Offer) -> tuple[TimeLink, ...]:
    """The times that a plan points at.

    Raises:
        QueryRejected: a position points at nothing.
    """
    if not isinstance(form, QueryForm | SearchForm):
        return ()
    found: list[TimeLink] = []
    for part in _sets(form) if isinstance(form, QueryForm) else (form,):
        if part.period is not None:
            found.append(pointed(offer.periods, part.period, "period"))
        if isinstance(part, EventsForm) and isinstance(part.stay, int):
            found.append(pointed(offer.stays, part.stay, "stay"))
    return tuple(found)


def numbers_of(form: PlanForm, offer: Offer) -> tuple[Number, ...]:
    """The numbers that a plan points at or takes as a count.

    Raises:
        QueryRejected: a position points at nothing.
    """
    if not isinstance(form, QueryForm):
        return ()
    places = [
        place
        for part in _sets(form)
        for condition in part.where
        for place in (condition.number, condition.upper)
        if place is not None
    ]
    if isinstance(form.ask, PercentileForm):
        places.append(form.ask.number)
    named = [pointed(offer.numbers, place, "number") for place in places]
    counts = set(_whole(form.model_dump(include={"ask": True, "pick": True, "repeated": True})))
    for related in form.related:
        counts |= {within for within in (related.within_days, related.within_months) if within is not None}
    return (*named, *(number for number in offer.numbers if number[0] in counts))


def _sets(form: QueryForm) -> Iterator[EventsForm]:
    """All sets of events of a plan."""
    yield form
    yield from form.related
    if isinstance(form.ask, ChangeForm) and form.ask.earlier_of is not None:
        yield form.ask.earlier_of


def _whole(part: object) -> Iterator[int]:
    if isinstance(part, dict):
        for child in part.values():
            yield from _whole(child)
    elif isinstance(part, int) and not isinstance(part, bool):
        yield part
