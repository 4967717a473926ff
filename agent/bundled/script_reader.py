"""Reads plan scripts, token by token, and says at each step which may come next."""

from collections.abc import Generator
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel

from agent.bundled.grammar import (
    ASSUMED,
    CLOSING,
    END,
    LITERALS,
    OPERATORS,
    WHO,
    WINDOW_ON,
    WORDS,
    asks,
    enum,
    enumerated,
    fields_of_events,
    slots,
    unwrapped,
)
from agent.bundled.pointers import NUMBER_FORMS, Pointers
from agent.query.model import ClinicalQuery, Concept, Condition, Domain, Encounter, Events, Window

_T = TypeVar("_T")
Reader = Generator[tuple[str, ...], str, _T]


def query_reader(pointers: Pointers) -> Reader[ClinicalQuery]:
    """Yields the tokens that may come next, is sent the one that does, and returns the query."""
    who = yield WHO
    name = yield tuple(asks())
    ask, first = yield from _model(asks()[name], pointers, domain_starts())
    of = yield from _events(first, pointers)
    token = yield (END,)
    del token
    asked = {"ask": name, **ask}
    return ClinicalQuery.model_validate(
        {"ask": asked, "of": of, "patient": pointers.subject_id if who == "one" else None}
    )


@cache
def domain_starts() -> tuple[str, ...]:
    """The tokens that open a set of events."""
    return tuple(f"{domain}(" for domain in get_args(Domain))


def _events(opening: str, pointers: Pointers) -> Reader[Events]:
    domain = opening[:-1]
    fields, closing = yield from _model(Events, pointers, CLOSING, domain)
    patient = pointers.subject_id if closing == "subject)" else None
    return Events.model_validate({"domain": domain, "patient": patient, **fields})


def _model(
    kind: type[BaseModel], pointers: Pointers, closing: tuple[str, ...], domain: str | None = None
) -> Reader[tuple[dict[str, Any], str]]:
    """Reads the fields of a model in their order, up to one of the closing tokens; gives that one, too."""
    parts = slots(kind)
    found: dict[str, Any] = {}
    at = 0
    while True:
        options: dict[str, int] = {}
        for index in range(at, len(parts)):
            name, annotation, default = parts[index]
            if name in found and get_origin(annotation) is not tuple:
                continue
            for token in _starts(name, annotation, default, pointers, domain):
                options.setdefault(token, index)
            if default is ... and name not in found:
                break
        else:
            options.update(dict.fromkeys(closing, -1))
        token = yield tuple(options)
        at = options[token]
        if at < 0:
            return found, token
        name, annotation, _ = parts[at]
        value = yield from _value(name, annotation, token, pointers, domain)
        if get_origin(annotation) is tuple:
            found[name] = (*found.get(name, ()), value)
        else:
            found[name] = value


def _starts(
    name: str, annotation: Any, default: Any, pointers: Pointers, domain: str | None
) -> tuple[str, ...]:
    """The tokens with which a field begins."""
    inner = unwrapped(annotation)
    values = enumerated(annotation)
    if values:
        return tuple(enum(name, value) for value in values if value != default)
    if inner is Concept:
        plain = tuple(f"v{place}" for place in pointers.values_of(str(domain), "name"))
        return (*plain, *(f"{field}:" for field in pointers.value_fields(str(domain))))
    if inner is Window:
        return tuple(f"t{place}{on}" for place in pointers.places("t") for on in WINDOW_ON.values())
    if inner is Encounter:
        return (*(f"e{place}" for place in pointers.places("e")), *ASSUMED)
    if name == "fields":
        return tuple(f".{field}" for field in fields_of_events())
    if inner in (int, float, str):
        return (f"{name}=",)
    return (f"{name}(",)


def _value(name: str, annotation: Any, token: str, pointers: Pointers, domain: str | None) -> Reader[Any]:
    inner = unwrapped(annotation)
    values = enumerated(annotation)
    if values:
        return next(value for value in values if enum(name, value) == token)
    if inner is Concept:
        return (yield from _concept(token, pointers, str(domain)))
    if inner is Window:
        place, _, on = token[1:].partition("@")
        return pointers.window(int(place)).model_copy(update={"on": on or "time"})
    if inner is Encounter:
        return ASSUMED[token] if token in ASSUMED else pointers.encounter(int(token[1:]))
    if inner is Condition:
        return (yield from _condition(pointers))
    if name == "fields":
        return token[1:]
    if inner in (int, float):
        chosen = yield _numbers(pointers)
        value = _number(chosen, pointers)[0]
        return int(value) if inner is int else value
    if inner is str:
        return (yield tuple(f".{field}" for field in fields_of_events()))[1:]
    if inner is Events:
        opening = yield domain_starts()
        events = yield from _events(opening, pointers)
        yield (")",)
        return events
    fields, _ = yield from _model(inner, pointers, (")",))
    return fields


def _concept(token: str, pointers: Pointers, domain: str) -> Reader[Concept]:
    """``v1 |`` or ``careunit: v1 |``; several pointers before the bar are alternatives."""
    field = "name"
    if token.endswith(":"):
        field = token[:-1]
        token = yield tuple(f"v{place}" for place in pointers.values_of(domain, field))
    places = [int(token[1:])]
    while True:
        later = tuple(f"v{place}" for place in pointers.values_of(domain, field) if place > places[-1])
        more = yield (*later, "|")
        if more == "|":
            return pointers.concept(domain, field, places)
        places.append(int(more[1:]))


def _condition(pointers: Pointers) -> Reader[dict[str, Any]]:
    field = (yield tuple(f".{field}" for field in fields_of_events()))[1:]
    op = yield OPERATORS
    found: dict[str, Any] = {"field": field, "op": op}
    if op not in ("known", "unknown"):
        words = () if op in ("between", "outside") else tuple(f"={word}" for word in WORDS)
        operand = yield (*_numbers(pointers), *words)
        if operand.startswith("="):
            found["value"] = operand[1:]
        else:
            found["value"], unit = _number(operand, pointers)
            found["unit"] = unit if field == "value" else None
            if op in ("between", "outside"):
                found["upper"], _ = _number((yield _numbers(pointers)), pointers)
    yield (")",)
    return found


def _numbers(pointers: Pointers) -> tuple[str, ...]:
    linked = tuple(f"n{place}{form}" for place in pointers.places("n") for form in NUMBER_FORMS)
    return (*linked, *LITERALS)


def _number(token: str, pointers: Pointers) -> tuple[float, str | None]:
    return pointers.number(token) if token.startswith("n") else (float(token), None)
