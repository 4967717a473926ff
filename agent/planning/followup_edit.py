"""Puts what a follow-up names in the place of what the last query has: a value, a time, a patient, a restriction."""

from dataclasses import dataclass, replace

from agent.answer import Language
from agent.planning.choose import choose, choose_in
from agent.planning.followup_ask import asked_anew, is_of_many
from agent.planning.followup_span import spans_before, with_times
from agent.planning.followup_words import Edit, Number, is_group, span_before
from agent.planning.intent import SLOT_FIELDS, kind_of
from agent.planning.link import Link, Linked
from agent.query.domains import bindings, shared_fields
from agent.query.model import (
    ClinicalQuery,
    Concept,
    Condition,
    Count,
    Domain,
    Events,
    Exists,
    Operator,
    Related,
    Rows,
    Statistic,
)

_RANGES = frozenset({"abnormal", "normal", "high", "low", "critical"})
_INTERPRETATIONS = frozenset({"R", "S", "I"})
_OF_PEOPLE = frozenset({"gender", "race"})
_YEARS = frozenset({"year", "years", "岁", "年"})
_DAYS = frozenset({"day", "days", "天", "日"})
_NEVER_SWITCHED = frozenset({"measure", "input", "output", "note_type"})


@dataclass(frozen=True, slots=True)
class Edited:
    """The query of a follow-up, and what was assumed of its values."""

    query: ClinicalQuery
    assumptions: tuple[str, ...] = ()


def edited(
    query: ClinicalQuery, edit: Edit, linked: Linked, language: Language, subject_id: int | None
) -> Edited | None:
    """The last query with what the follow-up changes, or ``None`` where that does not fit it.

    Args:
        query: of the last question.
        edit: the words of the follow-up.
        linked: what it names.
        language: of the assumptions.
        subject_id: the patient that is named or open.
    """
    if query.of.domain == "admission" and "icu_stay" in edit.nouns and "admission" not in edit.nouns:
        edit = replace(edit, nouns=frozenset(), leans=edit.leans | {"icu"})
    whose = _of_patient(query, edit, linked, subject_id)
    if whose is None or (edit.nouns and whose.of.domain not in edit.nouns and not linked.values):
        return None
    valued = _with_values(whose, edit, linked, language)
    if valued is None:
        return None
    query, said = valued.query, valued.assumptions
    edit = _before_what(query, edit, linked)
    if edit.pick in ("first", "last") and _is_of_stays(query, edit):
        which = (
            query.of.encounter.model_copy(update={"which": edit.pick, "n": 1}) if query.of.encounter else None
        )
        query = query.model_copy(update={"of": query.of.model_copy(update={"encounter": which})})
        edit = replace(edit, pick=None)
    of = spans_before(query.of, edit) if edit.before else with_times(query.of, edit, linked)
    if of is None:
        return None
    grouped = _with_groups(query.model_copy(update={"of": of}), linked, language)
    if grouped is None:
        return None
    said += grouped.assumptions
    of = _restricted(grouped.query, edit)
    if of is None:
        return None
    ask = grouped.query.ask
    if isinstance(ask, Rows) and ask.limit is not None and (edit.compares or edit.filters):
        ask = ask.model_copy(update={"limit": None})  # of all that fit, and not of the few shown before
    asked = asked_anew(grouped.query.model_copy(update={"ask": ask, "of": of}), edit)
    return None if asked is None else Edited(asked, tuple(dict.fromkeys(said)))


def _before_what(query: ClinicalQuery, edit: Edit, linked: Linked) -> Edit:
    """What "the one before" is: a value, or the stay before where no value was picked by its time.

    "前一年" is also a time of its own, counted back from now; beside another one it is the year before that.
    """
    if query.of.window is not None and len(linked.times) == 1:
        before = span_before(linked.times[0].text)
        if before in ("year", "month", "day"):
            return replace(edit, before=before)
    by_time = query.of.pick is not None and query.of.pick.which not in ("min", "max")
    if edit.pick != "before" or by_time or query.of.encounter is None:
        return edit
    return replace(edit, pick=None, before="stay")


def _is_of_stays(query: ClinicalQuery, edit: Edit) -> bool:
    """Whether "the first one" is a stay: the last question was of one, and of a figure, so of no value in time."""
    by_value = query.of.pick is not None and query.of.pick.which in ("min", "max")
    figure = by_value or isinstance(query.ask, Statistic)
    stay = query.of.encounter
    return figure and stay is not None and stay.id is None and "anaphor" in edit.leans and edit.form is None


def _of_patient(
    query: ClinicalQuery, edit: Edit, linked: Linked, subject_id: int | None
) -> ClinicalQuery | None:
    """Of whom it is: never of more patients than the last query."""
    named = any(patient.how != "scope" for patient in linked.patients)
    if query.patient is None and not named and not edit.pronoun:
        return query
    if not named and ("patients" in edit.leans or edit.form == "people"):
        return None
    return query.model_copy(update={"patient": subject_id if subject_id is not None else query.patient})


def _with_values(query: ClinicalQuery, edit: Edit, linked: Linked, language: Language) -> Edited | None:
    values = [link for link in linked.values if not is_group(link)]
    if not values:
        return Edited(query)
    if len(values) > 1:
        return None
    if is_of_many(query) and edit.leans & {"among", "without"}:
        return _related(query, values[0], edit, language)
    if "without" in edit.leans:
        return None
    return _replaced(query, values[0], language) or _switched(query, values[0], language)


def _replaced(query: ClinicalQuery, link: Link, language: Language) -> Edited | None:
    """Another value in the place of the one of its kind, or as a restriction where there was none."""
    of = query.of
    kinds = [kind for kind in dict.fromkeys(map(kind_of, link.candidates)) if kind is not None]
    places = {SLOT_FIELDS.get((of.domain, concept.field)): n for n, concept in enumerate(of.concepts)}
    for kind in kinds:
        if kind not in places:
            continue
        choice = choose(link, kind, language)
        if choice.concept is None or choice.domain is None:
            return None
        concepts = list(of.concepts)
        concepts[places[kind]] = choice.concept
        of = of.model_copy(update={"domain": choice.domain, "concepts": tuple(concepts)})
        said = (choice.assumption,) if choice.assumption else ()
        return Edited(query.model_copy(update={"of": of}), said)
    for candidate in link.candidates:
        kind = kind_of(candidate)
        if candidate.domain != of.domain or kind is None:
            continue
        choice = choose_in(link, candidate.domain, candidate.field, language)
        if choice.concept is None:
            return None
        of = of.model_copy(update={"concepts": (*of.concepts, choice.concept)})
        said = (choice.assumption,) if choice.assumption else ()
        return Edited(query.model_copy(update={"of": of}), said)
    return None


def _switched(query: ClinicalQuery, link: Link, language: Language) -> Edited | None:
    """The same question about a value of another kind: "how many are on metformin?" after a diagnosis.

    Only where what is asked has no part in the kind: how many or which patients, and whether at all.
    """
    ask = query.ask
    of_patients = is_of_many(query) and (
        (isinstance(ask, Count) and ask.of == "patients")
        or (isinstance(ask, Rows) and ask.fields == ("subject_id",))
    )
    if not of_patients and not isinstance(ask, Exists):
        return None
    kind = kind_of(link.candidates[0])
    if kind is None or kind in _NEVER_SWITCHED or query.of.related:
        return None
    choice = choose(link, kind, language)
    if choice.concept is None or choice.domain is None:
        return None
    of = Events(
        domain=choice.domain,
        concepts=(choice.concept,),
        window=query.of.window,
        encounter=query.of.encounter,
    )
    return Edited(query.model_copy(update={"of": of}), (choice.assumption,) if choice.assumption else ())


def _related(query: ClinicalQuery, link: Link, edit: Edit, language: Language) -> Edited | None:
    """Patients who also have, or have not, something else."""
    kind = kind_of(link.candidates[0])
    if kind is None or kind in _NEVER_SWITCHED:
        return None
    choice = choose(link, kind, language)
    if choice.concept is None or choice.domain is None:
        return None
    partner = Related(
        events=Events(domain=choice.domain, concepts=(choice.concept,)), negated="without" in edit.leans
    )
    of = query.of.model_copy(update={"related": (*query.of.related, partner)})
    return Edited(query.model_copy(update={"of": of}), (choice.assumption,) if choice.assumption else ())


def _with_groups(query: ClinicalQuery, linked: Linked, language: Language) -> Edited | None:
    """Only those of a group: a route, a ward, women."""
    of, said = query.of, []
    for link in filter(is_group, linked.values):
        place = next(
            filter(None, (_place(of.domain, c.domain, c.field, query) for c in link.candidates)), None
        )
        if place is None:
            return None
        choice = choose_in(link, *place, language)
        if choice.concept is None:
            return None
        rest = tuple(concept for concept in of.concepts if concept.field != choice.concept.field)
        of = of.model_copy(update={"concepts": (*rest, choice.concept)})
        said += [choice.assumption] if choice.assumption else []
    return Edited(query.model_copy(update={"of": of}), tuple(said))


def _place(domain: Domain, own: Domain, field: str, query: ClinicalQuery) -> tuple[Domain, str] | None:
    """Where a group restricts events of a domain: as a field of their own, of the patient or of the stay."""
    if own == domain and field in bindings()[domain].fields:
        return own, field
    if own not in ("patient", "admission") or field not in shared_fields():
        return None
    return (own, field) if is_of_many(query) or field not in _OF_PEOPLE else None


def _restricted(query: ClinicalQuery, edit: Edit) -> Events | None:
    """The events with the conditions of the edit, each in the place of an earlier one on the same field."""
    of, at = query.of, bindings()[query.of.domain]
    conditions: list[Condition] = []
    for name in edit.filters:
        if name in ("active", "ended"):
            if at.end is None and "status" not in at.fields:
                return None
            of = of.model_copy(update={"status": name, "window": None})
        elif name in _RANGES and at.distinct_items:
            conditions.append(Condition(field="value", value=name))
        elif name in _INTERPRETATIONS and "interpretation" in at.fields:
            conditions.append(Condition(field="interpretation", value=name))
        elif name == "positive" and "organism" in at.fields:
            conditions.append(Condition(field="organism", op="known"))
        elif name in ("died", "alive") and is_of_many(query):
            conditions.append(Condition(field="dod", op="known" if name == "died" else "unknown"))
        elif name == "primary" and "rank" in at.fields:
            conditions.append(Condition(field="rank", value=1))
        else:
            return None
    for op, numbers in edit.compares:
        condition = _comparison(query, op, numbers)
        if condition is None:
            return None
        conditions.append(condition)
    if not conditions:
        return of
    fields = {condition.field for condition in conditions}
    kept = tuple(condition for condition in of.where if condition.field not in fields)
    concepts: tuple[Concept, ...] = tuple(c for c in of.concepts if c.field not in fields)
    return of.model_copy(update={"where": (*kept, *conditions), "concepts": concepts, "pick": None})


def _comparison(query: ClinicalQuery, op: Operator, numbers: tuple[Number, ...]) -> Condition | None:
    at = bindings()[query.of.domain]
    value, unit = numbers[0]
    upper = None
    if op == "between":
        value, upper = sorted((numbers[0][0], numbers[1][0]))
        unit = unit or numbers[1][1]
    if unit in _YEARS or (at.value is None and unit is None and is_of_many(query)):
        return Condition(field="age", op=op, value=value, upper=upper) if is_of_many(query) else None
    if unit in _DAYS:
        return Condition(field="duration", op=op, value=value, upper=upper) if at.end else None
    return Condition(field="value", op=op, value=value, upper=upper, unit=unit) if at.value else None
