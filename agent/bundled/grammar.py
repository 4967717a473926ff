"""What a plan script is made of: its tokens, which follow from the fields of the query model, in their order."""

import types
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from agent.bundled.pointers import MOST, NUMBER_FORMS
from agent.query.domains import bindings, shared_fields
from agent.query.model import Ask, Concept, Condition, Domain, Encounter, Events, Window
from knowledge.errors import QueryRejected

ASIDES = ("notes", "action_request", "not_in_schema", "out_of_scope", "judgement")
END = "<end>"
WHO = ("one", "all")
LITERALS = tuple(str(number) for number in (*range(13), 14, 20, 24, 28, 30, 48, 60, 72, 90, 100, 180, 365))
WORDS = ("low", "high", "abnormal", "normal", "critical")
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "between", "outside", "known", "unknown")
WINDOW_ON = {"time": "", "end": "@end", "overlap": "@overlap"}
ASSUMED = {"this_admission": Encounter(), "this_icu": Encounter(kind="icu_stay")}
_STANDARD = ("time", "end", "value", "unit", "name", "subject_id", "hadm_id", "duration")  # of every event
_SKIPPED = {
    ("Rows", "also"),
    ("Top", "cut"),
    ("Events", "patient"),
    ("Change", "at_least"),
    ("Exists", "among"),
}
CLOSING = (
    ")",
    "subject)",
)  # the second: events of the one patient in a question about many ("as old as patient 7")


class NotAScript(QueryRejected):
    """The tokens are no plan script, or point at what the question does not have."""


@cache
def vocabulary() -> tuple[str, ...]:
    """Every token that a script can have, in a fixed order."""
    found = dict.fromkeys((END, *WHO, *ASIDES, *asks()))
    for kind in (*asks().values(), Events, *_parts(Events), Condition):
        for token in _tokens_of(kind):
            found.setdefault(token)
    for token in (
        *CLOSING,
        *(f"{domain}(" for domain in get_args(Domain)),
        *(f".{field}" for field in fields_of_events()),
        *(f"{field}:" for field in fields_of_events()),
        *ASSUMED,
        *OPERATORS,
        *(f"={word}" for word in WORDS),
        *LITERALS,
        *(f"v{place}" for place in range(1, MOST["v"] + 1)),
        *(f"t{place}{on}" for place in range(1, MOST["t"] + 1) for on in WINDOW_ON.values()),
        *(f"e{place}" for place in range(1, MOST["e"] + 1)),
        *(f"n{place}{form}" for place in range(1, MOST["n"] + 1) for form in NUMBER_FORMS),
        "|",
    ):
        found.setdefault(token)
    return tuple(found)


@cache
def asks() -> dict[str, type[BaseModel]]:
    """What can be asked, by the name that a script begins with."""
    return {get_args(kind.model_fields["ask"].annotation)[0]: kind for kind in get_args(get_args(Ask)[0])}


@cache
def fields_of_events() -> tuple[str, ...]:
    """The names of all fields that events can have."""
    names: dict[str, None] = dict.fromkeys((*_STANDARD, *shared_fields()))
    for binding in bindings().values():
        names.update(dict.fromkeys(binding.fields))
    return tuple(names)


def _parts(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The models inside a model, each once, Events and what has a writing of its own apart."""
    seen: set[type[BaseModel]] = {Events, Concept, Condition, Window, Encounter}
    queue = [kind]
    while queue:
        for _, annotation, _ in slots(queue.pop()):
            inner = unwrapped(annotation)
            if isinstance(inner, type) and issubclass(inner, BaseModel) and inner not in seen:
                seen.add(inner)
                queue.append(inner)
                yield inner


def slots(kind: type[BaseModel]) -> list[tuple[str, Any, Any]]:
    """(name, annotation, default) of the fields that a script holds; required ones have ``...``."""
    return [
        (name, info.annotation, ... if info.is_required() else info.default)
        for name, info in kind.model_fields.items()
        if (kind.__name__, name) not in _SKIPPED and name not in ("ask", "domain")
    ]


def unwrapped(annotation: Any) -> Any:
    """What is left of ``X | None`` and ``tuple[X, ...]``."""
    if get_origin(annotation) in (Union, types.UnionType):
        return unwrapped(next(part for part in get_args(annotation) if part is not type(None)))
    if get_origin(annotation) is tuple:
        return unwrapped(get_args(annotation)[0])
    return annotation


def enumerated(annotation: Any) -> tuple[object, ...]:
    """The values that a field can have, where they can be listed."""
    inner = unwrapped(annotation)
    if inner is bool:
        return (True, False)
    return get_args(inner) if get_origin(inner) is Literal else ()


def _tokens_of(kind: type[BaseModel]) -> Iterator[str]:
    for name, annotation, default in slots(kind):
        inner = unwrapped(annotation)
        values = enumerated(annotation)
        if values:
            yield from (enum(name, value) for value in values if value != default)
        elif inner in (int, float) or (inner is str and name != "fields"):
            yield f"{name}="
        elif (
            isinstance(inner, type)
            and issubclass(inner, BaseModel)
            and inner not in (Concept, Window, Encounter)
        ):
            yield f"{name}("


def enum(name: str, value: object) -> str:
    """The token of one of those values."""
    return f"{name}={str(value).lower() if isinstance(value, bool) else value}"
