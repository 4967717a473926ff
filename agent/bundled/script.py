"""Plan scripts: the short token language that the bundled planner writes, and its grammar.

A script is a :class:`~agent.query.model.ClinicalQuery` in which everything that comes from the question is a
pointer: ``v1`` a linked value, ``t1`` a period, ``e1`` an encounter, ``n1`` a number. "What was the patient's
last potassium this admission?" is ``one rows .value lab( v1 e1 pick( which=last ) )``. Questions that are no
query to the tables have scripts of one word (:data:`ASIDES`).

The grammar is not written down a second time: it follows from the fields of the query model. One reader walks
them, and at each step says which tokens may come next; parsing sends it the script's tokens, decoding sends it
the likeliest one that is allowed, so that a model cannot write a script that does not parse.
"""

import types
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from agent.bundled.pointers import MOST, NUMBER_FORMS, Pointers
from agent.query.domains import bindings, shared_fields
from agent.query.model import (
    Ask,
    ClinicalQuery,
    Concept,
    Condition,
    Domain,
    Encounter,
    Events,
    Pick,
    Window,
)
from knowledge.errors import QueryRejected

ASIDES = ("notes", "action_request", "not_in_schema", "out_of_scope", "judgement")
END = "<end>"
WHO = ("one", "all")
LITERALS = tuple(str(number) for number in (*range(13), 14, 20, 24, 28, 30, 48, 60, 72, 90, 100, 180, 365))
WORDS = ("low", "high", "abnormal", "normal", "critical")
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "between", "outside", "known", "unknown")
_WINDOW_ON = {"time": "", "end": "@end", "overlap": "@overlap"}
_ASSUMED = {"this_admission": Encounter(), "this_icu": Encounter(kind="icu_stay")}
_STANDARD = ("time", "end", "value", "unit", "name", "subject_id", "hadm_id", "duration")  # of every event
_SKIPPED = {("Rows", "also"), ("Events", "patient"), ("Change", "at_least"), ("Exists", "among")}
_CLOSING = (
    ")",
    "subject)",
)  # the second: events of the one patient in a question about many ("as old as patient 7")
_T = TypeVar("_T")

Reader = Generator[tuple[str, ...], str, _T]


class NotAScript(QueryRejected):
    """The tokens are no plan script, or point at what the question does not have."""


def parse(tokens: Sequence[str], pointers: Pointers) -> ClinicalQuery:
    """The query that a script means for one question.

    Args:
        tokens: the script, without :data:`END`.
        pointers: what the question names, and whom ``one`` means.

    Raises:
        NotAScript: the tokens are no script, or the query they give is invalid.
    """
    reader = _query(pointers)
    try:
        allowed = next(reader)
        for token in (*tokens, END):
            if token not in allowed:
                raise NotAScript("The plan is not valid: a token stands where it may not.")
            allowed = reader.send(token)
    except StopIteration as done:
        return done.value
    except (ValidationError, ValueError):
        raise NotAScript("The plan is not valid: its parts do not go together.") from None
    raise NotAScript("The plan is not valid: it is not finished.")


def allowed_next(tokens: Sequence[str], pointers: Pointers) -> tuple[str, ...]:
    """The tokens that may follow; :data:`END` is one of them where the script may stop.

    None may follow where the parts so far do not go together, such as a range without numbers.

    Raises:
        NotAScript: a token stands where it may not.
    """
    if not tokens:
        return (*WHO, *ASIDES)
    if tokens[0] in ASIDES:
        return (END,)
    reader = _query(pointers.loosely())
    allowed = next(reader)
    try:
        for token in tokens:
            if token not in allowed:
                raise NotAScript("The plan is not valid: a token stands where it may not.")
            allowed = reader.send(token)
    except (StopIteration, ValidationError):
        return ()
    return allowed


def write(query: ClinicalQuery, pointers: Pointers) -> tuple[str, ...] | None:
    """The script of a query, or ``None`` where it holds what the question does not name."""
    if getattr(query.ask, "at_least", None) is not None or getattr(query.ask, "among", False):
        return None  # these are read without the network
    try:
        tokens = ["all" if query.patient is None else "one", *_write_model(query.ask, pointers, None)]
        return (*tokens, *_write_events(query.of, pointers))
    except NotAScript:
        return None


@cache
def vocabulary() -> tuple[str, ...]:
    """Every token that a script can have, in a fixed order."""
    found = dict.fromkeys((END, *WHO, *ASIDES, *_asks()))
    for kind in (*_asks().values(), Events, *_parts(Events), Condition):
        for token in _tokens_of(kind):
            found.setdefault(token)
    for token in (
        *_CLOSING,
        *(f"{domain}(" for domain in get_args(Domain)),
        *(f".{field}" for field in _fields()),
        *(f"{field}:" for field in _fields()),
        *_ASSUMED,
        *OPERATORS,
        *(f"={word}" for word in WORDS),
        *LITERALS,
        *(f"v{place}" for place in range(1, MOST["v"] + 1)),
        *(f"t{place}{on}" for place in range(1, MOST["t"] + 1) for on in _WINDOW_ON.values()),
        *(f"e{place}" for place in range(1, MOST["e"] + 1)),
        *(f"n{place}{form}" for place in range(1, MOST["n"] + 1) for form in NUMBER_FORMS),
        "|",
    ):
        found.setdefault(token)
    return tuple(found)


# --- the model's fields ------------------------------------------------------------------------------------


@cache
def _asks() -> dict[str, type[BaseModel]]:
    return {get_args(kind.model_fields["ask"].annotation)[0]: kind for kind in get_args(get_args(Ask)[0])}


@cache
def _fields() -> tuple[str, ...]:
    names: dict[str, None] = dict.fromkeys((*_STANDARD, *shared_fields()))
    for binding in bindings().values():
        names.update(dict.fromkeys(binding.fields))
    return tuple(names)


def _parts(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The models inside a model, each once, Events and what has a writing of its own apart."""
    seen: set[type[BaseModel]] = {Events, Concept, Condition, Window, Encounter}
    queue = [kind]
    while queue:
        for _, annotation, _ in _slots(queue.pop()):
            inner = _unwrapped(annotation)
            if isinstance(inner, type) and issubclass(inner, BaseModel) and inner not in seen:
                seen.add(inner)
                queue.append(inner)
                yield inner


def _slots(kind: type[BaseModel]) -> list[tuple[str, Any, Any]]:
    """(name, annotation, default) of the fields that a script holds; required ones have ``...``."""
    return [
        (name, info.annotation, ... if info.is_required() else info.default)
        for name, info in kind.model_fields.items()
        if (kind.__name__, name) not in _SKIPPED and name not in ("ask", "domain")
    ]


def _unwrapped(annotation: Any) -> Any:
    """What is left of ``X | None`` and ``tuple[X, ...]``."""
    if get_origin(annotation) in (Union, types.UnionType):
        return _unwrapped(next(part for part in get_args(annotation) if part is not type(None)))
    if get_origin(annotation) is tuple:
        return _unwrapped(get_args(annotation)[0])
    return annotation


def _enumerated(annotation: Any) -> tuple[object, ...]:
    inner = _unwrapped(annotation)
    if inner is bool:
        return (True, False)
    return get_args(inner) if get_origin(inner) is Literal else ()


def _tokens_of(kind: type[BaseModel]) -> Iterator[str]:
    for name, annotation, default in _slots(kind):
        inner = _unwrapped(annotation)
        values = _enumerated(annotation)
        if values:
            yield from (_enum(name, value) for value in values if value != default)
        elif inner in (int, float) or (inner is str and name != "fields"):
            yield f"{name}="
        elif (
            isinstance(inner, type)
            and issubclass(inner, BaseModel)
            and inner not in (Concept, Window, Encounter)
        ):
            yield f"{name}("


def _enum(name: str, value: object) -> str:
    return f"{name}={str(value).lower() if isinstance(value, bool) else value}"


# --- reading -----------------------------------------------------------------------------------------------


def _query(pointers: Pointers) -> Reader[ClinicalQuery]:
    who = yield WHO
    name = yield tuple(_asks())
    ask, first = yield from _model(_asks()[name], pointers, domain_starts())
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
    fields, closing = yield from _model(Events, pointers, _CLOSING, domain)
    patient = pointers.subject_id if closing == "subject)" else None
    return Events.model_validate({"domain": domain, "patient": patient, **fields})


def _model(
    kind: type[BaseModel], pointers: Pointers, closing: tuple[str, ...], domain: str | None = None
) -> Reader[tuple[dict[str, Any], str]]:
    """Reads the fields of a model in their order, up to one of the closing tokens; gives that one, too."""
    slots = _slots(kind)
    found: dict[str, Any] = {}
    at = 0
    while True:
        options: dict[str, int] = {}
        for index in range(at, len(slots)):
            name, annotation, default = slots[index]
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
        name, annotation, _ = slots[at]
        value = yield from _value(name, annotation, token, pointers, domain)
        if get_origin(annotation) is tuple:
            found[name] = (*found.get(name, ()), value)
        else:
            found[name] = value


def _starts(
    name: str, annotation: Any, default: Any, pointers: Pointers, domain: str | None
) -> tuple[str, ...]:
    """The tokens with which a field begins."""
    inner = _unwrapped(annotation)
    values = _enumerated(annotation)
    if values:
        return tuple(_enum(name, value) for value in values if value != default)
    if inner is Concept:
        plain = tuple(f"v{place}" for place in pointers.values_of(str(domain), "name"))
        return (*plain, *(f"{field}:" for field in pointers.value_fields(str(domain))))
    if inner is Window:
        return tuple(f"t{place}{on}" for place in pointers.places("t") for on in _WINDOW_ON.values())
    if inner is Encounter:
        return (*(f"e{place}" for place in pointers.places("e")), *_ASSUMED)
    if name == "fields":
        return tuple(f".{field}" for field in _fields())
    if inner in (int, float, str):
        return (f"{name}=",)
    return (f"{name}(",)


def _value(name: str, annotation: Any, token: str, pointers: Pointers, domain: str | None) -> Reader[Any]:
    inner = _unwrapped(annotation)
    values = _enumerated(annotation)
    if values:
        return next(value for value in values if _enum(name, value) == token)
    if inner is Concept:
        return (yield from _concept(token, pointers, str(domain)))
    if inner is Window:
        place, _, on = token[1:].partition("@")
        return pointers.window(int(place)).model_copy(update={"on": on or "time"})
    if inner is Encounter:
        return _ASSUMED[token] if token in _ASSUMED else pointers.encounter(int(token[1:]))
    if inner is Condition:
        return (yield from _condition(pointers))
    if name == "fields":
        return token[1:]
    if inner in (int, float):
        chosen = yield _numbers(pointers)
        value = _number(chosen, pointers)[0]
        return int(value) if inner is int else value
    if inner is str:
        return (yield tuple(f".{field}" for field in _fields()))[1:]
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
    field = (yield tuple(f".{field}" for field in _fields()))[1:]
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


# --- writing -----------------------------------------------------------------------------------------------


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
    tokens = [model.ask] if isinstance(model, tuple(_asks().values())) else []  # pyright: ignore[reportAttributeAccessIssue]
    for name, annotation, default in _slots(type(model)):
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
    if _unwrapped(annotation) not in (int, float) or not isinstance(value, int | float):
        return False
    return value != 1 and pointers.number_token(float(value)) is not None


def _writer(name: str, annotation: Any, pointers: Pointers, domain: str | None) -> Callable[[Any], list[str]]:
    inner = _unwrapped(annotation)
    if _enumerated(annotation):
        return lambda value: [_enum(name, value)]
    if inner is Concept:
        return lambda value: _write_concept(value, pointers, str(domain))
    if inner is Window:
        return lambda value: [f"t{_found(pointers.place_of_window(value))}{_WINDOW_ON[value.on]}"]
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
    if name not in _fields():
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
    return _found(next((token for token, assumed in _ASSUMED.items() if assumed == encounter), None))


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
