"""Asks something else of the events of the last question: "the highest?", "when was that?", "按月呢".

The events, their time and stay are kept; which of them is picked and what is shown of them changes.
"""

from typing import Literal, cast

from agent.planning.followup_lexicon import fields_of, shown_fields
from agent.planning.followup_words import Edit
from agent.query.domains import Binding, bindings, shared_fields
from agent.query.model import (
    Ask,
    Change,
    ClinicalQuery,
    Condition,
    Count,
    Domain,
    Elapsed,
    Events,
    Exists,
    Group,
    Pick,
    Rows,
    Statistic,
    Top,
    Trend,
    Unit,
)

_VALUE = ("time", "value", "unit")
_STAYS = {"admission": "admission", "icu_stay": "icu_stay"}
_TOP = 5
_TIMES: dict[str, tuple[str, tuple[Domain, ...]]] = {  # the field that is shown, and of which events alone
    "when": ("time", ()),
    "end": ("end", ()),
    "stopped": ("end", ("drug", "input")),
    "admitted": ("time", ("admission", "icu_stay")),
    "discharged": ("end", ("admission", "icu_stay")),
}
Function = Literal["mean", "min", "max", "sum", "median"]
_FUNCTIONS: dict[str, Function] = {
    "max": "max",
    "min": "min",
    "longest": "max",
    "shortest": "min",
    "mean": "mean",
    "median": "median",
    "sum": "sum",
}


def asked_anew(query: ClinicalQuery, edit: Edit) -> ClinicalQuery | None:
    """The query with what the edit asks; ``None`` where that cannot be asked of these events."""
    if edit.limit is not None and edit.limit[1][1] is None:  # with a unit it is a span of time
        return _limited(query, edit)
    if not edit.asks:
        asks_whether = "yes_no" in edit.leans and edit.narrows and not is_of_many(query)
        return _with(query, Exists(), query.of) if asks_whether and not edit.limit else query
    if edit.bucket or edit.group:
        return _grouped(query, edit)
    if edit.form == "top":
        return _top(query, edit)
    if edit.field == "age" and edit.form in ("mean", "median") and is_of_many(query):
        ask = Statistic(function=_FUNCTIONS[edit.form], field="age", per="patient", inner="max")
        return _with(query, ask, query.of.model_copy(update={"pick": None}))
    if edit.field == "frequency" or edit.form == "often":
        has_one = _has(bindings()[query.of.domain], "frequency")
        return _field(query, "frequency") if has_one else _formed(query, "count")  # how many times
    lacks_dose = edit.field == "dose" and not _has(bindings()[query.of.domain], "dose")
    if edit.field is not None and not (
        lacks_dose and edit.form
    ):  # "how much each time, on average?" of amounts
        return _field(query, edit.field)
    if edit.pick in ("longest", "shortest"):
        return _duration(query, _FUNCTIONS[edit.pick])
    if edit.form in _FUNCTIONS:
        return _statistic(query, _FUNCTIONS[edit.form])
    picked = query if edit.pick is None else _picked(query, edit)
    if picked is None or edit.form is None:
        return picked
    if edit.form == "value" and (edit.pick is not None or _gives_value(query.ask)):
        return picked  # "what was it yesterday?" after the highest of today
    return _formed(picked, edit.form, edit.unit)


def _gives_value(ask: Ask) -> bool:
    return isinstance(ask, Statistic) or (isinstance(ask, Rows) and "value" in ask.fields)


def is_of_many(query: ClinicalQuery) -> bool:
    """Whether a query is about patients rather than about one patient's events."""
    return query.patient is None


def _formed(query: ClinicalQuery, form: str, unit: Unit | None = None) -> ClinicalQuery | None:
    of, at = query.of, bindings()[query.of.domain]
    everything = of.model_copy(update={"pick": None})
    if form in ("count", "names", "people"):
        return _with(query, _count(query, form), everything)
    if form == "list":
        shown = ("subject_id",) if is_of_many(query) else _named(of, shown_fields(of.domain))
        return _with(query, Rows(fields=shown, distinct=at.value is None or is_of_many(query)), everything)
    if form == "exists":
        return _with(query, Exists(), everything)
    if form in _TIMES:
        return _time(query, at, form)
    if form in ("duration", "since"):
        if form == "duration" and at.end is None:
            return None
        pick = of.pick or (Pick(which="last") if form == "since" else None)
        ask = Elapsed(what="duration" if form == "duration" else "since", unit=unit or "days")
        return _with(query, ask, of.model_copy(update={"pick": pick}))
    if form in ("susceptible", "resistant"):
        if of.domain != "microbiology":
            return None
        found = Condition(field="interpretation", value="S" if form == "susceptible" else "R")
        where = (*(c for c in of.where if c.field != "interpretation"), found)
        return _with(query, Rows(fields=("organism", "antibiotic")), of.model_copy(update={"where": where}))
    if form == "trend" and is_of_many(query):
        return _grouped(query, Edit(bucket="month"))
    if at.value is None or is_of_many(query):
        return None
    if form == "trend":
        return _with(query, Trend(), everything)
    if form == "change":
        return _with(query, Change(), everything)
    if form == "versus":
        return _with(query, Change(earlier=Pick(which="last", n=2)), everything)
    return _with(query, Rows(fields=_named(of, _VALUE), distinct=False), of)


def _picked(query: ClinicalQuery, edit: Edit) -> ClinicalQuery | None:
    of, ask, at = query.of, query.ask, bindings()[query.of.domain]
    if edit.pick in ("max", "min"):
        function = _FUNCTIONS[edit.pick]
        if isinstance(ask, Statistic) and (ask.per is not None or ask.field != "value"):
            return _with(query, ask.model_copy(update={"function": function}), of)
        if isinstance(ask, Elapsed) and ask.what == "duration":
            return _duration(query, function)
        if isinstance(ask, Group) and edit.pick == "max" and ask.by is not None:
            counted = "patients" if ask.figure == "patients" else "events"
            top = Top(n=1, field=ask.by, by=counted)
            return _with(query, top, of) if ask.figure in ("events", "patients") else None
        if at.value is None or isinstance(ask, Group):
            return None
        if is_of_many(query):  # a pick is for each patient; the highest of all is a figure
            return _with(query, Statistic(function=function), of.model_copy(update={"pick": None}))
        pick = Pick(which=edit.pick)
        return _with(query, Rows(fields=_named(of, _VALUE)), of.model_copy(update={"pick": pick}))
    if is_of_many(query):
        return None
    pick = _by_time(of, edit)
    encounter = None if of.encounter and of.encounter.kind == _STAYS.get(of.domain) else of.encounter
    status = None if edit.pick == "before" else of.status  # what came before it has ended
    of = of.model_copy(update={"pick": pick, "encounter": encounter, "status": status})
    if isinstance(ask, Rows | Elapsed):
        return _with(query, ask, of)
    shown = _VALUE if at.distinct_items else shown_fields(of.domain)
    return _with(query, Rows(fields=_named(of, shown)), of)


def _by_time(of: Events, edit: Edit) -> Pick:
    if edit.pick != "before":
        return Pick(which=cast(Literal["first", "last"], edit.pick))
    last = of.pick if of.pick is not None and of.pick.which == "last" else Pick(which="last")
    return last.model_copy(update={"n": last.n + 1})


def _count(query: ClinicalQuery, form: str) -> Count:
    if form == "names":
        return Count(of="names")
    asks_patients = isinstance(query.ask, Count) and query.ask.of == "patients"
    asks_patients = asks_patients or (isinstance(query.ask, Rows) and query.ask.fields[0] == "subject_id")
    if form == "people" or (is_of_many(query) and asks_patients):
        return Count(of="patients")
    if isinstance(query.ask, Rows) and query.ask.distinct and query.ask.fields[0] == "name":
        return Count(of="names")
    return Count(of="admissions" if query.of.domain == "admission" else "events")


def _time(query: ClinicalQuery, at: Binding, form: str) -> ClinicalQuery | None:
    """When the picked events were; of the highest of all, when that was."""
    of, ask = query.of, query.ask
    field, domains = _TIMES[form]
    if (domains and of.domain not in domains) or (field == "end" and at.end is None):
        return None
    if isinstance(ask, Statistic) and ask.per is None and ask.field == "value":
        if ask.function not in ("min", "max"):
            return None
        of = of.model_copy(update={"pick": Pick(which=ask.function)})
    if isinstance(ask, Change | Group | Top):
        return None
    shown = (field,)
    if of.pick is not None and of.pick.which in ("min", "max"):
        shown = (*shown, "value", "unit")
    if is_of_many(query):
        shown = ("subject_id", *shown)
    return _with(query, Rows(fields=_named(of, shown)), of)


def _statistic(query: ClinicalQuery, function: Function) -> ClinicalQuery | None:
    of, ask, at = query.of, query.ask, bindings()[query.of.domain]
    if isinstance(ask, Statistic):
        return _with(query, ask.model_copy(update={"function": function}), of)
    if isinstance(ask, Elapsed) and ask.what == "duration":
        return _duration(query, function)
    if isinstance(ask, Group) and function in ("mean", "sum"):
        return _with(query, ask.model_copy(update={"figure": function}), of) if at.value else None
    if at.value is None:
        return None
    return _with(query, Statistic(function=function), of.model_copy(update={"pick": None}))


def _duration(query: ClinicalQuery, function: Function) -> ClinicalQuery | None:
    """A figure of how long the events lasted: of all stays, where one of them was asked about."""
    of = query.of
    if bindings()[of.domain].end is None:
        return None
    encounter = None if of.encounter and of.encounter.kind == _STAYS.get(of.domain) else of.encounter
    of = of.model_copy(update={"pick": None, "encounter": encounter})
    return _with(query, Statistic(function=function, field="duration"), of)


def _grouped(query: ClinicalQuery, edit: Edit) -> ClinicalQuery | None:
    of, ask, at = query.of, query.ask, bindings()[query.of.domain]
    if edit.group is not None and not _has(at, edit.group):
        return None
    if (
        of.domain == "patient"
        and edit.group is not None
        and shared_fields()[edit.group].table == "admissions"
    ):
        of = of.model_copy(update={"domain": "admission"})  # what patients have one of for each stay
    figure, field = "events", "value"
    if edit.form == "people":
        figure = "patients"
    elif isinstance(ask, Count) and ask.of in ("patients", "admissions"):
        figure = ask.of
    elif isinstance(ask, Group):
        figure, field = ask.figure, ask.field
    elif isinstance(ask, Statistic) and ask.function != "median":
        figure, field = ask.function, ask.field
    elif isinstance(ask, Rows | Trend) and at.distinct_items:
        figure = "mean"
    elif isinstance(ask, Rows) and ask.fields[0] == "subject_id":
        figure = "patients"
    group = Group(by=edit.group, bucket=edit.bucket, figure=figure, field=field)
    return _with(query, group, of.model_copy(update={"pick": None}))


def _top(query: ClinicalQuery, edit: Edit) -> ClinicalQuery | None:
    at = bindings()[query.of.domain]
    field = "name" if edit.field is None else fields_of(edit.field)[0]
    if not _has(at, field) or at.distinct_items:
        return None
    n = 1 if edit.field is not None else _TOP
    return _with(query, Top(n=n, field=field), query.of.model_copy(update={"pick": None}))


def _field(query: ClinicalQuery, name: str) -> ClinicalQuery | None:
    of, at = query.of, bindings()[query.of.domain]
    shown = tuple(field for field in fields_of(name) if _has(at, field))
    if not shown or fields_of(name)[0] not in shown:
        return None
    shown = ("substance", *shown) if "substance" in at.fields else _named(of, shown)
    if is_of_many(query):
        shown = ("subject_id", *shown)
    return _with(query, Rows(fields=shown), of)


def _limited(query: ClinicalQuery, edit: Edit) -> ClinicalQuery | None:
    if edit.limit is None or is_of_many(query) or edit.asks:
        return None
    which, (count, _) = edit.limit
    of = query.of
    ask = query.ask if isinstance(query.ask, Rows) else None
    shown = ask.fields if ask is not None else _named(of, shown_fields(of.domain))
    order = "time_desc" if which == "last" else "time"
    rows = Rows(fields=shown, distinct=False, order=order, limit=int(count))
    return _with(query, rows, of.model_copy(update={"pick": None})) if count >= 1 else None


def _has(at: Binding, field: str) -> bool:
    return field in at.fields or field in shared_fields()


def _named(of: Events, shown: tuple[str, ...]) -> tuple[str, ...]:
    """Fields with the name where the events may have several, and without where they have one."""
    rest = tuple(field for field in shown if field != "name")
    one = sum(len(concept.values) for concept in of.concepts if concept.field == "name") == 1
    at = bindings()[of.domain]
    if one and (at.distinct_items or "name" not in shown):
        return rest
    naming = at.distinct_items or of.domain in ("drug", "procedure", "diagnosis", "input", "output")
    return ("name", *rest) if naming and "subject_id" not in shown else shown


def _with(query: ClinicalQuery, ask: Ask, of: Events) -> ClinicalQuery:
    return query.model_copy(update={"ask": ask, "of": of})
