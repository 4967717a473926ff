"""A published statement as a typed clinical query: what it selects tells what is asked.

The reader knows SQL and the record store's tables, not the questions: it looks at no word of them. Where a
part of a statement is none that it recognises it says so (``Unexpressed``) rather than leave it out.
"""

from sqlglot import exp

from agent.query.compile import DAYS_IN
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
    Unit,
)
from benchmarks.ehrsql.derived import joined_events, read_derived
from benchmarks.ehrsql.filters import COMPARISONS, Chosen, chosen, domain_of, field_of
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
    return (ask.model_copy(update={"distinct": True}) if isinstance(ask, Rows) else ask), events


def _charged(select: exp.Select, now: str) -> Chosen:
    """``event_type`` and ``event_id`` of a charge name the events that it is for."""
    for test in conjuncts(select):
        found = membership(test)
        if found is not None and found[0].name == "event_id":
            return chosen(found[1], now)
    raise Unexpressed("charges of no events")


def _of_table(select: exp.Select, now: str) -> tuple[Ask, Chosen]:
    asked = only_column(select)
    if isinstance(asked, exp.Count):
        return _count(asked, select, now)
    if isinstance(asked, exp.GT) and asked.find(exp.Count) and number(asked.expression) == 0:
        return Exists(none=isinstance(asked.this, exp.Sub)), chosen(select, now)
    events = chosen(select, now)
    if type(asked) in FUNCTIONS:
        function = FUNCTIONS[type(asked)]
        group = select.args.get("group")
        if group is None:
            return Statistic(function=function), events
        by = moment(group.expressions[0])
        if by is None or by.form not in BUCKETS or function == "sum":
            raise Unexpressed("groups that are no day, month or year")
        return Group(bucket=BUCKETS[by.form], figure=function, show_group=False), events
    if isinstance(asked, exp.Mul | exp.Sub):
        return _elapsed(asked, events)
    at = domain_of(table_of(select) or "")
    # LIMIT 1 gives one of the rows that tie; the typed query gives each distinct one.
    once = bool(select.args.get("distinct") or select.args.get("limit")) or at.domain == "patient"
    return Rows(fields=(field_of(at, asked),), distinct=once), events


def _count(asked: exp.Count, select: exp.Select, now: str) -> tuple[Ask, Chosen]:
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


def _elapsed(asked: exp.Expr, events: Chosen) -> tuple[Ask, Chosen]:
    factor, span = (asked.this, asked.expression.unnest()) if isinstance(asked, exp.Mul) else (None, asked)
    end, start = moment(span.this), moment(span.expression)
    if end is None or start is None or start.column is None:
        raise Unexpressed("a difference that is no span of time")
    unit = "days" if factor is None else _unit(float(number(factor)))
    return Elapsed(unit=unit, what="since" if end.is_now else "duration"), events


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
        return Balance(), later
    compared = None if isinstance(asked, exp.Sub) else COMPARISONS.get(type(asked))
    if later.patient != earlier.patient or (compared is None and not isinstance(asked, exp.Sub)):
        raise Unexpressed("two figures that are not compared or of two patients")
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
    if isinstance(asked, exp.Count):
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
    (ask, events), (_, others) = (_read(inner(side), now) for side in (tree.this, tree.expression))
    partner = Related(events=others.as_partner_of(events.patient), relation="same_name", negated=True)
    if not isinstance(ask, Rows):
        raise Unexpressed("a difference of something else than names")
    kept = events.related(partner)
    return ClinicalQuery(ask=ask.model_copy(update={"distinct": True}), of=kept.events, patient=kept.patient)
