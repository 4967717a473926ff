"""The events that a query is about, as one SELECT: filters, encounters, partners, repeats and picks.

What is asked of them is compiled in ``compile.py``. Each row of this SELECT is one event and has at least
the columns ``row_id, subject_id, hadm_id, time, end_time, name, concept, value, unit``; fields that are
asked for come along under their own names. ``concept`` is what the name stands for: the dictionary's key
where there is one (glucose in blood and in urine are two), else the name.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from agent.query.derived import DERIVED, derived
from agent.query.domains import Binding, Field, Tables, binding
from agent.query.literals import literal, members
from agent.query.model import Concept, Condition, Encounter, Events, Pick, Related, Window
from agent.query.reference import analyte_of, convertible, in_unit, outside_range, reference_unit
from knowledge.errors import NotInSchema, QueryRejected

RANGE_WORDS = frozenset({"low", "high", "abnormal", "normal", "critical"})
STANDARD = ("row_id", "subject_id", "hadm_id", "time", "end_time", "name", "concept", "value", "unit")


@dataclass(frozen=True, slots=True)
class Context:
    """What compilation knows beside the query; ``assumptions`` collects what is taken for granted."""

    tables: Tables
    patient: int | None
    now: str
    assumptions: dict[str, None] = field(default_factory=dict)
    recorded: dict[str, None] = field(default_factory=dict)  # columns that keep what was converted

    def assume(self, key: str) -> None:
        """Note an assumption once, in order."""
        self.assumptions[key] = None


@dataclass(frozen=True, slots=True)
class Shape:
    """What the SELECT must bring along.

    Attributes:
        fields: fields beside the standard columns.
        numeric: only rows whose ``value`` is a number, in one unit where the analyte's units convert.
        reported: only rows with a reported value, number or text. A pick by time passes over a text without
            a digit ("hemolyzed") where the patient has numbers of the same item; "<0.01" counts.
        detail: what the domain never shows an event without, for its evidence.
        met: whether the event fulfils all of these comes along as ``met`` (1 or 0).
    """

    fields: tuple[str, ...] = ()
    numeric: bool = False
    reported: bool = False
    detail: bool = False
    met: tuple[Condition | Concept, ...] = ()


def base(events: Events, context: Context, shape: Shape = Shape()) -> str:
    """The SELECT of the events.

    Raises:
        NotInSchema: the store has no table or column for a part of the query.
    """
    at = binding(events.domain, context.tables)
    if events.patient is not None:
        context = replace(context, patient=events.patient)
    if any(related.relation == "same_age" for related in events.related):
        shape = replace(shape, fields=(*shape.fields, "age"))
    if events.pick is not None and events.pick.which in ("min", "max"):
        shape = replace(shape, numeric=True)
    select = _Select(events, at, context, shape)
    sql = select.text()
    for related in events.related:
        sql = _related(sql, related, events, context)
    if events.repeated is not None:
        by = "subject_id" if events.repeated.by == "patient" else "subject_id, name"
        sql = (
            f"SELECT * FROM (SELECT *, COUNT(*) OVER (PARTITION BY {by}) AS times FROM ({sql})) "
            f"WHERE times >= {events.repeated.at_least}"
        )
        if events.repeated.at_most is not None:
            sql += f" AND times <= {events.repeated.at_most}"
    if events.pick is None:
        return sql
    pick = events.pick
    if pick.which in ("min", "max") and several_quantities(events, context.tables):
        pick = pick.model_copy(update={"each": "name"})
    return picked(sql, pick, context)


def several_quantities(events: Events, tables: Tables) -> bool:
    """Whether the events are of several items that measure different things (systolic, diastolic pressure)."""
    items = {value for concept in events.concepts if concept.field == "name" for value in concept.values}
    return binding(events.domain, tables).distinct_items and len(items) > 1


def picked(sql: str, pick: Pick, context: Context) -> str:
    """The rows of ``sql`` that the pick takes, ties included."""
    context.assume("ties_included")
    part = "subject_id, name" if pick.each == "name" else "subject_id"
    if pick.which in ("min", "max"):
        order, known = f"value {'ASC' if pick.which == 'min' else 'DESC'}", "value"
    else:
        order, known = f"time {'DESC' if pick.which == 'last' else 'ASC'}", "time"
    sql = _ranked(sql, part, order, known, pick.n)
    if pick.which in ("min", "max") and pick.then is not None:
        sql = _ranked(sql, part, f"time {'DESC' if pick.then == 'last' else 'ASC'}", "time", 1)
    return sql


def _ranked(sql: str, part: str, order: str, known: str, n: int) -> str:
    place = f"place{sql.count(' AS place') + 1}"  # a pick of a pick has two places
    rank = f"DENSE_RANK() OVER (PARTITION BY {part} ORDER BY {order}) AS {place}"
    ranked = f"SELECT *, {rank} FROM ({sql}) WHERE {known} IS NOT NULL"
    return f"SELECT * FROM ({ranked}) WHERE {place} = {n}"


class _Select:
    """Builds the innermost SELECT of one set of events over its table ``e`` and the joins it needs."""

    def __init__(self, events: Events, at: Binding, context: Context, shape: Shape) -> None:
        self.events, self.at, self.context, self.shape = events, at, context, shape
        self.tables = context.tables
        self.joins: dict[str, str] = {}
        self.analyte = analyte_of(v for c in events.concepts if c.field == "name" for v in c.values)

    def text(self) -> str:
        columns = self._columns()
        where = list(self._filters())
        joins = "".join(f" {join}" for join in self.joins.values())
        condition = f" WHERE {' AND '.join(where)}" if where else ""
        return f"SELECT {', '.join(columns)} FROM {self.at.table} AS e{joins}{condition}"

    # -- columns ---------------------------------------------------------------------------------------

    def _columns(self) -> list[str]:
        at = self.at
        value, unit = self._value(), self._unit()
        recorded: list[str] = []
        if self.shape.numeric and convertible(self.analyte) and unit != "NULL":
            assert self.analyte is not None
            target = reference_unit(self.analyte)
            converted = in_unit(value, unit, self.analyte, target)
            recorded = [f"{value} AS value_recorded", f"{unit} AS unit_recorded"]
            self.context.recorded.update(dict.fromkeys(("value_recorded", "unit_recorded")))
            value = f"COALESCE({converted}, {value})"
            unit = f"(CASE WHEN {converted} IS NULL THEN {unit} ELSE {self._spelled(unit, target)} END)"
            self.context.assume("units_converted")
        elif self.shape.reported and at.has(at.text, self.tables):
            value = f"COALESCE({value}, e.{at.text})" if value != "NULL" else f"e.{at.text}"
        hadm = "e.hadm_id" if at.has("hadm_id", self.tables) else "NULL"
        end = f"e.{at.end}" if at.has(at.end, self.tables) else "NULL"
        columns = [
            f"e.{at.key} AS row_id",
            "e.subject_id AS subject_id",
            f"{hadm} AS hadm_id",
            f"e.{at.time} AS time",
            f"{end} AS end_time",
            f"{self.expression('name')} AS name",
            f"{self._concept_key()} AS concept",
            f"{value} AS value",
            f"{unit} AS unit",
            *recorded,
        ]
        columns += [
            f"{self.expression(name)} AS {name}" for name in self.shape.fields if name not in STANDARD
        ]
        if self.shape.met:
            tests = " AND ".join(
                f"({self._concept(each) if isinstance(each, Concept) else self._condition(each)})"
                for each in self.shape.met
            )
            columns.append(f"COALESCE({tests}, 0) AS met")
        if self.shape.detail:
            columns += [
                f"e.{column} AS {name}"
                for name, column in at.details(self.tables).items()
                if name not in self.shape.fields
            ]
        return columns

    def _concept_key(self) -> str:
        found = self.at.fields.get("name")
        on = self.at.joins.get(found.table) if found is not None else None
        return f"e.{on}" if on is not None else self.expression("name")

    @staticmethod
    def _spelled(unit: str, target: str) -> str:
        """The unit of reference as these records spell it, where it is theirs already."""
        shown = literal(display_unit(target))
        return f"CASE WHEN LOWER({unit}) = {literal(target)} THEN {unit} ELSE {shown} END"

    def _value(self) -> str:
        at = self.at
        if not at.has(at.value, self.tables):
            return "NULL"
        if at.value == at.text:  # a number kept as text
            plain = f"e.{at.value} GLOB '*[0-9]*' AND e.{at.value} NOT GLOB '*[^0-9.]*'"
            return f"(CASE WHEN {plain} THEN CAST(e.{at.value} AS REAL) END)"
        return f"e.{at.value}"

    def _unit(self) -> str:
        return f"e.{self.at.unit}" if self.at.has(self.at.unit, self.tables) else "NULL"

    def expression(self, name: str) -> str:
        """SQL of a field, with the join that it needs."""
        at = self.at
        if name == "value":
            if not at.has(at.value, self.tables) and not at.has(at.text, self.tables):
                raise NotInSchema(f"The records have no value for {at.label_en[1]}.")
            return self._value() if at.has(at.value, self.tables) else f"e.{at.text}"
        if name == "unit":
            return self._unit()
        if name in ("time", "end", "end_time"):
            column = at.time if name == "time" else at.end
            if not at.has(column, self.tables):
                raise NotInSchema(f"The records have no {name} for {at.label_en[1]}.")
            return f"e.{column}"
        if name == "duration":  # in days; what has not ended yet has none
            return f"(JULIANDAY({self.expression('end')}) - JULIANDAY({self.expression('time')}))"
        if name == "subject_id":
            return "e.subject_id"
        if name == "hadm_id" and at.has("hadm_id", self.tables):
            return "e.hadm_id"
        if name == "age" and at.domain == "patient":
            return self._age_now()
        if name in DERIVED:
            return derived(name, at.domain, self.expression)
        return self._joined(at.field(name, self.tables))

    def _joined(self, found: Field) -> str:
        at = self.at
        if found.table == at.table:
            return f"e.{found.column}"
        if found.table in at.joins:
            on = at.joins[found.table]
            self.joins[found.table] = f"LEFT JOIN {found.table} ON {found.table}.{on} = e.{on}"
        elif found.table == "patients":
            self.joins["patients"] = "LEFT JOIN patients ON patients.subject_id = e.subject_id"
        elif found.table == "cost":
            self.joins["cost"] = (
                f"JOIN cost ON cost.event_type = {literal(at.table)} AND cost.event_id = e.{at.key}"
            )
        elif at.has("hadm_id", self.tables):
            self.joins["admissions"] = "LEFT JOIN admissions ON admissions.hadm_id = e.hadm_id"
        else:
            raise NotInSchema(
                f"{at.label_en[1].capitalize()} have no {found.column}: it belongs to an admission."
            )
        return f"{found.table}.{found.column}"

    def _age_now(self) -> str:
        now = literal(self.context.now)
        this_year, born = (f"CAST(STRFTIME('%Y', {t}) AS INTEGER)" for t in (now, "e.dob"))
        had_no_birthday = f"STRFTIME('%m-%d', {now}) < STRFTIME('%m-%d', e.dob)"
        return f"({this_year} - {born} - ({had_no_birthday}))"

    # -- filters ---------------------------------------------------------------------------------------

    def _filters(self) -> Iterable[str]:
        events, context = self.events, self.context
        if context.patient is not None:
            yield f"e.subject_id = {context.patient}"
        for concept in events.concepts:
            yield self._concept(concept)
        for condition in events.where:
            yield self._condition(condition)
        if events.window is not None:
            yield from self._window(events.window)
        if events.encounter is not None:
            yield from self._encounter(events.encounter)
        if events.status is not None:
            context.assume("active_definition")
            active = self._active()
            yield active if events.status == "active" else f"NOT {active}"
        if self.shape.numeric:
            yield f"{self._value()} IS NOT NULL"
        elif self.shape.reported:
            yield self._reported()

    def _reported(self) -> str:
        at, value = self.at, self._value()
        if not at.has(at.text, self.tables):
            return f"{value} IS NOT NULL" if value != "NULL" else "1"
        text = f"e.{at.text}"
        if value == "NULL" or at.value == at.text:
            return f"{text} IS NOT NULL"
        if self.events.pick is None or "itemid" not in at.joins.values():
            return f"({value} IS NOT NULL OR {text} IS NOT NULL)"
        self.context.assume("numeric_only")
        numbers = (
            f"SELECT 1 FROM {at.table} AS o WHERE o.subject_id = e.subject_id AND o.itemid = e.itemid "
            f"AND o.{at.value} IS NOT NULL"
        )
        only_text = f"({text} IS NOT NULL AND NOT EXISTS ({numbers}))"
        return f"({value} IS NOT NULL OR {text} GLOB '*[0-9]*' OR {only_text})"

    def _concept(self, concept: Concept) -> str:
        found = self.at.fields.get(concept.field)
        values = members(concept.values)
        if found is not None and found.table in self.at.joins:
            # A dictionary is small and its events are indexed by its key: look up there first.
            self.at.field(concept.field, self.tables)
            on = self.at.joins[found.table]
            return f"e.{on} IN (SELECT {on} FROM {found.table} WHERE {found.column} IN ({values}))"
        return f"{self.expression(concept.field)} IN ({values})"

    def _condition(self, condition: Condition) -> str:
        if condition.field == "value" and condition.value in RANGE_WORDS:
            return self._range_word(str(condition.value), negated=condition.op == "!=")
        sql = self.expression(condition.field)
        if condition.op in ("known", "unknown"):
            return f"{sql} IS {'NOT ' if condition.op == 'known' else ''}NULL"
        if condition.field == "value" and condition.unit is not None:
            self.context.assume("other_units_left_out")
            sql = in_unit(sql, self._unit(), self.analyte, condition.unit)
        assert condition.value is not None
        if condition.op in ("between", "outside"):
            assert condition.upper is not None
            word = "BETWEEN" if condition.op == "between" else "NOT BETWEEN"
            return f"{sql} {word} {literal(condition.value)} AND {literal(condition.upper)}"
        return f"{sql} {condition.op} {literal(condition.value)}"

    def _range_word(self, word: str, *, negated: bool) -> str:
        at = self.at
        if not at.has(at.value, self.tables):
            raise NotInSchema(f"{at.label_en[1].capitalize()} have no number that could be {word}.")
        self.context.assume("thresholds_used")
        low, high = (f"e.{c}" if at.has(c, self.tables) else None for c in (at.low, at.high))
        unit = self._unit() if at.has(at.unit, self.tables) else None
        test = outside_range(word, self._value(), self.expression("name"), unit, low, high, self.analyte)
        return f"{test} = {0 if negated else 1}"

    def _window(self, window: Window) -> Iterable[str]:
        start, end = (
            f"e.{self.at.time}",
            f"e.{self.at.end}" if self.at.has(self.at.end, self.tables) else None,
        )
        if window.on == "end":
            start = self.expression("end")
        if window.on == "overlap" and end is not None:
            if window.start is not None:
                yield f"({end} IS NULL OR {end} >= {literal(window.start)})"
        elif window.start is not None:
            yield f"{start} >= {literal(window.start)}"
        if window.end is not None:
            yield f"{start} < {literal(window.end)}"

    def _encounter(self, encounter: Encounter) -> Iterable[str]:
        stay, at = encounter.kind == "icu_stay", self.at
        key = "stay_id" if stay else "hadm_id"
        chosen = _encounters(encounter, self.context)
        timed = encounter.from_hours is not None or encounter.to_hours is not None
        if at.has(key, self.tables):
            yield f"e.{key} IN (SELECT id FROM ({chosen}))"
            if not timed:
                return
        elif not stay and not at.has("hadm_id", self.tables):
            raise NotInSchema(f"{at.label_en[1].capitalize()} belong to no admission.")
        time = f"e.{at.time}"
        start = f"DATETIME(x.start, '{encounter.from_hours or 0:+.6f} hours')"
        tests = [f"x.subject_id = e.subject_id AND {time} >= {start}"]
        if encounter.to_hours is not None:
            tests.append(f"{time} < DATETIME(x.start, '{encounter.to_hours:+.6f} hours')")
        tests.append(f"(x.until IS NULL OR {time} <= x.until)")
        yield f"EXISTS (SELECT 1 FROM ({chosen}) AS x WHERE {' AND '.join(tests)})"

    def _active(self) -> str:
        at, now = self.at, literal(self.context.now)
        tests = [f"(e.{at.time} IS NULL OR e.{at.time} <= {now})"]
        end = f"e.{at.end}" if at.has(at.end, self.tables) else None
        if end is not None:
            tests.append(f"({end} IS NULL OR {end} > {now})")
        status = at.has("status", self.tables) and at.closed
        if status:
            tests.append(f"COALESCE(LOWER(e.status), '') NOT IN ({members(at.closed)})")
        if at.ends_with_admission and end is not None:
            said = "e.status IS NOT NULL OR " if status else ""
            still_in = f"SELECT hadm_id FROM admissions WHERE dischtime IS NULL OR dischtime > {now}"
            tests.append(f"({said}{end} IS NOT NULL OR e.hadm_id IS NULL OR e.hadm_id IN ({still_in}))")
        return f"({' AND '.join(tests)})"


def _encounters(encounter: Encounter, context: Context) -> str:
    """A SELECT of ``subject_id, id, start, until`` of the chosen encounters, one for each patient."""
    table, key, start, end = (
        ("icustays", "stay_id", "intime", "outtime")
        if encounter.kind == "icu_stay"
        else ("admissions", "hadm_id", "admittime", "dischtime")
    )
    if table not in context.tables:
        raise NotInSchema(f"This store has no table {table}.")
    columns = f"SELECT subject_id, {key} AS id, {start} AS start, {end} AS until FROM {table}"
    now = literal(context.now)
    whose = [f"subject_id = {context.patient}"] if context.patient is not None else []
    open_now = f"({end} IS NULL OR {end} > {now})"
    if encounter.id is not None:
        return f"{columns} WHERE {' AND '.join([*whose, f'{key} = {encounter.id}'])}"
    if encounter.which == "current":
        return f"{columns} WHERE {' AND '.join([*whose, f'{start} <= {now}', open_now])}"
    if encounter.which == "this":
        context.assume("this_encounter")
        whose.append(f"{start} <= {now}")
        order = f"{open_now} DESC, {start} DESC"
    else:
        whose.append(f"NOT {open_now}")
        order = f"{start} {'DESC' if encounter.which == 'last' else 'ASC'}"
    n = 1 if encounter.which == "first" else encounter.n
    where = f" WHERE {' AND '.join(whose)}" if whose else ""
    numbered = (
        f"SELECT subject_id, {key} AS id, {start} AS start, {end} AS until, "
        f"ROW_NUMBER() OVER (PARTITION BY subject_id ORDER BY {order}) AS place FROM {table}{where}"
    )
    return f"SELECT subject_id, id, start, until FROM ({numbered}) WHERE place = {n}"


def _related(sql: str, related: Related, events: Events, context: Context) -> str:
    relation = related.relation
    if relation == "same_age":
        others = base(related.events, replace(context, patient=None), Shape(fields=("age",)))
        tests = ["r.age = b.age"]
    else:
        others = base(related.events, context)
        tests = ["r.subject_id = b.subject_id"]
    if related.events.domain == events.domain and relation in ("ever", "same_admission", "same_time"):
        tests.append("r.row_id <> b.row_id")
    if relation.startswith("same_admission"):
        tests.append("r.hadm_id = b.hadm_id")
    if relation == "same_time":
        tests.append("r.time = b.time")
    if relation == "same_name":
        tests.append("r.name = b.name")
    if relation.endswith("before"):
        tests += ["r.time < b.time", *_near("r.time", "b.time", related)]
    elif relation.endswith("after"):
        tests += ["r.time > b.time", *_near("b.time", "r.time", related)]
    elif related.within_days is not None or related.within_months is not None:
        raise QueryRejected(f"The relation {relation!r} has no distance in time; use before or after.")
    if related.same is not None:
        form = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}[related.same]
        tests.append(f"STRFTIME('{form}', r.time) = STRFTIME('{form}', b.time)")
    test = " AND ".join(tests)
    if related.each and not related.negated:
        return f"SELECT b.* FROM ({sql}) AS b JOIN ({others}) AS r ON {test}"
    keys = [test.removeprefix("r.").split(" = b.")[0] for test in tests]
    if all(test == f"r.{key} = b.{key}" for test, key in zip(tests, keys, strict=True)):
        others = f"SELECT DISTINCT {', '.join(keys)} FROM ({others})"  # one partner is as good as a thousand
    # A join inside IN lets SQLite index the partners for the occasion; a correlated EXISTS would scan them.
    partnered = f"SELECT b.row_id FROM ({sql}) AS b JOIN ({others}) AS r ON {test}"
    return f"SELECT * FROM ({sql}) WHERE row_id {'NOT ' * related.negated}IN ({partnered})"


def _near(first: str, second: str, related: Related) -> Iterable[str]:
    """``second`` is at most so long after ``first``."""
    if related.within_days is not None:
        yield f"{second} <= DATETIME({first}, '+{related.within_days:f} days')"
    if related.within_months is not None:
        yield f"{second} <= DATETIME({first}, '+{related.within_months} months')"


def display_unit(target: str) -> str:
    """A unit of reference as people write it (``mg/dl`` → ``mg/dL``)."""
    return target.replace("/dl", "/dL").replace("/l", "/L").replace("meq", "mEq")
