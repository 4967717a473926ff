"""SELECTs over sub-selects: partners joined in time, ranks, repeats, percentiles, survival, grouped figures."""

import re
from typing import Literal

from sqlglot import exp

from agent.query.model import (
    Ask,
    Count,
    Percentile,
    Pick,
    Related,
    Repeated,
    Rows,
    Statistic,
    Survival,
    Top,
)
from benchmarks.ehrsql.filters import Chosen, chosen, domain_of, field_of
from benchmarks.ehrsql.periods import BUCKETS, moment
from benchmarks.ehrsql.sql import (
    FUNCTIONS,
    Unexpressed,
    aliases,
    conjuncts,
    inner,
    joined,
    number,
    only_column,
    source,
    table_of,
)

WITHIN = re.compile(r"\+(\d+) (day|month)s?")
SAME: dict[str, Literal["day", "month", "year"]] = {
    "start of day": "day",
    "start of month": "month",
    "start of year": "year",
}


def read_derived(select: exp.Select, now: str) -> tuple[Ask, Chosen]:
    """What is asked by a SELECT over one sub-select, and of which events.

    Raises:
        Unexpressed: the sub-select is of no kind that is known.
    """
    below, asked = inner(source(select)), only_column(select)
    if below.find(exp.Case):
        return _survival(select, below, now)
    rank = next((part for part in below.expressions if isinstance(part.unalias(), exp.Window)), None)
    if rank is not None:
        order = rank.unalias().args["order"].expressions[0]
        if isinstance(rank.unalias().this, exp.DenseRank) and isinstance(order.this, exp.Count):
            if not order.args.get("desc"):
                raise Unexpressed("the least frequent")
            return _top(select, below, now)
        if not isinstance(rank.unalias().this, exp.PercentRank):
            raise Unexpressed("a rank of an unknown kind")
        return Percentile(value=float(_limit(select, exp.EQ))), chosen(below, now)
    if type(asked) in FUNCTIONS:
        return _figure_of_groups(asked, below, now)
    return _repeated(select, asked, below, now)


def _limit(select: exp.Select, *kinds: type[exp.Expr]) -> float:
    """The number with which the only condition of a SELECT compares."""
    tests = list(conjuncts(select))
    if len(tests) != 1 or not isinstance(tests[0], kinds):
        raise Unexpressed("a condition on a sub-select that is no limit")
    return number(tests[0].expression)


def _grouped_field(below: exp.Select, at_table: exp.Select) -> str:
    group = below.args.get("group")
    if group is None or len(group.expressions) != 1:
        raise Unexpressed("ranks of something else than one group")
    return field_of(domain_of(table_of(at_table) or ""), exp.column(group.expressions[0].name))


def _top(select: exp.Select, below: exp.Select, now: str) -> tuple[Ask, Chosen]:
    n = int(_limit(select, exp.LTE))
    if joined(below) and table_of(below) is None:
        column = below.args["group"].expressions[0]
        own, events = joined_events(below, column.table, now, each=True)
    else:
        own, events = below, chosen(below, now)
    return Top(n=n, field=_grouped_field(below, own), show_count=False), events


def _repeated(select: exp.Select, asked: exp.Expr, below: exp.Select, now: str) -> tuple[Ask, Chosen]:
    """Names, or patients, whose number of events is so or so."""
    if not below.find(exp.Count):
        raise Unexpressed("a sub-select of an unknown kind")
    times = int(_limit(select, exp.GTE, exp.EQ))
    exactly = times if isinstance(next(conjuncts(select)), exp.EQ) else None
    patients = isinstance(asked, exp.Count)
    repeated = Repeated(by="patient" if patients else "name", at_least=times, at_most=exactly)
    events = chosen(below, now)
    kept = Chosen(events.events.model_copy(update={"repeated": repeated}), events.patient)
    if patients:
        return Count(of="patients"), kept
    return Rows(fields=(_grouped_field(below, below),)), kept


def _figure_of_groups(asked: exp.Expr, below: exp.Select, now: str) -> tuple[Ask, Chosen]:
    """A mean, lowest or highest of one figure for each admission, day, month or year."""
    figure, group = only_column(below), below.args.get("group")
    if group is None:
        raise Unexpressed("a figure of a sub-select without groups")
    by, function = group.expressions[0], FUNCTIONS[type(asked)]
    bucket = moment(by)
    if isinstance(figure, exp.Sum) and isinstance(by, exp.Column) and by.name == "hadm_id":
        return Statistic(function=function, per="admission", inner="sum"), chosen(below, now)
    counts = isinstance(figure, exp.Count) and isinstance(figure.this, exp.Distinct)
    if counts and figure.this.expressions[0].name == "hadm_id" and bucket is not None:
        per = BUCKETS.get(bucket.form or "")
        if per in ("day", "month", "year"):
            return Statistic(function=function, per=per, inner="admissions"), chosen(below, now)
    raise Unexpressed("a figure of groups of an unknown kind")


def joined_events(
    select: exp.Select, main: str | None, now: str, *, each: bool = False
) -> tuple[exp.Select, Chosen]:
    """Two sets of events of the same patients, joined by how they stand in time: events with partners.

    Args:
        select: ``FROM (…) AS T1 JOIN (…) AS T2 ON …``.
        main: the alias of the events that are asked about; ``None`` takes the later ones.
        now: the current time.
        each: an event counts once for every partner.

    Returns:
        The sub-select of the events that are asked about, and these events.
    """
    parts = aliases(select)
    if len(parts) != 2:
        raise Unexpressed("a join of something else than two sub-selects")
    if any({side.name for side in on.find_all(exp.Column)} != {"subject_id"} for on in _joins(select)):
        raise Unexpressed("a join of events of different patients")
    relation = _Relation()
    for test in conjuncts(select):
        relation.add(test)
    main = main or relation.later or list(parts)[-1]
    own, other = parts[main], next(part for alias, part in parts.items() if alias != main)
    events, partner = chosen(own, now), chosen(other, now)
    related = relation.related(partner.as_partner_of(events.patient), main, each)
    found = events.related(related)
    pick = select.args.get("order")
    if pick is None:
        return own, found
    ordered, limit = pick.expressions[0], select.args.get("limit")
    if limit is None or number(limit.expression) != 1 or ordered.this.table != main:
        raise Unexpressed("an order of joined events that is no pick")
    offset = select.args.get("offset")
    n = 1 + (int(number(offset.expression)) if offset is not None else 0)
    return own, found.picked(Pick(which="last" if ordered.args.get("desc") else "first", n=n))


def _joins(select: exp.Select) -> list[exp.Expr]:
    """The conditions on which the sub-selects are joined."""
    return [join.args.get("on") or exp.true() for join in select.args.get("joins") or ()]


class _Relation:
    """Collects how two joined sets of events stand in time."""

    def __init__(self) -> None:
        self.later: str | None = None
        self._same_admission = self._same_time = False
        self._same: Literal["day", "month", "year"] | None = None
        self._within: tuple[int, str] | None = None

    def add(self, test: exp.Expr) -> None:
        """Take in a condition on both sets."""
        if isinstance(test, exp.Between):
            far = moment(test.args["high"])
            found = WITHIN.fullmatch(far.modifiers[0]) if far is not None and far.modifiers else None
            if found is None:
                raise Unexpressed("a distance in time of an unknown kind")
            self._within = (int(found[1]), found[2])
            return
        left, right = moment(test.this), moment(test.expression)
        if isinstance(test, exp.LT) and isinstance(test.expression, exp.Column):
            self.later = test.expression.table
        elif isinstance(test, exp.EQ) and isinstance(test.this, exp.Column) and test.this.name == "hadm_id":
            self._same_admission = True
        elif isinstance(test, exp.EQ) and left is not None and right is not None:
            if not left.modifiers and not right.modifiers:
                self._same_time = True
            elif left.modifiers == right.modifiers and left.modifiers[0] in SAME:
                self._same = SAME[left.modifiers[0]]
            else:
                raise Unexpressed("two times are compared in an unknown way")
        else:
            raise Unexpressed("a relation of joined events of an unknown kind")

    def related(self, partner: object, main: str, each: bool) -> Related:
        """The partner as the events ``main`` have it."""
        if self._same_time:
            relation = "same_time"
        elif self.later is not None:
            side = "before" if main == self.later else "after"
            relation = f"same_admission_{side}" if self._same_admission else side
        else:
            relation = "same_admission" if self._same_admission else "ever"
        amount, unit = self._within or (None, "")
        return Related.model_validate(
            {
                "events": partner,
                "relation": relation,
                "within_days": amount if unit == "day" else None,
                "within_months": amount if unit == "month" else None,
                "same": self._same,
                "each": each,
            }
        )


def _survival(select: exp.Select, below: exp.Select, now: str) -> tuple[Ask, Chosen]:
    """The share that lived long enough, of one kind of event or of the names with the lowest shares."""
    case = below.find(exp.Case)
    died = case.args["ifs"][0].this if case is not None else None
    if not isinstance(died, exp.LT):
        raise Unexpressed("a case that is no survival")
    days = int(number(died.expression))
    leaves = [part for part in select.find_all(exp.Select) if part.args.get("having") is not None]
    first, *later = sorted(leaves, key=lambda part: part.args["having"].find(exp.Max) is not None)
    each = "patient" if isinstance(select.expressions[0].unalias(), exp.Avg) else "name"
    events = chosen(_of_any_age(first, days), now).picked(Pick(which="first", each=each))
    if each == "name":
        n = int(_limit(select, exp.LTE))
        return Survival(days=days, by="name", n=n, show_rate=False), events
    for part in later:
        partner = chosen(part, now).picked(Pick(which="last"))
        events = events.related(Related(events=partner.events, relation="after"))
    return Survival(days=days), events


def _of_any_age(select: exp.Select, days: int) -> exp.Select:
    """Without the condition that the event is long enough ago, which a survival has of itself."""
    kept = []
    for test in conjuncts(select):
        if not isinstance(test.this, exp.Sub):
            kept.append(test)
        elif not isinstance(test, exp.GTE) or number(test.expression) != days:
            raise Unexpressed("a survival over another time than the events are ago")
    plain = select.copy()
    plain.set("where", exp.Where(this=exp.and_(*kept)) if kept else None)
    return plain
