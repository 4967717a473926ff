"""What a query restricts its events to, in words: "below 3.5 mEq/L; “in the last 48 hours”; without diabetes".

"No lab result is recorded: Potassium" would be false where there are some, but none so low. So a sentence that says
that there is none, or how many there are, says of which.
"""

from collections.abc import Iterator

from agent.answer import Language
from agent.query.among import looks_among
from agent.query.base import RANGE_WORDS
from agent.query.model import Change, ClinicalQuery, Concept, Condition, Encounter, Events, Related
from agent.query.numerals import number
from agent.query.phrases import NAMES_SHOWN, kind, phrase, phrases, pick_word, subject, value_word
from agent.query.sentence import Operation


def restrictions(events: Events, language: Language) -> str:
    """The restrictions in brackets, with the space before them; nothing where there are none."""
    parts = list(_parts(events, language))
    if not parts:
        return ""
    joined = phrase(language, "restricted.separator").join(parts)
    return phrase(language, "restricted.all", parts=joined)


def none_of(query: ClinicalQuery, language: Language) -> str:
    """What kind of entry there is none of, and of what: ``No coded diagnosis …: heart failure (“last year”)``."""
    events = query.of.model_copy(update={"pick": None})  # where nothing is to be picked, there is none at all
    if looks_among(query):  # nothing was measured at all
        where = tuple(condition for condition in events.where if condition.field != "value")
        events = events.model_copy(update={"where": where})
    if isinstance(query.ask, Change) and query.ask.at_least is not None and query.patient is None:
        return phrase(language, "none_changed", subject=subject(events, language))
    named = kind(events, language)
    if language == "en" and not named[:2].isupper():
        named = named[0].lower() + named[1:]
    what = f": {subject(events, language)}" if language == "en" else f"：{subject(events, language)}"
    of = what if events.concepts else ""
    return phrase(language, "none", kind=named) + of + restrictions(events, language)


def asked_numbers(query: ClinicalQuery) -> tuple[Operation, ...]:
    """The numbers that restrictions of a query may name; they are the question's."""
    return tuple(Operation("asked", (), figure) for figure in dict.fromkeys(_numbers(query.of)))


def with_partners(events: Events) -> Iterator[Events]:
    """Events, and those that they are related to, at any depth."""
    yield events
    for related in events.related:
        yield from with_partners(related.events)


def _parts(events: Events, language: Language) -> Iterator[str]:
    named = _named(events)
    for concept in events.concepts:
        if concept is not named:
            values = phrase(language, "list_separator").join(concept.values[:NAMES_SHOWN])
            shown = f"“{concept.said}”" if concept.said else values
            yield phrase(language, "restricted.field", word=_word(concept.field, language), value=shown)
    for condition in events.where:
        yield _condition(condition, language)
    if events.window is not None:
        said = events.window.said
        yield f"“{said}”" if said else phrase(language, "restricted.window")
    if events.encounter is not None:
        yield _encounter(events.encounter, language)
    if events.status is not None and f"{events.domain}_{events.status}" not in phrases(language)["kind"]:
        yield phrase(language, f"restricted.{events.status}")
    for related in events.related:
        yield _related(related, language)
    if events.repeated is not None:
        key = "restricted.repeated" if events.repeated.at_most is None else "restricted.repeated_between"
        low, high = events.repeated.at_least, events.repeated.at_most
        yield phrase(language, key, n=low, most=high)
    if events.pick is not None:
        yield phrase(language, "restricted.pick", pick=pick_word(events.pick, language))


def _named(events: Events) -> Concept | None:
    """The concept that :func:`~agent.query.phrases.subject` names."""
    named = [concept for concept in events.concepts if concept.field == "name"]
    return next(iter(named or events.concepts), None)


def _condition(condition: Condition, language: Language) -> str:
    if condition.op in ("known", "unknown"):
        return phrase(language, f"restricted.{condition.op}", word=_word(condition.field, language))
    test = tested(condition, language)
    if condition.field == "value":
        return test
    return phrase(language, "restricted.field", word=_word(condition.field, language), value=test)


def tested(condition: Condition, language: Language) -> str:
    """What a condition asks of its field: ``below 3.5 mEq/L``."""
    words = phrases(language)["restricted"]
    value = condition.value
    if isinstance(value, str):
        shown = (
            words["range"][value] if value in RANGE_WORDS else value_word(condition.field, value, language)
        )
    else:
        unit = f" {condition.unit}" if condition.unit else ""
        upper = "" if condition.upper is None else number(condition.upper) + unit
        shown = words["between"].format(low=number(value), high=upper) if upper else number(value) + unit
    return words["test"][condition.op].format(value=shown)


def _encounter(encounter: Encounter, language: Language) -> str:
    if encounter.id is not None:
        named = phrases(language)["restricted"]["stay_id"][encounter.kind]
        return named.format(id=encounter.id)
    words = phrases(language)["restricted"][encounter.kind]
    text = words["nth" if encounter.n > 1 else encounter.which].format(n=encounter.n)
    if encounter.from_hours or encounter.to_hours is not None:
        text = phrase(language, "restricted.part", stay=text)
    return text


def _related(related: Related, language: Language) -> str:
    words = phrases(language)["restricted"]["related"]
    partner = subject(related.events, language) + restrictions(related.events, language)
    text = words["without" if related.negated else "with"][related.relation].format(subject=partner)
    if related.within_days is not None:
        text += phrase(language, "restricted.within_days", n=number(related.within_days))
    if related.within_months is not None:
        text += phrase(language, "restricted.within_months", n=related.within_months)
    return text + (phrase(language, f"restricted.same_{related.same}") if related.same else "")


def _word(field: str, language: Language) -> str:
    return str(phrases(language)["field"].get(field, field))


def _numbers(events: Events) -> Iterator[float]:
    for condition in events.where:
        yield from (float(n) for n in (condition.value, condition.upper) if isinstance(n, int | float))
    if events.encounter is not None:
        yield from (float(n) for n in (events.encounter.n, events.encounter.id) if n is not None)
    if events.repeated is not None:
        yield from (float(n) for n in (events.repeated.at_least, events.repeated.at_most) if n is not None)
    if events.pick is not None:
        yield from (float(events.pick.n), float(events.pick.n - 1))
    for related in events.related:
        yield from (float(n) for n in (related.within_days, related.within_months) if n is not None)
        yield from _numbers(related.events)
