"""Writes queries as plan scripts, where the question names all that they hold."""

from collections.abc import Callable
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel

from agent.bundled.grammar import (
    ASSUMED,
    LITERALS,
    WINDOW_ON,
    WORDS,
    NotAScript,
    asks,
    enum,
    enumerated,
    fields_of_events,
    slots,
    unwrapped,
)
from agent.bundled.pointers import Pointers
from agent.query.model import ClinicalQuery, Concept, Condition, Encounter, Events, Pick, Window

_T = TypeVar("_T")


def write(query: ClinicalQuery, pointers: Pointers) -> tuple[str, ...] | None:
    """The script of a query, or ``None`` where it holds what the question does not name."""
    if getattr(query.ask, "at_least", None) is not None or getattr(query.ask, "among", False):
        return None  # these are read without the network
    try:
        tokens = ["all" if query.patient is None else "one", *_write_model(query.ask, pointers, None)]
        return (*tokens, *_write_events(query.of, pointers))
    except NotAScript:
        return None


def _write_events(events: Events, pointers: Pointers) -> list[str]:
    events = _by_encounter(events, pointers)
    if events.patient not in (None, pointers.subject_id):
        raise NotAScript("Events of another patient have no script.")
    closing = ")" if events.patient is None else "subject)"
    return [f"{events.domain}(", *_write_model(events, pointers, events.domain), closing]


def _by_encounter(events: Events, pointers: Pointers) -> Events:
    """The first or last completed stay written as the encounter that the question names, which is the same rows."""
    pick, kind = events.pick, events.domain
    if (
        kind not in ("admission", "icu_stay")
        or events.status != "ended"
        or pick is None
        or pick not in (Pick(which="first"), Pick(which="last"))
        or events.encounter is not None
    ):
        return events
    named = Encounter(kind=kind, which=pick.which)  # pyright: ignore[reportArgumentType]  # first or last
    if pointers.place_of_encounter(named) is None:
        return events
    return events.model_copy(update={"encounter": named, "status": None, "pick": None})


def _write_model(model: BaseModel, pointers: Pointers, domain: str | None) -> list[str]:
    tokens = [model.ask] if isinstance(model, tuple(asks().values())) else []  # pyright: ignore[reportAttributeAccessIssue]
    for name, annotation, default in slots(type(model)):
        value = getattr(model, name)
        write_one = _writer(name, annotation, pointers, domain)
        if get_origin(annotation) is tuple:
            for one in value:
                tokens += write_one(one)
        elif value is None or (value == default and not _is_named(value, annotation, pointers)):
            continue
        else:
            tokens += write_one(value)
    return tokens


def _is_named(value: object, annotation: Any, pointers: Pointers) -> bool:
    """Whether a default ("top 5") stands in the question, too, and is better pointed at."""
    if unwrapped(annotation) not in (int, float) or not isinstance(value, int | float):
        return False
    return value != 1 and pointers.number_token(float(value)) is not None


def _writer(name: str, annotation: Any, pointers: Pointers, domain: str | None) -> Callable[[Any], list[str]]:
    inner = unwrapped(annotation)
    if enumerated(annotation):
        return lambda value: [enum(name, value)]
    if inner is Concept:
        return lambda value: _write_concept(value, pointers, str(domain))
    if inner is Window:
        return lambda value: [f"t{_found(pointers.place_of_window(value))}{WINDOW_ON[value.on]}"]
    if inner is Encounter:
        return lambda value: [_write_encounter(value, pointers)]
    if inner is Condition:
        return lambda value: _write_condition(value, pointers)
    if name == "fields":
        return lambda value: [_field(value)]
    if inner in (int, float):
        return lambda value: [f"{name}=", _write_number(float(value), pointers)]
    if inner is str:
        return lambda value: [f"{name}=", _field(value)]
    if inner is Events:
        return lambda value: [f"{name}(", *_write_events(value, pointers), ")"]
    return lambda value: [f"{name}(", *_write_model(value, pointers, domain), ")"]


def _found(place: _T | None) -> _T:
    if place is None:
        raise NotAScript("The question does not name what the query holds.")
    return place


def _field(name: str) -> str:
    if name not in fields_of_events():
        raise NotAScript("The query holds a field that has no token.")
    return f".{name}"


def _write_concept(concept: Concept, pointers: Pointers, domain: str) -> list[str]:
    places = _found(pointers.places_of_concept(domain, concept))
    field = [] if concept.field == "name" else [f"{concept.field}:"]
    return [*field, *(f"v{place}" for place in places), "|"]


def _write_encounter(encounter: Encounter, pointers: Pointers) -> str:
    place = pointers.place_of_encounter(encounter)
    if place is not None:
        return f"e{place}"
    return _found(next((token for token, assumed in ASSUMED.items() if assumed == encounter), None))


def _write_condition(condition: Condition, pointers: Pointers) -> list[str]:
    tokens = ["where(", _field(condition.field), condition.op]
    if isinstance(condition.value, str):
        tokens.append(_found(f"={condition.value}" if condition.value in WORDS else None))
    elif condition.value is not None:
        tokens.append(_write_number(condition.value, pointers))
    if condition.upper is not None:
        tokens.append(_write_number(condition.upper, pointers))
    return [*tokens, ")"]


def _write_number(value: float, pointers: Pointers) -> str:
    literal = f"{value:g}"
    return _found(pointers.number_token(value) or (literal if literal in LITERALS else None))
