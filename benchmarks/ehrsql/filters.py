"""One SELECT over one table of events: what its WHERE, ORDER BY and LIMIT say, as ``Events`` of a patient."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from sqlglot import exp

from agent.query.domains import Binding, bindings, shared_fields
from agent.query.model import Concept, Condition, Domain, Encounter, Events, Pick, Related
from benchmarks.ehrsql.periods import Period, timed_column
from benchmarks.ehrsql.sql import (
    Unexpressed,
    conjuncts,
    joined,
    membership,
    number,
    table_of,
    text,
)

COMPARISONS: dict[type[exp.Expr], Literal["<", "<=", ">", ">="]] = {
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
NAMED_BY = ("hadm_id", "stay_id")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Events and the patient whose they are, ``None`` for everyone."""

    events: Events
    patient: int | None

    @property
    def domain(self) -> Domain:
        """The domain of the events."""
        return self.events.domain

    def picked(self, pick: Pick | None) -> "Chosen":
        """The same events with another pick."""
        return replace(self, events=self.events.model_copy(update={"pick": pick}))

    def related(self, related: Related) -> "Chosen":
        """The same events with one more partner."""
        partners = (*self.events.related, related)
        return replace(self, events=self.events.model_copy(update={"related": partners}))

    def as_partner_of(self, patient: int | None) -> Events:
        """The events as partners in a query about ``patient``."""
        if self.patient == patient:
            return self.events
        if self.patient is None:
            raise Unexpressed("a partner of any patient in a query about one")
        return self.events.model_copy(update={"patient": self.patient})


@cache
def domain_of(table: str) -> Binding:
    """The domain whose events lie in a table.

    Raises:
        Unexpressed: there is none.
    """
    for found in bindings().values():
        if found.table == table:
            return found
    raise Unexpressed("a table that holds no events of the typed query")


@cache
def normal_ranges() -> Mapping[str, tuple[float, float]]:
    """Lower and upper limits by measure, for queries that name a limit instead of a number."""
    path = Path(__file__).with_name("normal_ranges.tsv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        return MappingProxyType({r["measure"]: (float(r["lower"]), float(r["upper"])) for r in rows})


def field_of(at: Binding, column: exp.Expr) -> str:
    """The field of the typed query that a column of the statement stands for.

    Raises:
        Unexpressed: the domain has no such field.
    """
    if not isinstance(column, exp.Column):
        raise Unexpressed("an expression stands where a column is expected")
    name, table = column.name, column.table or at.table
    if table == at.table:
        times = {at.time: "time", at.end: "end"}
        if name in times:
            return times[name]
        if name in at.joins.values():  # the key of a dictionary stands for the name in it
            return "name"
        if name in at.fields and at.fields[name].column == name:
            return name
        for field, place in at.fields.items():
            if (place.table, place.column) == (table, name):
                return field
        if name == at.value:
            return "value"
    for field, place in shared_fields().items():
        if (place.table, place.column) == (table, name):
            return field
    raise Unexpressed("a column that is no field of its domain")


def measure_of(at: Binding, column: exp.Expr) -> str:
    """The field of a column that figures are computed of: ``value`` for the number of the event itself."""
    own = isinstance(column, exp.Column) and column.table in ("", at.table) and column.name == at.value
    return "value" if own else field_of(at, column)


def chosen(select: exp.Select, now: str) -> Chosen:
    """The events that a SELECT over one table (or that table joined to ``admissions``) is about.

    Raises:
        Unexpressed: a condition is none that the typed query has.
    """
    table = table_of(select)
    if table is None or any(not isinstance(j, exp.Table) or j.name != "admissions" for j in joined(select)):
        raise Unexpressed("the events do not come from one table")
    filters = _Filters(domain_of(table), now)
    for test in conjuncts(select):
        filters.add(test)
    found = filters.chosen()
    pick = _pick(select, domain_of(table))
    return found if pick is None else found.picked(pick)


def _pick(select: exp.Select, at: Binding) -> Pick | None:
    """The events that ``ORDER BY … LIMIT 1`` takes."""
    order, limit = select.args.get("order"), select.args.get("limit")
    if order is None and limit is None:
        return None
    if order is None or limit is None or number(limit.expression) != 1:
        raise Unexpressed("an order without LIMIT 1")
    offset = select.args.get("offset")
    n = 1 + (int(number(offset.expression)) if offset is not None else 0)
    first, *rest = order.expressions
    by = field_of(at, first.this)
    if by in ("time", "end") and not rest:
        return Pick(which="last" if first.args.get("desc") else "first", n=n)
    if by == "value" and len(rest) == 1 and n == 1 and field_of(at, rest[0].this) == "time":
        then = "last" if rest[0].args.get("desc") else "first"
        return Pick(which="max" if first.args.get("desc") else "min", then=then)
    raise Unexpressed("an order that is no pick by time or value")


class _Filters:
    """Collects the conditions of one WHERE clause."""

    def __init__(self, at: Binding, now: str) -> None:
        self._at, self._now = at, now
        self._patient: int | None = None
        self._periods: dict[Literal["time", "end"], Period] = {}
        self._concepts: list[Concept] = []
        self._where: list[Condition] = []
        self._related: list[Related] = []
        self._encounter: Encounter | None = None
        self._status: Literal["active", "ended"] | None = None
        self._same_time: list[exp.Select] = []

    def add(self, test: exp.Expr) -> None:
        """Take in one condition."""
        if (found := membership(test)) is not None:
            self._member(*found)
        elif not self._time(test):
            self._compared(test)

    def chosen(self) -> Chosen:
        """The events of all conditions together."""
        windows = [w for on, period in self._periods.items() if (w := period.window(on)) is not None]
        if len(windows) > 1:
            raise Unexpressed("windows on both the beginning and the end of an event")
        events = Events(
            domain=self._at.domain,
            concepts=tuple(self._concepts),
            where=tuple(self._where),
            window=windows[0] if windows else None,
            encounter=self._encounter,
            status=self._status,
            related=tuple(self._related),
        )
        plain = Chosen(events, self._patient)
        for select in self._same_time:
            plain = self._with_pick(plain, select)
        return plain

    def _with_pick(self, plain: Chosen, select: exp.Select) -> Chosen:
        """``time = (SELECT DISTINCT time … LIMIT 1)`` picks of these very events."""
        other = chosen(select, self._now)
        if other.picked(None) != plain:
            raise Unexpressed("the time of a pick comes from other events")
        return other

    def _time(self, test: exp.Expr) -> bool:
        """Whether the condition is on a time, which then is taken in."""
        about = timed_column(test)
        if about is None:
            return False
        on = "end" if field_of(self._at, about) == "end" else "time"
        self._periods.setdefault(on, Period(self._now)).add(test)
        return True

    def _member(self, column: exp.Column, select: exp.Select) -> None:
        at, table = self._at, table_of(select)
        if table in at.joins:
            self._concepts.append(Concept(values=(_entry(select),)))
        elif column.table in ("", at.table) and column.name == at.time:
            self._same_time.append(select)
        elif column.name == "age" and table == "admissions":
            other = chosen(select, self._now)
            partner = other.events.model_copy(update={"patient": other.patient})
            self._related.append(Related(events=partner, relation="same_age"))
        elif column.name in NAMED_BY and table in ("admissions", "icustays"):
            self._visit(chosen(select, self._now))
        elif column.name == "hadm_id":
            other = chosen(select, self._now)
            partner = other.as_partner_of(self._patient)
            self._related.append(Related(events=partner, relation="same_admission"))
        else:
            raise Unexpressed("a membership in an unknown set")

    def _visit(self, visit: Chosen) -> None:
        """Take over what holds of the admission or ICU stay of the events."""
        events = visit.events
        if visit.patient is not None:
            self._of(visit.patient)
        if events.window is not None or events.concepts:
            raise Unexpressed("a condition on the encounter that the typed query cannot say")
        self._where += events.where
        self._related += events.related
        if events.encounter is not None:
            self._encounter = events.encounter
        if events.status is None and events.pick is None:
            return
        kind = "icu_stay" if events.domain == "icu_stay" else "admission"
        if events.status == "active" and events.pick is None:
            self._encounter = Encounter(kind=kind, which="current")
        elif events.status == "ended" and events.pick in (Pick(which="first"), Pick(which="last")):
            which = "first" if events.pick == Pick(which="first") else "last"
            self._encounter = Encounter(kind=kind, which=which)
        else:
            raise Unexpressed("an encounter that is neither current, first nor last")

    def _of(self, patient: int) -> None:
        if self._patient not in (None, patient):
            raise Unexpressed("two patients at once")
        self._patient = patient

    def _compared(self, test: exp.Expr) -> None:
        negated = isinstance(test, exp.Not)
        bare = test.this if negated else test
        column = bare.this
        if not isinstance(column, exp.Column):
            raise Unexpressed("a condition on an expression")
        if column.name == "subject_id" and isinstance(test, exp.EQ):
            self._of(int(number(test.expression)))
        elif isinstance(bare, exp.Is) and isinstance(bare.expression, exp.Null):
            self._null(field_of(self._at, column), known=negated)
        elif isinstance(bare, exp.Between):
            self._between(bare, negated=negated)
        elif isinstance(test, exp.EQ | exp.In):
            listed = test.expressions if isinstance(test, exp.In) else [test.expression]
            values = tuple(value for value in map(text, listed) if value is not None)
            if len(values) != len(listed):
                raise Unexpressed("a comparison with something that is no text")
            self._concepts.append(Concept(field=field_of(self._at, column), values=values))
        elif type(test) in COMPARISONS:
            field, value = measure_of(self._at, column), float(number(test.expression))
            self._where.append(Condition(field=field, op=COMPARISONS[type(test)], value=value))
        else:
            raise Unexpressed("a condition of an unknown kind")

    def _null(self, field: str, *, known: bool) -> None:
        if field == "end":
            self._status = "ended" if known else "active"
        else:
            self._where.append(Condition(field=field, op="known" if known else "unknown"))

    def _between(self, test: exp.Between, *, negated: bool) -> None:
        low, high = test.args["low"], test.args["high"]
        if isinstance(low, exp.Column):
            lower, upper = normal_ranges()[low.name.removesuffix("_lower")]
        else:
            lower, upper = float(number(low)), float(number(high))
        op = "outside" if negated else "between"
        self._where.append(Condition(field=measure_of(self._at, test.this), op=op, value=lower, upper=upper))


def _entry(select: exp.Select) -> str:
    """The name that is looked up in a dictionary; which table its events link to says nothing more."""
    names = [test for test in conjuncts(select) if test.this.name != "linksto"]
    value = text(names[0].expression) if len(names) == 1 else None
    if value is None:
        raise Unexpressed("a dictionary is searched by something else than one name")
    return value
