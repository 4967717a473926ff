"""Restricts the events of the last question further, or no longer: "only the women", "not the IV ones", "不限性别".

A restriction takes the place of an earlier one on the same field. What is left out ("excluding the ICU") is the
same restriction, negated; several at once would be ambiguous, and are none.
"""

from agent.answer import Language
from agent.planning.choose import choose_in
from agent.planning.followup_ask import is_of_many
from agent.planning.followup_lexicon import frequencies, released
from agent.planning.followup_values import Edited
from agent.planning.followup_words import Edit, Number, is_group
from agent.planning.link import Link, Linked
from agent.planning.units_of_time import UNITS
from agent.query.domains import bindings, shared_fields
from agent.query.model import ClinicalQuery, Concept, Condition, Domain, Events, Operator

_RANGES = frozenset({"abnormal", "normal", "high", "low", "critical"})
_INTERPRETATIONS = frozenset({"R", "S", "I"})
_OF_PEOPLE = frozenset({"gender", "race"})
_OF_AMOUNTS = frozenset(
    {"lab", "vital", "input", "output", "cost"}
)  # of other events, a bare number is an age
_IN_DAYS = {"hours": 1 / 24, "days": 1.0, "weeks": 7.0}
_OPPOSITE = {
    "active": "ended",
    "ended": "active",
    "died": "alive",
    "alive": "died",
    "normal": "abnormal",
    "abnormal": "normal",
}
_OUTSIDE: dict[Operator, Operator] = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "between": "outside"}


def with_groups(query: ClinicalQuery, edit: Edit, linked: Linked, language: Language) -> Edited | None:
    """Only those of a group, or all but those: a route, a ward, women; ``None`` where the events have none."""
    of, said = query.of, list[str]()
    for link in filter(is_group, linked.values):
        place = _place(of.domain, link, query)
        if place is None:
            return None
        choice = choose_in(link, *place, language)
        if choice.concept is None:
            return None
        field = choice.concept.field
        concepts = tuple(concept for concept in of.concepts if concept.field != field)
        where = tuple(condition for condition in of.where if condition.field != field)
        if "except" in edit.leans:
            others = tuple(Condition(field=field, op="!=", value=value) for value in choice.concept.values)
            of = of.model_copy(update={"concepts": concepts, "where": (*where, *others)})
        else:
            of = of.model_copy(update={"concepts": (*concepts, choice.concept), "where": where})
        said += [choice.assumption] if choice.assumption else []
    return Edited(query.model_copy(update={"of": of}), tuple(said))


def _place(domain: Domain, link: Link, query: ClinicalQuery) -> tuple[Domain, str] | None:
    """Where a group restricts events of a domain: as a field of their own, of the patient or of the stay."""
    for candidate in link.candidates:
        own, field = candidate.domain, candidate.field
        if own == domain and field in bindings()[domain].fields:
            return own, field
        shared = own in ("patient", "admission") and field in shared_fields()
        if shared and (is_of_many(query) or field not in _OF_PEOPLE):
            return own, field
    return None


def restricted(query: ClinicalQuery, edit: Edit) -> Events | None:
    """The events with the conditions of the edit; ``None`` where one does not fit them."""
    negated = "except" in edit.leans
    if negated and len(edit.filters) + len(edit.compares) > 1:
        return None
    of = query.of
    for name in edit.drops:
        lifted = _lifted(of, name)
        if lifted is None:
            return None
        of = lifted
    conditions: list[Condition] = []
    at = bindings()[of.domain]
    for said in edit.filters:
        name = said if not negated else _OPPOSITE.get(said)
        if name in ("active", "ended"):
            if at.end is None and "status" not in at.fields:
                return None
            of = of.model_copy(update={"status": name, "window": None})
            continue
        condition = None if name is None else _filter(query, name)
        if condition is None:
            return None
        conditions.append(condition)
    for name in edit.frequencies:
        if "frequency" not in at.fields or negated:
            return None
        given = Concept(field="frequency", values=frequencies(name), said=frequencies(name)[0])
        rest = tuple(concept for concept in of.concepts if concept.field != "frequency")
        of = of.model_copy(update={"concepts": (*rest, given)})
    for op, numbers in edit.compares:
        condition = _comparison(query, _OUTSIDE[op] if negated else op, numbers)
        if condition is None:
            return None
        conditions.append(condition)
    if not conditions:
        return of
    fields = {condition.field for condition in conditions}
    kept = tuple(condition for condition in of.where if condition.field not in fields)
    concepts = tuple(c for c in of.concepts if c.field not in fields)
    return of.model_copy(update={"where": (*kept, *conditions), "concepts": concepts, "pick": None})


def _filter(query: ClinicalQuery, name: str) -> Condition | None:
    at = bindings()[query.of.domain]
    if name in _RANGES and at.distinct_items:
        return Condition(field="value", value=name)
    if name in _INTERPRETATIONS and "interpretation" in at.fields:
        return Condition(field="interpretation", value=name)
    if name == "positive" and "organism" in at.fields:
        return Condition(field="organism", op="known")
    if name == "negative" and "organism" in at.fields:
        return Condition(field="organism", op="unknown")
    if name in ("died", "alive") and is_of_many(query):
        return Condition(field="dod", op="known" if name == "died" else "unknown")
    if name == "primary" and "rank" in at.fields:
        return Condition(field="rank", value=1)
    return None


def _lifted(of: Events, name: str) -> Events | None:
    """The events without the restrictions of one name; ``None`` where they have none to lift."""
    fields = set(released(name))
    status = None if "status" in fields else of.status
    concepts = tuple(concept for concept in of.concepts if concept.field not in fields)
    where = tuple(condition for condition in of.where if condition.field not in fields)
    lifted = of.model_copy(update={"concepts": concepts, "where": where, "status": status})
    return None if lifted == of else lifted


def _comparison(query: ClinicalQuery, op: Operator, numbers: tuple[Number, ...]) -> Condition | None:
    at = bindings()[query.of.domain]
    value, unit = numbers[0]
    upper = None
    if op in ("between", "outside"):
        value, upper = sorted((numbers[0][0], numbers[1][0]))
        unit = unit or numbers[1][1]
    aged = query.of.domain not in _OF_AMOUNTS or any(c.field == "age" for c in query.of.where)
    span = "years" if unit == "岁" else UNITS.get((unit or "").casefold(), "")
    if span == "years" or (unit is None and is_of_many(query) and aged):
        return Condition(field="age", op=op, value=value, upper=upper) if is_of_many(query) else None
    days = _IN_DAYS.get(span)
    if days is not None:
        upper = None if upper is None else upper * days
        return Condition(field="duration", op=op, value=value * days, upper=upper) if at.end else None
    return Condition(field="value", op=op, value=value, upper=upper, unit=unit) if at.value else None
