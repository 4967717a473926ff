"""The query of a chart, composed of what is counted, by what, in which buckets of time: "admissions by month and sex".

Charts are asked for in more combinations than ready-made queries can list, and with few words. A question
is read here only where those words (``chart_asks.yaml``) and the linked values explain all of it; what does
not is for the planner, so that no restriction is dropped.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, cast

from agent.answer import Language
from agent.charts.mark import Mark
from agent.planning.chart_parts import WORDS, asks, field_of, parts_of
from agent.planning.choose import choose, choose_in
from agent.planning.intent import kind_of
from agent.planning.link import Link, Linked
from agent.query.domains import bindings, shared_fields
from agent.query.model import (
    Bucket,
    ClinicalQuery,
    Concept,
    Condition,
    Domain,
    Events,
    Group,
    Readmission,
    Rows,
    Top,
    Trend,
)

_DAYS, _TOP, _ALL = 30, 10, 30
_MEASURED = frozenset({"measure", "input", "output"})
_EVENTS: frozenset[str] = frozenset(
    {"diagnosis", "drug", "procedure", "organism", "specimen", "input", "output"}
)
_WIDE: frozenset[Mark | None] = frozenset({"histogram", "box"})
_BARS: frozenset[Mark | None] = frozenset({"bar", "arc", "line"})
_OF_RECORD = frozenset(
    "route specimen organism antibiotic interpretation event_type note_type type vaccine substance".split()
)
_OF_MANY = frozenset({"patient", "admission", "discharge", "readmission", "icu_stay"})
_TYPED: frozenset[Domain] = frozenset({"admission", "transfer", "cost", "note"})  # their field ``type``
_OF_PATIENT = frozenset({"gender", "race"})
Figure = Literal["events", "patients", "admissions", "mean", "min", "max", "sum"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A chart's query, and what was assumed of the values in it."""

    query: ClinicalQuery
    assumptions: tuple[str, ...]


@dataclass(slots=True)
class _Said:
    """The parts that a question names, in its order."""

    things: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    spans: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    buckets: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    values: list[tuple[str, Domain, Concept]] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    categories: list[Link] = field(default_factory=list)


def chart_query(
    rest: str, language: Language, linked: Linked, subject_id: int | None, mark: Mark | None
) -> Asked | None:
    """The query of a chart, or ``None`` where the question holds more than is understood here.

    Args:
        rest: the question with its chart words blanked, so that places in it hold.
        language: of the question.
        linked: what it names, without the chart words.
        subject_id: the patient that is named or open.
        mark: the mark that was asked for.
    """
    said = _read(rest, language, linked)
    if said is None:
        return None
    if "whose" in said.words and subject_id is None:
        return None  # "her" without a patient is a question back
    _compared(said)
    events, ask = _events(said), None
    if events is None:
        return None
    within = _within(said, events, language)
    if within is None or not _fits(said, events):
        return None
    of_one = subject_id is not None and "many" not in said.words and not _is_cohort(said, linked)
    if "readmission" in said.things and not (said.groups or said.spans or said.values):
        days = next(iter(said.numbers), _DAYS)
        ask = Readmission(days=days, bucket=cast(Bucket, said.buckets[0]) if said.buckets else "month")
    elif said.spans:
        ask, events = _of_span(said, events, mark)
    elif said.values and said.values[0][0] in _MEASURED:
        ask = _of_measure(said, mark, of_one=of_one)
    elif "top" in said.words or said.things[-1:] in (["diagnosis"], ["procedure"], ["drug"]):
        ask = _top(said)
    if ask is None:
        ask = _counts(said, events)
    if ask is None:
        return None
    if said.numbers and not isinstance(ask, Top | Readmission):
        return None  # a number that nothing takes up narrows the question in a way not understood
    windows = [time.window for time in linked.times if time.window is not None]
    stays = [time.encounter for time in linked.times if time.encounter is not None]
    if len(windows) > 1 or len(stays) > 1 or (stays and not of_one):
        return None
    events = events.model_copy(
        update={
            "concepts": (*events.concepts, *within),
            "where": tuple(_conditions(said)),
            "window": next(iter(windows), None),
            "encounter": next(iter(stays), None),
        }
    )
    patient = subject_id if of_one else None
    return Asked(ClinicalQuery(ask=ask, of=events, patient=patient), tuple(said.assumptions))


def _read(rest: str, language: Language, linked: Linked) -> _Said | None:
    """The parts of a question, or ``None`` where something is left over."""
    said = _Said()
    parts, left = parts_of(rest, language, linked)
    if left.strip() or not all(_take(said, kind, name, linked, language) for kind, name in parts):
        return None
    return said


def _take(said: _Said, kind: str, name: str, linked: Linked, language: Language) -> bool:
    """Add one part; ``False`` where it is a value that no chart is asked of."""
    if kind == "value":
        link = linked.values[int(name)]
        meant = next((k for c in link.candidates if (k := kind_of(c)) is not None), None)
        if meant is None:
            said.categories.append(link)
            return True
        if meant != "measure" and meant not in _EVENTS:
            return False
        choice = choose(link, meant, language)
        if choice.concept is None or choice.domain is None:
            return False
        said.values.append((meant, choice.domain, choice.concept))
        said.assumptions += [choice.assumption] if choice.assumption else []
    elif kind == "number":
        said.numbers.append(int(name))
    elif kind in WORDS:
        said.words.add(kind)
    elif name not in getattr(said, kind):
        getattr(said, kind).append(name)
    return True


def _compared(said: _Said) -> None:
    """Two values of one field are compared, not asked for at once: "men vs women" is by sex."""
    fields = Counter(asks()["filters"][name]["field"] for name in said.filters)
    for name, times in fields.items():
        if times > 1:
            said.filters = [each for each in said.filters if asks()["filters"][each]["field"] != name]
            said.groups += [name] if name not in said.groups else []
    held = Counter(link.candidates[0].field for link in said.categories)
    groups = {field_of(name): name for name in asks()["groups"]}
    for name, times in held.items():
        if times > 1 and name in groups and groups[name] not in said.groups:
            said.groups.append(groups[name])


def _within(said: _Said, events: Events, language: Language) -> tuple[Concept, ...] | None:
    """The categories that the events are restricted to ("emergency", "Chinese vs English"); ``None`` where one is none.

    Two of one field are a comparison: the events are of either.
    """
    found: dict[str, Concept] = {}
    for link in said.categories:
        at = bindings()[events.domain]
        place: tuple[Domain, str] | None = next(
            (
                (c.domain, c.field)
                for c in link.candidates
                if (c.domain == events.domain and c.field in at.fields)
                or (c.domain in ("patient", "admission") and c.field in shared_fields())
            ),
            None,
        )
        choice = choose_in(link, *place, language) if place else None
        if choice is None or choice.concept is None:
            return None
        before = found.get(choice.concept.field)
        if before is not None:
            values = dict.fromkeys((*before.values, *choice.concept.values))
            choice_said = f"{before.said}, {choice.concept.said}"
            found[before.field] = before.model_copy(update={"values": tuple(values), "said": choice_said})
        else:
            found[choice.concept.field] = choice.concept
        said.assumptions += [choice.assumption] if choice.assumption else []
    return tuple(found.values())


def _events(said: _Said) -> Events | None:
    """What the figures are of: the linked values, else the thing that is counted, else what a group belongs to."""
    if len(said.buckets) > 1 or len(said.figures) > 1 or len(said.groups) > 2:
        return None
    if said.values:
        return _of_values(said)
    things = [thing for thing in dict.fromkeys(said.things) if thing != "patient"]
    if len(things) > 1:
        return None
    if things:
        return Events(domain=asks()["things"][things[0]]["domain"])
    domains = [asks()["groups"][name]["domain"] for name in said.groups if name != "type"]
    domains += [asks()["spans"][name]["domain"] for name in said.spans]
    domains += ["patient"] if said.things else []
    if not domains or (said.buckets and set(domains) == {"patient"}):
        return None  # a patient has no time but the birth
    wider = [domain for domain in domains if domain != "patient"]
    return Events(domain=cast(Domain, wider[0] if wider else "patient"))


def _of_values(said: _Said) -> Events | None:
    """The events of the linked values; several measured items are drawn side by side."""
    kinds, domains = {kind for kind, _, _ in said.values}, {domain for _, domain, _ in said.values}
    if len(said.values) > 1 and (kinds != {"measure"} or len(domains) > 1 or said.buckets or said.groups):
        return None
    concepts = [concept for _, _, concept in said.values]
    merged = Concept(
        field=concepts[0].field,
        values=tuple(dict.fromkeys(value for concept in concepts for value in concept.values)),
        said=", ".join(concept.said for concept in concepts),
    )
    return Events(domain=said.values[0][1], concepts=(merged,))


def _conditions(said: _Said) -> Iterable[Condition]:
    """What the words leave out: other patients, cultures in which nothing grew."""
    for name in said.filters:
        raw = asks()["filters"][name]
        yield Condition(field=raw["field"], value=raw["value"])
    for thing in said.things:
        if (known := asks()["things"][thing].get("known")) is not None:
            yield Condition(field=known, op="known")


def _fits(said: _Said, events: Events) -> bool:
    """Whether the events have the groups: their own, or those of their patient or admission."""
    domains = {"patient", "admission", events.domain, *(["icu_stay"] if events.domain == "transfer" else [])}
    domains |= {"typed"} if events.domain in _TYPED else set()
    timed = "discharge" not in said.things or not said.buckets  # a series of admissions is by their start
    return timed and all(asks()["groups"][group]["domain"] in domains for group in said.groups)


def _is_cohort(said: _Said, linked: Linked) -> bool:
    """Whether only many patients can be meant: nothing points to one, and it is counted or grouped by who they are."""
    if linked.patients:
        return False
    by_person = {*said.groups, *said.spans, *said.filters} - _OF_RECORD
    return bool(by_person or _OF_MANY & {*said.things})


def _of_span(said: _Said, events: Events, mark: Mark | None) -> tuple[Rows | Group | None, Events]:
    """Ages or lengths of stay: single values, by group where one is named, or their mean in time or by group."""
    name = str(asks()["spans"][said.spans[0]].get("field", said.spans[0]))
    if len(said.spans) == 2 and not (said.groups or said.buckets or said.figures):
        names = tuple(str(asks()["spans"][span].get("field", span)) for span in said.spans)
        return Rows(fields=names, distinct=False), events
    if len(said.spans) > 1 or len(said.groups) + len(said.buckets) > 1:
        return None, events
    if events.domain == "patient" and set(said.groups) - _OF_PATIENT:
        events = events.model_copy(update={"domain": "admission"})
    if said.buckets or (said.figures and said.groups):
        figure = cast(Figure, said.figures[0] if said.figures else "mean")
        bucket = cast(Bucket, said.buckets[0]) if said.buckets else None
        by = None if bucket else field_of(said.groups[0])
        return Group(bucket=bucket, by=by, figure=figure, field=name), events
    if said.figures:
        return None, events
    if mark in _BARS and not said.groups:
        return Group(by=name, figure="patients" if events.domain == "patient" else "admissions"), events
    fields = (*(field_of(group) for group in said.groups), name)
    return Rows(fields=fields, distinct=False), events


def _of_measure(said: _Said, mark: Mark | None, *, of_one: bool) -> Trend | Rows | Group | None:
    """Measured values: in time, by group, as a distribution, or their mean in buckets of time or groups."""
    counted = any(thing in ("patient", "admission") for thing in said.things)
    counted = (
        counted and not said.figures and mark not in _WIDE
    )  # "the mean of patients", "boxes of patients by race"
    if counted or len(said.groups) + len(said.buckets) > 2 or "top" in said.words:
        return None
    figure = cast(Figure, said.figures[0]) if said.figures else None
    usual: Figure = "mean" if said.values[0][0] == "measure" else "sum"
    groups = [field_of(group) for group in said.groups]
    if said.buckets and mark not in _WIDE:
        series = groups[0] if groups else None
        return Group(bucket=cast(Bucket, said.buckets[0]), series=series, figure=figure or usual)
    if groups and figure:
        return Group(by=groups[0], series=groups[1] if len(groups) > 1 else None, figure=figure)
    if groups:
        return Rows(fields=(groups[0], "value", "unit"), distinct=False) if len(groups) == 1 else None
    if figure is not None and figure != usual:
        return None
    if of_one:
        return Trend()
    if mark not in _WIDE and not {"many", "spread"} & said.words:
        return None  # of whom is not said
    return Rows(fields=("value", "unit"), distinct=False)


def _top(said: _Said) -> Top | None:
    """The most frequent names of what is counted."""
    if said.buckets or said.spans or len(said.groups) > 1:
        return None
    named = field_of(said.groups[0]) if said.groups and "top" in said.words else "name"
    if said.groups and "top" not in said.words:
        return None
    by = "patients" if "patient" in said.things else "events"
    return Top(n=next(iter(said.numbers), _TOP), field=named, by=by)


def _counts(said: _Said, events: Events) -> Group | Top | None:
    """How many there are in each bucket of time or group, and of which kind."""
    groups = [field_of(group) for group in said.groups]
    if not (groups or said.buckets) or len(groups) + len(said.buckets) > 2 or said.numbers or said.figures:
        return None
    if groups == ["organism"] and not said.buckets:
        return Top(n=_ALL, field="organism")  # which counts cultures, not the antibiotics tested in them
    things = [asks()["things"][thing] for thing in said.things]
    figures = [thing["figure"] for thing in things]
    figure: Figure = "events"
    if "patients" in figures or events.domain == "patient":
        figure = "patients"
    elif events.domain == "admission":
        figure = "admissions"
    elif figures:
        figure = figures[0]
    bucket = cast(Bucket, said.buckets[0]) if said.buckets else None
    parts = groups if bucket else groups[1:]
    return Group(
        bucket=bucket,
        by=None if bucket else groups[0],
        series=parts[0] if parts else None,
        figure=figure,
        share="share" in said.words,
    )
