"""The way from the compact form of a plan to the query or the search that it means, and back."""

from collections.abc import Sequence
from typing import Literal

from pydantic import ValidationError

from agent.planning.form import (
    AskForm,
    ChangeForm,
    ConditionForm,
    EventsForm,
    PercentileForm,
    QueryForm,
    RelatedForm,
    SearchForm,
)
from agent.planning.offer import Offer, Who, pointed
from agent.planning.plan import SearchNotes
from agent.query.model import (
    Ask,
    Change,
    ClinicalQuery,
    Concept,
    Condition,
    Domain,
    Encounter,
    Events,
    Percentile,
    Related,
    Window,
)
from knowledge.errors import QueryRejected

_THIS = Encounter(which="this")
_DECADE = 9  # years after its first


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
        events = _events(form, offer)
        related = tuple(_related(one, offer, subject_id) for one in form.related)
        patient = subject_id if _who(form, offer) == "patient" else None
        return ClinicalQuery(
            ask=_ask(form.ask, offer), of=events.model_copy(update={"related": related}), patient=patient
        )
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
    window = None if form.period is None else pointed(offer.periods, form.period, "period").window
    return SearchNotes(question, patient, note_types=tuple(dict.fromkeys(types)), window=window)


def form_of(query: ClinicalQuery, offer: Offer, subject_id: int | None = None) -> QueryForm | None:
    """A query in compact form, or ``None`` where it holds what the form or the offer lacks.

    Args:
        query: the query.
        offer: what the form may point at.
        subject_id: the question's patient, where it is not the query's.
    """
    try:
        form = QueryForm.model_validate(
            {
                "action": "query_records",
                "who": "all" if query.patient is None else "patient",
                **_parts(query.of, offer),
                "related": tuple(_related_form(related, offer) for related in query.of.related),
                "ask": _ask_form(query.ask, offer),
            }
        )
        same = query_of(form, offer, subject_id if query.patient is None else query.patient)
    except (ValueError, QueryRejected):  # not in the offer, or not in the form
        return None
    return form if same == query else None


def _at(who: Who, offer: Offer) -> Who:
    if who not in offer.who:
        raise QueryRejected(f"who cannot be {who!r} here, only {' or '.join(offer.who)}.")
    return who


def _who(form: QueryForm, offer: Offer) -> Who:
    """Whom a query is about. All are compared with the named patient where they share that patient's age."""
    compared = any(one.relation == "same_age" and one.whose == "patient" for one in form.related)
    return "all" if compared and form.who == "all" else _at(form.who, offer)


def _values(places: Sequence[int], domain: Domain, offer: Offer) -> list[Concept]:
    concepts = []
    for place in dict.fromkeys(places):
        offered = pointed(offer.values, place, "value")
        if offered.domain != domain:
            raise QueryRejected(f"Value {place} is of the domain {offered.domain!r}, not of {domain!r}.")
        if offered.concept is None:
            raise QueryRejected(f"Value {place} is ambiguous: ask back about it with clarify.")
        concepts.append(offered.concept)
    return concepts


def merged(concepts: Sequence[Concept]) -> tuple[Concept, ...]:
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


def _positions(concepts: Sequence[Concept], domain: Domain, offer: Offer) -> tuple[int, ...]:
    """Where the concepts are offered; one of several mentions is offered in parts."""
    places: list[int] = []
    for concept in concepts:
        parts = [
            place
            for place in offer.of_domain(domain)
            if (part := offer.values[place - 1].concept) is not None
            and part.field == concept.field
            and set(part.values) <= set(concept.values)
        ]
        whole = [place for place in parts if offer.values[place - 1].concept == concept]
        places += whole[:1] or parts
    return tuple(places)


def _events(form: EventsForm, offer: Offer) -> Events:
    return Events(
        domain=form.domain,
        concepts=merged(_values(form.values, form.domain, offer)),
        where=tuple(_condition(condition, offer) for condition in form.where),
        window=_window(form, offer),
        encounter=_encounter(form.stay, offer),
        status=form.status,
        repeated=form.repeated,
        pick=form.pick,
    )


def _parts(events: Events, offer: Offer) -> dict[str, object]:
    """The fields of an ``EventsForm``; a ``ValueError`` where the offer lacks something."""
    if events.patient is not None:
        raise ValueError("events of a patient of their own")
    window = events.window.model_copy(update={"on": "time"}) if events.window else None
    periods = [time.window for time in offer.periods]
    stay, stays = events.encounter, [time.encounter for time in offer.stays]
    return {
        "domain": events.domain,
        "values": _positions(events.concepts, events.domain, offer),
        "period": periods.index(window) + 1 if window else None,
        "period_on": events.window.on if events.window else "time",
        "stay": stays.index(stay) + 1 if stay in stays else "this" if stay == _THIS else _missing(stay),
        "where": tuple(_condition_form(condition, offer) for condition in events.where),
        "status": events.status,
        "repeated": events.repeated,
        "pick": events.pick,
    }


def _missing(stay: Encounter | None) -> None:
    if stay is not None:
        raise ValueError("a stay that is not offered")


def _window(form: EventsForm, offer: Offer) -> Window | None:
    if form.period is None:
        return None
    window = pointed(offer.periods, form.period, "period").window
    return window.model_copy(update={"on": form.period_on}) if window else None


def _encounter(stay: int | Literal["this"] | None, offer: Offer) -> Encounter | None:
    if stay is None or stay == "this":
        return _THIS if stay else None
    return pointed(offer.stays, stay, "stay").encounter


def _condition(form: ConditionForm, offer: Offer) -> Condition:
    if form.number is None:
        if form.op == "decade":
            raise QueryRejected("decade needs a number.")
        return Condition(field=form.field, op=form.op, value=form.word)
    value, unit = pointed(offer.numbers, form.number, "number")
    if form.op == "decade":
        if form.field != "age":
            raise QueryRejected("decade is for the field age.")
        return Condition(field="age", op="between", value=value, upper=value + _DECADE)
    upper = None if form.upper is None else pointed(offer.numbers, form.upper, "number")[0]
    if form.field != "value":
        unit = None  # only a measured value comes in several units
    if upper is not None:
        value, upper = sorted((value, upper))
    return Condition(field=form.field, op=form.op, value=value, upper=upper, unit=unit)


def _condition_form(condition: Condition, offer: Offer) -> ConditionForm:
    if condition.value is None or isinstance(condition.value, str):
        return ConditionForm(field=condition.field, op=condition.op, word=condition.value)
    numbers = [value for value, _ in offer.numbers]
    if condition.field == "age" and condition.upper == condition.value + _DECADE:
        return ConditionForm(field="age", op="decade", number=numbers.index(condition.value) + 1)
    upper = None if condition.upper is None else numbers.index(condition.upper) + 1
    return ConditionForm(
        field=condition.field, op=condition.op, number=numbers.index(condition.value) + 1, upper=upper
    )


def _related(form: RelatedForm, offer: Offer, subject_id: int | None) -> Related:
    events = _events(form, offer)
    if form.whose is not None:
        if "patient" not in offer.who or subject_id is None:
            raise QueryRejected("No patient is open or named, so nothing can be of that patient.")
        events = events.model_copy(update={"patient": subject_id})
    return Related(
        events=events,
        relation=form.relation,
        within_days=form.within_days,
        within_months=form.within_months,
        same=form.same,
        negated=form.negated,
        each=form.each,
    )


def _related_form(related: Related, offer: Offer) -> dict[str, object]:
    whose = None if related.events.patient is None else "patient"
    rest = related.model_dump(exclude={"events"})
    return {**_parts(related.events.model_copy(update={"patient": None}), offer), **rest, "whose": whose}


def _ask(form: AskForm, offer: Offer) -> Ask:
    if isinstance(form, PercentileForm):
        return Percentile(value=pointed(offer.numbers, form.number, "number")[0])
    if isinstance(form, ChangeForm):
        earlier_of = None if form.earlier_of is None else _events(form.earlier_of, offer)
        return Change(
            earlier=form.earlier, later=form.later, earlier_of=earlier_of, as_comparison=form.as_comparison
        )
    return form


def _ask_form(ask: Ask, offer: Offer) -> object:
    if isinstance(ask, Percentile):
        return {"ask": "percentile", "number": [value for value, _ in offer.numbers].index(ask.value) + 1}
    if isinstance(ask, Change):
        earlier_of = None if ask.earlier_of is None else _parts(ask.earlier_of, offer)
        if ask.earlier_of is not None and ask.earlier_of.related:
            raise ValueError("related events of an earlier value")
        if ask.at_least is not None:
            raise ValueError("how large a change has to be")
        return {**ask.model_dump(exclude={"earlier_of", "at_least"}), "earlier_of": earlier_of}
    return ask
