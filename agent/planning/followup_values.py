"""Puts the values that a follow-up names into the last query: in the place of others of their kind, or beside them.

Which place a value takes follows from its kind, as it was linked, and from whether the words replace ("and
sodium?"), restrict ("only those on insulin") or leave out ("excluding aspirin").
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agent.answer import Language
from agent.planning.choose import Choice, choose, choose_in
from agent.planning.followup_ask import is_of_many
from agent.planning.followup_lexicon import shown_fields
from agent.planning.followup_words import Edit, is_group
from agent.planning.intent import SLOT_FIELDS, kind_of
from agent.planning.link import Link, Linked
from agent.query.domains import shared_fields
from agent.query.model import (
    ClinicalQuery,
    Concept,
    Condition,
    Count,
    Domain,
    Elapsed,
    Events,
    Exists,
    Group,
    Pick,
    Related,
    Rows,
    Statistic,
)

_NEVER_SWITCHED = frozenset({"measure", "input", "output", "note_type"})
_OF_STAYS = frozenset({"admission", "icu_stay", "transfer"})
_MEASURED: frozenset[Domain] = frozenset({"lab", "vital"})
_OF_ANY = frozenset({"time", "subject_id"})  # fields that events of every domain have


@dataclass(frozen=True, slots=True)
class Edited:
    """The query of a follow-up, and what was assumed of its values."""

    query: ClinicalQuery
    assumptions: tuple[str, ...] = ()


_Place = Callable[[ClinicalQuery, Link, Language], Edited | None]


def with_values(
    query: ClinicalQuery, edit: Edit, linked: Linked, language: Language, last: str
) -> Edited | None:
    """The last query with the values that the follow-up names, or ``None`` where they have no place in it.

    Args:
        query: of the last question.
        edit: the words of the follow-up.
        linked: what it names.
        language: of the assumptions.
        last: the last question: of two places the one that it named later is replaced.
    """
    values = [link for link in linked.values if not is_group(link)]
    if not values:
        return Edited(query)
    if edit.leans & {"without", "except"}:
        return _each(query, values, language, _left_out)
    if is_of_many(query) and edit.leans & {"among", "restricts"}:
        return _each(query, values, language, _restricted_to)
    if len(values) > 1:
        return _together(query, values, language)
    link = values[0]
    found = _replaced(query, link, language, last) or _added(query, link, language)
    found = found or _switched(query, link, language) or _partnered(query, link, language)
    return found or (_related(query, link, language, negated=False) if is_of_many(query) else None)


def other_events(query: ClinicalQuery, edit: Edit) -> ClinicalQuery | None:
    """The same question about events of another domain: "and procedures?" after a list of diagnoses."""
    of, ask = query.of, query.ask
    named: frozenset[Domain] = frozenset({"lab"}) if edit.nouns == _MEASURED else edit.nouns
    if len(named) != 1 or of.related or of.repeated or of.where:
        return None
    (domain,) = named
    if not is_of_many(query) and isinstance(ask, Rows) and not (of.window or of.encounter or of.concepts):
        return None  # nothing of it goes on: the question is read as one of its own
    if domain in _OF_STAYS and not is_of_many(query):
        return None  # "in that admission" is a time and no subject
    if any(concept.field not in shared_fields() for concept in of.concepts):
        return None
    if isinstance(ask, Rows):
        ask = ask if ask.fields == ("subject_id",) else Rows(fields=shown_fields(domain))
    elif isinstance(ask, Count):
        own = "admissions" if domain == "admission" else "events"
        ask = ask if ask.of in ("patients", "names") else Count(of=own)
    elif not (isinstance(ask, Exists) or (isinstance(ask, Group) and _goes_on(ask, of.domain, domain))):
        return None
    stay = of.encounter
    other = Events(
        domain=domain, concepts=of.concepts, window=of.window, encounter=stay, pick=of.pick if stay else None
    )
    return query.model_copy(update={"ask": ask, "of": other})


def _goes_on(ask: Group, domain: Domain, other: Domain) -> bool:
    """Whether groups of events of one domain can be formed of another's."""
    if ask.figure == "admissions" and domain != other:
        return False
    by = (ask.by, ask.series)
    return ask.field == "value" and all(field is None or field in shared_fields() for field in by)


def _each(query: ClinicalQuery, values: Sequence[Link], language: Language, place: _Place) -> Edited | None:
    found = Edited(query)
    for link in values:
        one = place(found.query, link, language)
        if one is None:
            return None
        found = Edited(one.query, (*found.assumptions, *one.assumptions))
    return found


def _left_out(query: ClinicalQuery, link: Link, language: Language) -> Edited | None:
    """Events of other values, or patients who have not the one named."""
    of = query.of
    for candidate in link.candidates:
        kind = kind_of(candidate)
        taken = any(concept.field == candidate.field for concept in of.concepts)
        if candidate.domain != of.domain or kind is None or taken:
            continue
        choice = choose_in(link, candidate.domain, candidate.field, language)
        if choice.concept is None:
            return None
        others = tuple(Condition(field=candidate.field, op="!=", value=v) for v in choice.concept.values)
        return _edited(query, of.model_copy(update={"where": (*of.where, *others)}), choice)
    return _related(query, link, language, negated=True) if is_of_many(query) else None


def _restricted_to(query: ClinicalQuery, link: Link, language: Language) -> Edited | None:
    """Of many: the events of the value where they were of any, else those of patients who have it, too."""
    taken = {concept.field for concept in query.of.concepts}
    own = any(c.domain == query.of.domain and c.field not in taken for c in link.candidates)
    counts_patients = isinstance(query.ask, Count) and query.ask.of == "patients"
    added = _added(query, link, language) if own and not counts_patients else None
    return added or _related(query, link, language, negated=False)


def _together(query: ClinicalQuery, values: Sequence[Link], language: Language) -> Edited | None:
    """Several values in the place of one, where each is shown for itself."""
    if is_of_many(query) or not isinstance(query.ask, Rows | Exists):
        return None
    concepts: list[Concept] = []
    said: list[str] = []
    for link in values:
        one = _replaced(query, link, language, "")
        if one is None or one.query.of.domain != query.of.domain:
            return None
        concepts += [concept for concept in one.query.of.concepts if concept not in query.of.concepts]
        said += one.assumptions
    if len({concept.field for concept in concepts}) != 1:
        return None
    joined = Concept(
        field=concepts[0].field,
        values=tuple(dict.fromkeys(value for concept in concepts for value in concept.values)),
        said=", ".join(concept.said for concept in concepts),
    )
    rest = tuple(concept for concept in query.of.concepts if concept.field != joined.field)
    pick = query.of.pick
    if pick is not None:
        pick = pick.model_copy(update={"each": "name"})
    of = query.of.model_copy(update={"concepts": (joined, *rest), "pick": pick})
    ask = query.ask
    if isinstance(ask, Rows) and "name" not in ask.fields and query.of.domain in _MEASURED:
        ask = ask.model_copy(update={"fields": ("name", *ask.fields)})
    return Edited(query.model_copy(update={"ask": ask, "of": of}), tuple(said))


@dataclass(frozen=True, slots=True)
class _Held:
    """A concept of a query: of its own events (``partner`` is ``None``) or of related ones."""

    partner: int | None
    place: int
    concept: Concept


def _held(query: ClinicalQuery, kind: str) -> Iterator[_Held]:
    """The concepts of a query that are of a kind."""
    sets = [(None, query.of), *((n, related.events) for n, related in enumerate(query.of.related))]
    for partner, events in sets:
        for place, concept in enumerate(events.concepts):
            if SLOT_FIELDS.get((events.domain, concept.field)) == kind:
                yield _Held(partner, place, concept)


def _replaced(query: ClinicalQuery, link: Link, language: Language, last: str) -> Edited | None:
    """The value in the place of the last of its kind."""
    for kind in dict.fromkeys(filter(None, map(kind_of, link.candidates))):
        held = list(_held(query, kind))
        if not held:
            continue
        choice = choose(link, kind, language)
        if choice.concept is None or choice.domain is None:
            return None
        own = next((one for one in held if one.partner is None), None)
        parts = [one for one in held if own is not None and one is not own and _is_part(one, own)]
        rest = [one for one in held if one not in parts]
        focus = max(rest, key=lambda one: last.rfind(one.concept.said) if one.concept.said else -1)
        of = _put(query.of, focus, choice)
        if focus.partner is not None and _is_said_twice(query.of, focus.concept):
            of = of.related[focus.partner].events
        gone = {one.partner for one in parts if one.partner is not None}
        if focus is own and gone:
            kept = tuple(related for n, related in enumerate(of.related) if n not in gone)
            of = of.model_copy(update={"related": kept})
        return _edited(query, of, choice)
    return None


def _is_part(one: _Held, other: _Held) -> bool:
    """Whether two concepts are two halves of one name: "type 2 diabetes" with "hyperglycemia" is one title."""
    return set(one.concept.values) <= set(other.concept.values)


def _is_said_twice(of: Events, concept: Concept) -> bool:
    """Whether events and their partner are two readings of one mention, so that another one replaces both."""
    return bool(of.concepts) and all(own.said and own.said == concept.said for own in of.concepts)


def _put(of: Events, place: _Held, choice: Choice) -> Events:
    if place.partner is None:
        return of.model_copy(
            update={"domain": choice.domain, "concepts": _swapped(of.concepts, place, choice)}
        )
    related = list(of.related)
    partner = related[place.partner]
    concepts = _swapped(partner.events.concepts, place, choice)
    events = partner.events.model_copy(update={"domain": choice.domain, "concepts": concepts})
    related[place.partner] = partner.model_copy(update={"events": events})
    return of.model_copy(update={"related": tuple(related)})


def _swapped(concepts: tuple[Concept, ...], place: _Held, choice: Choice) -> tuple[Concept, ...]:
    assert choice.concept is not None
    return (*concepts[: place.place], choice.concept, *concepts[place.place + 1 :])


def _added(query: ClinicalQuery, link: Link, language: Language) -> Edited | None:
    """The value as a restriction of the events, which were of any before."""
    of = query.of
    for candidate in link.candidates:
        if candidate.domain != of.domain or kind_of(candidate) is None:
            continue
        choice = choose_in(link, candidate.domain, candidate.field, language)
        if choice.concept is None:
            return None
        return _edited(query, of.model_copy(update={"concepts": (*of.concepts, choice.concept)}), choice)
    return None


def _switched(query: ClinicalQuery, link: Link, language: Language) -> Edited | None:
    """The same question about a value of another kind: "how many are on metformin?" after a diagnosis.

    Only where what is asked has no part in the kind: how many, which patients, when, and whether at all.
    """
    ask, of = query.ask, query.of
    kind = kind_of(link.candidates[0])
    if kind is None or kind in ("input", "output", "note_type") or of.related or of.where:
        return None
    of_patients = is_of_many(query) and (
        (isinstance(ask, Count) and ask.of == "patients")
        or (isinstance(ask, Rows) and ask.fields == ("subject_id",))
        or (isinstance(ask, Statistic) and ask.field in shared_fields())
    )
    of_times = isinstance(ask, Elapsed) and ask.what == "since"
    of_times = of_times or (isinstance(ask, Rows) and "time" in ask.fields and _OF_ANY.issuperset(ask.fields))
    counts = isinstance(ask, Count) and ask.of == "events" and bool(of.concepts)
    if kind == "measure" and (of_patients or isinstance(ask, Exists)):
        return None
    if not (of_patients or of_times or counts or isinstance(ask, Exists)):
        return None
    choice = choose(link, kind, language)
    if choice.concept is None or choice.domain is None:
        return None
    shared = tuple(concept for concept in of.concepts if concept.field in shared_fields())
    pick = of.pick if of.pick is not None and of.pick.which in ("first", "last", "nth") else None
    return _edited(
        query,
        Events(
            domain=choice.domain,
            concepts=(choice.concept, *shared),
            window=of.window,
            encounter=of.encounter,
            pick=Pick(which=pick.which, n=pick.n) if pick is not None and of_times else None,
        ),
        choice,
    )


def _partnered(query: ClinicalQuery, link: Link, language: Language) -> Edited | None:
    """Other patients, or stays, where the last ones were those that have one thing: "and with a hip replacement?"."""
    of = query.of
    if not is_of_many(query) or len(of.related) != 1 or of.related[0].negated:
        return None
    alone = query.model_copy(update={"of": of.model_copy(update={"related": ()})})
    return _related(alone, link, language, negated=False)


def _related(query: ClinicalQuery, link: Link, language: Language, *, negated: bool) -> Edited | None:
    """Patients, or stays, that also have, or have not, something else."""
    kind = kind_of(link.candidates[0])
    if kind is None or kind in _NEVER_SWITCHED:
        return None
    choice = choose(link, kind, language)
    if choice.concept is None or choice.domain is None:
        return None
    of = query.of
    partner = Related(
        events=Events(domain=choice.domain, concepts=(choice.concept,)),
        relation="same_admission" if of.domain in _OF_STAYS else "ever",
        negated=negated,
    )
    return _edited(query, of.model_copy(update={"related": (*of.related, partner)}), choice)


def _edited(query: ClinicalQuery, of: Events, choice: Choice) -> Edited:
    said = (choice.assumption,) if choice.assumption else ()
    return Edited(query.model_copy(update={"of": of}), said)
