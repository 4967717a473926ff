"""The compact form in which a model writes a plan, and the way from it to a query and back.

It is a :class:`~agent.query.model.ClinicalQuery` in which everything that comes from the question is a
position in its :class:`~agent.planning.offer.Offer`: values, periods, stays, numbers. Positions start at 1.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agent.planning.link import TimeLink
from agent.planning.offer import Number, Offer, Offered, Who
from agent.planning.plan import SearchNotes
from agent.query.model import (
    Ask,
    ClinicalQuery,
    Concept,
    Condition,
    Domain,
    Encounter,
    Events,
    Operator,
    Pick,
    Related,
    Window,
)
from knowledge.errors import QueryRejected

Reason = Literal["action_request", "not_in_schema", "out_of_scope", "judgement", "low_confidence"]
_THIS = Encounter(which="this")
_T = TypeVar("_T")


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ConditionForm(_Form):
    """A comparison with a linked number, or with one of the fixed ``word``s of a field."""

    field: str
    op: Operator = "="
    number: int | None = None
    upper: int | None = None
    word: str | None = None


class RelatedForm(_Form):
    """Other events of the same patient."""

    domain: Domain
    values: tuple[int, ...] = ()
    relation: Literal["ever", "same_admission", "before", "after", "same_time", "same_name"] = "ever"
    negated: bool = False


class QueryForm(_Form):
    """Ask the tables; ``ask`` and ``pick`` are those of the query itself."""

    action: Literal["query_records"]
    who: Who
    domain: Domain
    values: tuple[int, ...] = ()
    period: int | None = None
    period_on: Literal["time", "end", "overlap"] = "time"
    stay: int | Literal["this"] | None = None
    where: tuple[ConditionForm, ...] = ()
    status: Literal["active", "ended"] | None = None
    related: tuple[RelatedForm, ...] = ()
    pick: Pick | None = None
    ask: Ask


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


def query_of(form: QueryForm, offer: Offer, subject_id: int | None) -> ClinicalQuery:
    """The query that a plan means.

    Args:
        form: what the model wrote.
        offer: what its positions point at.
        subject_id: the patient whom ``who: patient`` means; it comes from the session.

    Raises:
        QueryRejected: a position points at nothing that fits there.
    """
    try:
        events = Events(
            domain=form.domain,
            concepts=_concepts(_values(form.values, form.domain, offer)),
            where=tuple(_condition(condition, offer) for condition in form.where),
            window=_window(form, offer),
            encounter=_encounter(form.stay, offer),
            status=form.status,
            related=tuple(_related(related, offer) for related in form.related),
            pick=form.pick,
        )
        patient = subject_id if _at(form.who, offer) == "patient" else None
        return ClinicalQuery(ask=form.ask, of=events, patient=patient)
    except ValidationError as error:
        raise QueryRejected(f"The plan is not valid: {error.errors()[0]['msg']}.") from None


def search_of(form: SearchForm, offer: Offer, subject_id: int | None, question: str) -> SearchNotes:
    """The search that a plan means; what is searched for is the question itself.

    Args:
        form: what the model wrote.
        offer: what its positions point at.
        subject_id: the patient whom ``who: patient`` means; it comes from the session.
        question: as cleaned.

    Raises:
        QueryRejected: a position points at nothing that fits there.
    """
    patient = subject_id if _at(form.who, offer) == "patient" else None
    types = [value for concept in _values(form.values, "note", offer) for value in concept.values]
    window = None if form.period is None else _one(offer.periods, form.period, "period").window
    return SearchNotes(question, patient, note_types=tuple(dict.fromkeys(types)), window=window)


def form_of(query: ClinicalQuery, offer: Offer) -> QueryForm | None:
    """A query in compact form, or ``None`` where it holds what the form or the offer lacks."""
    events, stay = query.of, query.of.encounter
    periods = [time.window for time in offer.periods]
    stays = [time.encounter for time in offer.stays]
    window = events.window.model_copy(update={"on": "time"}) if events.window else None
    try:
        form = QueryForm(
            action="query_records",
            who="all" if query.patient is None else "patient",
            domain=events.domain,
            values=_positions(events.concepts, offer),
            period=periods.index(window) + 1 if window else None,
            period_on=events.window.on if events.window else "time",
            stay="this" if stay == _THIS else stays.index(stay) + 1 if stay else None,
            where=tuple(_condition_form(condition, offer) for condition in events.where),
            status=events.status,
            related=tuple(
                RelatedForm.model_validate(
                    {
                        "domain": related.events.domain,
                        "values": _positions(related.events.concepts, offer),
                        "relation": related.relation,
                        "negated": related.negated,
                    }
                )
                for related in events.related
            ),
            pick=events.pick,
            ask=query.ask,
        )
        same = query_of(form, offer, query.patient)
    except (ValueError, QueryRejected):  # not in the offer, or not in the form
        return None
    return form if same == query else None


def values_of(form: PlanForm, offer: Offer) -> tuple[Offered, ...]:
    """The values that a plan points at, its related events' too.

    Raises:
        QueryRejected: a position points at nothing.
    """
    if isinstance(form, RefuseForm):
        return ()
    if isinstance(form, ClarifyForm):
        return () if form.value is None else (_one(offer.values, form.value, "value"),)
    places = form.values
    if isinstance(form, QueryForm):
        places += tuple(place for related in form.related for place in related.values)
    return tuple(_one(offer.values, place, "value") for place in dict.fromkeys(places))


def times_of(form: PlanForm, offer: Offer) -> tuple[TimeLink, ...]:
    """The times that a plan points at.

    Raises:
        QueryRejected: a position points at nothing.
    """
    found: list[TimeLink] = []
    if isinstance(form, QueryForm | SearchForm) and form.period is not None:
        found.append(_one(offer.periods, form.period, "period"))
    if isinstance(form, QueryForm) and isinstance(form.stay, int):
        found.append(_one(offer.stays, form.stay, "stay"))
    return tuple(found)


def numbers_of(form: PlanForm, offer: Offer) -> tuple[Number, ...]:
    """The numbers that a plan points at or takes as a count.

    Raises:
        QueryRejected: a position points at nothing.
    """
    if not isinstance(form, QueryForm):
        return ()
    places = [place for condition in form.where for place in (condition.number, condition.upper)]
    pointed = [_one(offer.numbers, place, "number") for place in places if place is not None]
    counts = set(_whole(form.model_dump(include={"ask", "pick"})))
    return (*pointed, *(number for number in offer.numbers if number[0] in counts))


def _whole(part: object) -> Iterator[int]:
    if isinstance(part, dict):
        for child in part.values():
            yield from _whole(child)
    elif isinstance(part, int) and not isinstance(part, bool):
        yield part


def _one(items: Sequence[_T], place: int, what: str) -> _T:
    if not 1 <= place <= len(items):
        raise QueryRejected(f"There is no {what} {place}; {len(items)} are listed.")
    return items[place - 1]


def _at(who: Who, offer: Offer) -> Who:
    if who not in offer.who:
        raise QueryRejected(f"who cannot be {who!r} here, only {' or '.join(offer.who)}.")
    return who


def _values(places: Sequence[int], domain: Domain, offer: Offer) -> list[Concept]:
    concepts = []
    for place in dict.fromkeys(places):
        offered = _one(offer.values, place, "value")
        if offered.domain != domain:
            raise QueryRejected(f"Value {place} is of the domain {offered.domain!r}, not of {domain!r}.")
        if offered.concept is None:
            raise QueryRejected(f"Value {place} is ambiguous: ask back about it with clarify.")
        concepts.append(offered.concept)
    return concepts


def _concepts(concepts: Sequence[Concept]) -> tuple[Concept, ...]:
    """One concept for each field: two values of one field are alternatives."""
    merged: dict[str, Concept] = {}
    for concept in concepts:
        before = merged.get(concept.field)
        if before is None:
            merged[concept.field] = concept
            continue
        values = tuple(dict.fromkeys((*before.values, *concept.values)))
        merged[concept.field] = Concept(
            field=concept.field, values=values, said=f"{before.said}, {concept.said}"
        )
    return tuple(merged.values())


def _positions(concepts: Sequence[Concept], offer: Offer) -> tuple[int, ...]:
    offered = [one.concept for one in offer.values]
    return tuple(offered.index(concept) + 1 for concept in concepts)


def _window(form: QueryForm, offer: Offer) -> Window | None:
    if form.period is None:
        return None
    window = _one(offer.periods, form.period, "period").window
    return window.model_copy(update={"on": form.period_on}) if window else None


def _encounter(stay: int | Literal["this"] | None, offer: Offer) -> Encounter | None:
    if stay is None or stay == "this":
        return _THIS if stay else None
    return _one(offer.stays, stay, "stay").encounter


def _condition(form: ConditionForm, offer: Offer) -> Condition:
    if form.number is None:
        return Condition(field=form.field, op=form.op, value=form.word)
    value, unit = _one(offer.numbers, form.number, "number")
    upper = None if form.upper is None else _one(offer.numbers, form.upper, "number")[0]
    if form.field != "value":
        unit = None  # only a measured value comes in several units
    if upper is not None:
        value, upper = sorted((value, upper))
    return Condition(field=form.field, op=form.op, value=value, upper=upper, unit=unit)


def _condition_form(condition: Condition, offer: Offer) -> ConditionForm:
    if condition.value is None or isinstance(condition.value, str):
        return ConditionForm(field=condition.field, op=condition.op, word=condition.value)
    numbers = [value for value, _ in offer.numbers]
    upper = None if condition.upper is None else numbers.index(condition.upper) + 1
    return ConditionForm(
        field=condition.field, op=condition.op, number=numbers.index(condition.value) + 1, upper=upper
    )


def _related(form: RelatedForm, offer: Offer) -> Related:
    events = Events(domain=form.domain, concepts=_concepts(_values(form.values, form.domain, offer)))
    return Related(events=events, relation=form.relation, negated=form.negated)
