"""A published statement as a typed clinical query: what it selects tells what is asked.

The reader knows SQL and the record store's tables, not the questions: it looks at no word of them. Where a
part of a statement is none that it recognises it says so (``Unexpressed``) rather than leave it out.
"""

from sqlglot import exp

from agent.query.domains import Binding, bindings
from agent.query.figures import DAYS_IN
from agent.query.model import (
    Ask,
    Balance,
    Change,
    ClinicalQuery,
    Count,
    Elapsed,
    Exists,
    Group,
    Pick,
    Related,
    Rows,
    Statistic,
    Survival,
    Top,
    Unit,
)
from benchmarks.ehrsql.derived import joined_events, read_derived
from benchmarks.ehrsql.filters import COMPARISONS, Chosen, chosen, domain_of, field_of, measure_of
from benchmarks.ehrsql.periods import BUCKETS, moment
from benchmarks.ehrsql.sql import (
    FUNCTIONS,
    Unexpressed,
    conjuncts,
    has_select,
    inner,
    joined,
    membership,
    number,
    only_column,
    parse,
    source,
    table_of,
    text,
)


def read(sql: str, now: str) -> ClinicalQuery:
    """The typed query that asks what a statement asks.

    Args:
        sql: the statement, in SQLite's dialect with ``current_time`` for "now".
        now: the current time of the data set, ``YYYY-MM-DD HH:MM:SS``.

    Raises:
        Unexpressed: a part of it is none that the reader recognises.
    """
    tree = parse(sql)
    if isinstance(tree, exp.Except):
        return _new_names(tree, now)
    if not isinstance(tree, exp.Select):
        raise Unexpressed("neither a SELECT nor a difference of two")
    ask, events = _read(tree, now)
    return ClinicalQuery(ask=ask, of=events.events, patient=events.patient)


def _read(select: exp.Select, now: str) -> tuple[Ask, Chosen]:
    table = table_of(select)
    if source(select) is None:
        return _two_figures(only_column(select), now)
    if table is None:
        if joined(select):
            return _of_joined(select, now)
        return read_derived(select, now)
    if table.startswith("d_"):
        return _named(select, now)
    if table == "cost" and isinstance(only_column(select), exp.Column):
        return Rows(fields=("cost",)), _charged(select, now)
    return _of_table(select, now)


def _named(select: exp.Select, now: str) -> tuple[Ask, Chosen]:
    """Names from a dictionary for the keys of a sub-select: the names of its events."""
    tests = list(conjuncts(select))
    found = membership(tests[0]) if len(tests) == 1 else None
    if found is None:
        raise Unexpressed("names of a dictionary for other keys than a sub-select's")
    ask, events = _read(found[1], now)
    name = bindings()[events.domain].fields["name"]
    if not isinstance(ask, Rows | Top | Survival) or (name.table, name.column) != (
        table_of(select),
        only_column(select).name,
    ):
        raise Unexpressed("something else than the names of a dictionary")
    return (ask.model_copy(update={"distinct": True}) if isinstance(ask, Rows) else ask), events


def _charged(select: exp.Select, now: str) -> Chosen:
    """``event_type`` and ``event_id`` of a charge name the events that it is for."""
    events: exp.Select | None = None
    kind: str | None = None
    for test in conjuncts(select):
        found = membership(test)
        if found is not None and found[0].name == "event_id":
            events = found[1]
        elif isinstance(test, exp.EQ) and test.this.name == "event_type":
            kind = text(test.expression)
        else:
            raise Unexpressed("a condition on the charge itself")
    if events is None or kind != table_of(events):
        raise Unexpressed("charges of no kind of events")
    return chosen(events, now)


def _of_table(select: exp.Select, now: str) -> tuple[Ask, Chosen]:
    asked = only_column(select)
    if isinstance(asked, exp.Count):
        return _count(asked, select, now)
    if isinstance(asked, exp.GT) and asked.find(exp.Count) and number(asked.expression) == 0:
        return Exists(none=isinstance(asked.this, exp.Sub)), chosen(select, now)
    if type(asked) in FUNCTIONS:
        return _figure(asked, select, now)
    if select.args.get("group") is not None:
        raise Unexpressed("groups of something else than a figure")
    events, at = chosen(select, now), domain_of(table_of(select) or "")
    if isinstance(asked, exp.Mul | exp.Sub):
        return _elapsed(asked, at), events
    # LIMIT 1 gives one of the rows that tie; the typed query gives each distinct one.
    once = bool(select.args.get("distinct") or select.args.get("limit")) or at.domain == "patient"
    return Rows(fields=(field_of(at, asked),), distinct=once), events


def _figure(asked: exp.Expr, select: exp.Select, now: str) -> tuple[Ask, Chosen]:
    """A figure of all events, or one for each day, month or year."""
    _check_whole(select)
    at, function = domain_of(table_of(select) or ""), FUNCTIONS[type(asked)]
    field, group = measure_of(at, asked.this), select.args.get("group")
    if group is None:
        return Statistic(function=function, field=field), chosen(select, now)
    by = moment(group.expressions[0])
    if by is None or by.form not in BUCKETS:
        raise Unexpressed("groups that are no day, month or year")
    ask = Group(bucket=BUCKETS[by.form], figure=function, field=field, show_group=False)
    return ask, chosen(select, now)


def _check_whole(select: exp.Select) -> None:
    """An order and limit would apply to the one row of a figure, not to the events."""
    if select.args.get("limit") is not None:
        raise Unexpressed("a figure with a limit")


def _count(asked: exp.Count, select: exp.Select, now: str) -> tuple[Ask, Chosen]:
    _check_whole(select)
    if isinstance(asked.this, exp.Star):
        return Count(), chosen(select, now)
    what = asked.this.expressions[0] if isinstance(asked.this, exp.Distinct) else None
    if not isinstance(what, exp.Column):
        raise Unexpressed("a count of something else than rows or distinct values")
    if what.name == "subject_id":
        return Count(of="patients"), chosen(_who_had(select), now)
    at = domain_of(table_of(select) or "")
    if what.name == {"admission": "hadm_id", "icu_stay": "stay_id"}.get(at.domain):
        return Count(), chosen(select, now)
    if field_of(at, what) == "name":
        return Count(of="names"), chosen(select, now)
    raise Unexpressed("a count of values that are neither names nor encounters")


def _who_had(select: exp.Select) -> exp.Select:
    """The events in "patients whose admission (and ICU stay) is among those of such events"."""
    tests = list(conjuncts(select))
    found = membership(tests[0]) if len(tests) == 1 else None
    if found is None or found[0].name not in ("hadm_id", "stay_id"):
        return select
    return _who_had(found[1])


def _elapsed(asked: exp.Expr, at: Binding) -> Elapsed:
    factor, span = (asked.this, asked.expression.unnest()) if isinstance(asked, exp.Mul) else (None, asked)
    end, start = moment(span.this), moment(span.expression)
    if end is None or start is None or start.column is None or field_of(at, start.column) != "time":
        raise Unexpressed("a difference that is no time since the beginning of an event")
    unit = "days" if factor is None else _unit(float(number(factor)))
    if end.is_now:
        return Elapsed(unit=unit)
    if end.column is None or field_of(at, end.column) != "end":
        raise Unexpressed("a difference that is no duration of an event")
    return Elapsed(unit=unit, what="duration")


def _unit(factor: float) -> Unit:
    for unit in ("days", "hours", "minutes"):
        if factor == DAYS_IN[unit]:
            return unit
    raise Unexpressed("a span of time in an unknown unit")


def _two_figures(asked: exp.Expr, now: str) -> tuple[Ask, Chosen]:
    """A difference or comparison of two sub-selects: a fluid balance, or the change of a value."""
    if not (has_select(asked.this) and has_select(asked.expression)):
        raise Unexpressed("an expression of something else than two sub-selects")
    left, right = inner(asked.this), inner(asked.expression)
    later, earlier = chosen(left, now), chosen(right, now)
    if isinstance(only_column(left), exp.Sum):
        if not isinstance(asked, exp.Sub) or (later.domain, earlier.domain) != ("input", "output"):
            raise Unexpressed("sums of other things than intake and output")
        if Chosen(later.events.model_copy(update={"domain": "output"}), later.patient) != earlier:
            raise Unexpressed("intake and output under different conditions")
        return Balance(), later
    compared = None if isinstance(asked, exp.Sub) else COMPARISONS.get(type(asked))
    values = [measure_of(domain_of(table_of(side) or ""), only_column(side)) for side in (left, right)]
    if values != ["value", "value"] or later.patient != earlier.patient:
        raise Unexpressed("two figures that are no values of one patient")
    if not isinstance(asked, exp.Sub) and compared not in ("<", ">"):
        raise Unexpressed("two values that are neither subtracted nor compared")
    picks = [side.events.pick or Pick(which="first") for side in (earlier, later)]
    before, after = earlier.picked(None), later.picked(None)
    other = None if before == after else before.events
    ask = Change(
        earlier=picks[0],
        later=picks[1],
        earlier_of=other,
        as_comparison=compared if compared in ("<", ">") else None,
    )
    return ask, after


def _of_joined(select: exp.Select, now: str) -> tuple[Ask, Chosen]:
    """A column, or a count of patients, of events that have partners."""
    asked = only_column(select)
    if isinstance(asked, exp.Count) and isinstance(asked.this, exp.Distinct):
        if asked.this.expressions[0].name != "subject_id":
            raise Unexpressed("a count of something else than patients")
        _, events = joined_events(select, None, now)
        return Count(of="patients"), events
    if not isinstance(asked, exp.Column):
        raise Unexpressed("an expression of joined events")
    own, events = joined_events(select, asked.table, now)
    field = field_of(domain_of(table_of(own) or ""), exp.column(asked.name))
    limited = select.args.get("limit") is not None
    return Rows(fields=(field,), distinct=limited), events


def _new_names(tree: exp.Except, now: str) -> ClinicalQuery:
    """``EXCEPT``: names among the events that are not among the others."""
    (ask, events), (other_ask, others) = (_read(inner(side), now) for side in (tree.this, tree.expression))
    partner = Related(events=others.as_partner_of(events.patient), relation="same_name", negated=True)
    if ask != other_ask or not isinstance(ask, Rows) or ask.fields != ("name",):
        raise Unexpressed("a difference of something else than names")
    kept = events.related(partner)
    return ClinicalQuery(ask=ask.model_copy(update={"distinct": True}), of=kept.events, patient=kept.patient)
