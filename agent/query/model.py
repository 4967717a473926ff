"""The typed clinical query: what a planner emits and everything else is compiled from.

A query says *what is asked* (``ask``) *of which events* (``of``) *of whom* (``patient``). From it come the
SQL (``compile.py``), the keys of the rows behind the answer, the sentence in English and in Chinese
(``realise.py``), and the assumptions. It is valid by construction: a query that parses compiles.

Values are the store's own (linking has already matched the question's words to them) and times are
absolute (the time resolver has already applied "now"); ``said`` keeps the question's words for display.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Domain = Literal[
    "patient",
    "admission",
    "icu_stay",
    "transfer",
    "diagnosis",
    "procedure",
    "lab",
    "vital",
    "drug",
    "input",
    "output",
    "microbiology",
    "cost",
    "allergy",
    "immunization",
    "observation",
    "report",
    "note",
]
Operator = Literal["=", "!=", "<", "<=", ">", ">=", "between", "outside", "known", "unknown"]
TIME = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"
Unit = Literal["minutes", "hours", "days", "weeks", "months", "years"]
Bucket = Literal["hour", "day", "week", "month", "quarter", "year"]


class Frozen(BaseModel):
    """Base: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Concept(Frozen):
    """The events are of any of these values.

    Attributes:
        field: a concept field of the domain (see ``domains.yaml``): ``name``, ``organism``, ``careunit`` …
        values: values as the store has them.
        said: the words of the question that were linked to them.
    """

    field: str = "name"
    values: tuple[str, ...] = Field(min_length=1)
    said: str = ""


class Condition(Frozen):
    """A comparison on a field of the event: ``value > 5.5 mEq/L``, ``route = IV``, ``organism known``.

    Attributes:
        field: a field of the domain; ``value`` is its number.
        op: ``between`` and ``outside`` take ``value`` and ``upper``, bounds included in the range; ``known``
            and ``unknown`` ask whether the field has a value at all and take none.
        value: a number or text; the word ``low``/``high``/``abnormal``/``normal``/``critical`` on ``value``
            means against the row's own reference range, else the threshold table.
        unit: of ``value`` where the question gave one; rows in another unit are converted or left out, and
            either is said in the assumptions.
    """

    field: str
    op: Operator = "="
    value: float | str | None = None
    upper: float | None = None
    unit: str | None = None

    @model_validator(mode="after")
    def _has_what_the_operator_needs(self) -> "Condition":
        if self.op in ("between", "outside"):
            if isinstance(self.value, str) or self.value is None or self.upper is None:
                raise ValueError(f"{self.op} needs two numbers, value and upper")
        elif self.op not in ("known", "unknown") and self.value is None:
            raise ValueError(f"{self.op} needs a value")
        return self


class Window(Frozen):
    """A span of time, half-open ``[start, end)``, ``YYYY-MM-DD HH:MM:SS``; ``None`` is unbounded.

    Attributes:
        on: what has to lie in it: the event's (start) ``time``, its ``end``, or, ``overlap``, any part of it.
    """

    start: str | None = Field(default=None, pattern=TIME)
    end: str | None = Field(default=None, pattern=TIME)
    said: str = ""
    on: Literal["time", "end", "overlap"] = "time"


class Encounter(Frozen):
    """Restricts events to one encounter of the patient.

    Attributes:
        kind: a hospital admission or an ICU stay.
        which: ``current`` is the one that is still open; ``last`` and ``first`` are by start among completed
            ones (so "last admission" of an inpatient is the one before); ``this`` is the open one or, where
            none is open, the latest, which is said in the assumptions; ``nth`` counts from the first.
        n: for ``nth``, from the first; for ``this`` and ``last``, back in time (2: the one before that).
        id: ``hadm_id`` or ``stay_id`` where the question names it; then ``which`` is ignored.
        from_hours, to_hours: narrows to hours after its start ("first 24 h of ICU": 0 to 24).
    """

    kind: Literal["admission", "icu_stay"] = "admission"
    which: Literal["current", "this", "first", "last", "nth"] = "this"
    n: int = 1
    id: int | None = None
    from_hours: float | None = None
    to_hours: float | None = None


class Pick(Frozen):
    """Which of the events: by time (``first``, ``last``, ``nth``) or by value (``min``, ``max``).

    Ties are included: several rows can be last. It applies per patient where many are asked about.

    Attributes:
        n: from 1, counts distinct times; from the end for ``last`` (2: the last but one).
        then: of the rows tied for ``min``/``max``, only the first or last in time.
        each: ``name``: one pick for every name (the latest of each lab) instead of one for the patient.
    """

    which: Literal["first", "last", "nth", "min", "max"]
    n: int = Field(default=1, ge=1)
    then: Literal["first", "last"] | None = None
    each: Literal["patient", "name"] = "patient"


class Related(Frozen):
    """Keeps events whose patient also has (or, negated, has not) other events.

    Attributes:
        events: the other events.
        relation: where the other event stands: ``ever`` in the same patient; in the ``same_admission``;
            ``before``/``after`` the event itself (a drug that follows a diagnosis: the diagnosis is
            ``before``); ``same_admission_before``/``same_admission_after`` likewise within the admission;
            at the ``same_time``; of the ``same_name`` (negated: what is new); of any patient at the
            ``same_age``.
        within_days, within_months: at most so far apart (``before``/``after`` only).
        same: in the same calendar day, month or year, too.
        negated: keeps events without such a partner.
        each: the event counts once for each partner, not just once.
    """

    events: "Events"
    relation: Literal[
        "ever",
        "same_admission",
        "before",
        "after",
        "same_admission_before",
        "same_admission_after",
        "same_time",
        "same_name",
        "same_age",
    ] = "ever"
    within_days: float | None = None
    within_months: int | None = None
    same: Literal["day", "month", "year"] | None = None
    negated: bool = False
    each: bool = False


class Repeated(Frozen):
    """Keeps events that occur so often in the patient, or under the same name in the patient."""

    by: Literal["patient", "name"] = "patient"
    at_least: int = Field(default=2, ge=1)
    at_most: int | None = None


class Events(Frozen):
    """A set of events of one domain.

    Attributes:
        status: ``active``: begun and not ended at "now" (drugs, stays, admissions, diagnoses, allergies);
            ``ended``: the opposite.
        repeated, pick: applied in this order, after everything else.
        patient: whose events, where it is not the query's patient (as partners of a ``Related``).
    """

    domain: Domain
    concepts: tuple[Concept, ...] = ()
    where: tuple[Condition, ...] = ()
    window: Window | None = None
    encounter: Encounter | None = None
    status: Literal["active", "ended"] | None = None
    related: tuple[Related, ...] = ()
    repeated: Repeated | None = None
    pick: Pick | None = None
    patient: int | None = None


class Rows(Frozen):
    """List fields of the events, by time; each distinct combination once unless ``distinct`` is false.

    Attributes:
        also: fields that are listed too where the store has them.
    """

    ask: Literal["rows"] = "rows"
    fields: tuple[str, ...] = Field(min_length=1)
    also: tuple[str, ...] = ()
    distinct: bool = True
    order: Literal["time", "time_desc", "value", "value_desc"] = "time"
    limit: int | None = None


class Count(Frozen):
    """How many events, distinct names, patients or admissions."""

    ask: Literal["count"] = "count"
    of: Literal["events", "names", "patients", "admissions"] = "events"


class Exists(Frozen):
    """Whether there is such an event; with ``none``, whether there is no such event ("all were normal").

    Attributes:
        among: the answer "no" rests on the measurements that were looked at: the same events, whatever their value;
            so it does of one patient's measurements with a limit on their value (``among.py``), asked or not.
    """

    ask: Literal["exists"] = "exists"
    none: bool = False
    among: bool = False


class Statistic(Frozen):
    """A statistic of a numeric field; ``per`` first sums up per group ("average daily urine output").

    ``per = "day"`` with ``inner = "sum"`` and ``function = "mean"``: the mean of the daily sums.
    """

    ask: Literal["statistic"] = "statistic"
    function: Literal["mean", "min", "max", "sum", "median"]
    field: str = "value"
    per: Literal["patient", "admission", "day", "month", "year"] | None = None
    inner: Literal["mean", "min", "max", "sum", "count", "patients", "admissions"] = "sum"


class Extent(Frozen):
    """How large a change has to be: doubled, by more than 50%, by 2 g/dL.

    Attributes:
        by: a multiple of the earlier value (``times``: 2 is doubled, or halved where it is a fall), a
            percentage of it, or an amount.
        beyond: it has to be more than that, not just as much.
        unit: of an amount, where the question gave one; values that do not convert to it are left out.
    """

    by: float = Field(gt=0)
    kind: Literal["times", "percent", "amount"]
    direction: Literal["rise", "fall", "either"]
    beyond: bool = False
    unit: str | None = None


class Change(Frozen):
    """The later value minus the earlier one. Either may come from another encounter or window.

    Attributes:
        earlier_of: where the earlier value is of other events than ``of``.
        as_comparison: asks "is the later one less, greater, equal?" instead of "by how much?".
        at_least: asks "was the change as large as this?" instead; of many patients: of whom it was. Between the
            first and the last value of the same events, the furthest one counts, too: what doubled and came
            down again has doubled.
    """

    ask: Literal["change"] = "change"
    earlier: Pick = Pick(which="first")
    later: Pick = Pick(which="last")
    earlier_of: "Events | None" = None
    as_comparison: Literal["<", ">", "="] | None = None
    at_least: Extent | None = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "Change":
        if self.as_comparison is not None and self.at_least is not None:
            raise ValueError("give either as_comparison or at_least")
        return self

    @property
    def looks_between(self) -> bool:
        """Whether the values between the earlier and the later one count, too."""
        ends = self.earlier == Pick(which="first") and self.later == Pick(which="last")
        directed = self.at_least is not None and self.at_least.direction != "either"
        return directed and ends and self.earlier_of is None


class Trend(Frozen):
    """The values in order of time, with first, last, lowest and highest."""

    ask: Literal["trend"] = "trend"


class Top(Frozen):
    """The ``n`` most frequent values of a concept field, ties included.

    Attributes:
        cut: what ``n`` counts: different frequencies (``ranks``: two that are equal are one place), or the values
            themselves, of which only those equal to the last are added (``values``).
    """

    ask: Literal["top"] = "top"
    n: int = Field(default=5, ge=1, le=1000)
    field: str = "name"
    by: Literal["events", "patients", "cost"] = "events"
    show_count: bool = True
    cut: Literal["ranks", "values"] = "ranks"


class Group(Frozen):
    """One figure for each group: a monthly series, a distribution, a share.

    Attributes:
        by: a field of the event (``gender``, ``admission_type``, ``name`` …) or a bucket of its time.
        series: a second field, which splits each group (admissions by month and gender).
        figure: what is computed in each group; a ``rate`` is the share of its events that fulfil ``met``, or, where
            ``field`` is ``subject_id``, ``hadm_id`` or ``culture``, of its patients, admissions or cultures.
        met: what an event has to fulfil to count in a rate; one whose field is unknown does not.
        on: which time of an event decides its bucket: its (start) ``time`` or its ``end`` (discharges by month).
        share: adds each group's share of the total.
        show_group: whether the result names the groups, or lists the figures alone.
    """

    ask: Literal["group"] = "group"
    by: str | None = None
    bucket: Bucket | None = None
    series: str | None = None
    figure: Literal[
        "events", "patients", "admissions", "cultures", "mean", "median", "min", "max", "sum", "rate"
    ] = "events"
    met: tuple[Condition | Concept, ...] = ()
    on: Literal["time", "end"] = "time"
    field: str = "value"
    share: bool = False
    show_group: bool = True

    @model_validator(mode="after")
    def _groups_by_one_thing(self) -> "Group":
        if (self.by is None) == (self.bucket is None):
            raise ValueError("give either by or bucket")
        if self.series is not None and self.series == self.by:
            raise ValueError("series is a second field, not by again")
        if (self.figure == "rate") != bool(self.met):
            raise ValueError("a rate needs met, and nothing else takes it")
        return self


class Elapsed(Frozen):
    """Time since the picked event (to "now"), or how long the picked event lasted."""

    ask: Literal["elapsed"] = "elapsed"
    unit: Unit = "days"
    what: Literal["since", "duration"] = "since"


class Balance(Frozen):
    """Fluid balance: sum of intake less sum of output, in mL, by day or over all; ``of`` is ``input``."""

    ask: Literal["balance"] = "balance"
    per: Literal["day"] | None = None


class Readmission(Frozen):
    """Admissions that follow a discharge of the same patient within ``days``; with ``bucket`` as a series."""

    ask: Literal["readmission"] = "readmission"
    days: int = 30
    bucket: Bucket | None = None


class Survival(Frozen):
    """Share of patients who lived at least ``days`` after their first event; it must be that long ago.

    Attributes:
        by: ``name``: for each name of an event; then the ``n`` lowest, ties included.
        show_rate: whether the result has the shares, or the names alone.
    """

    ask: Literal["survival"] = "survival"
    days: int = Field(ge=1)
    by: Literal["name"] | None = None
    n: int = Field(default=5, ge=1, le=1000)
    show_rate: bool = True


class Percentile(Frozen):
    """Where a value stands among the values of the events: 0 is the lowest, 1 the highest."""

    ask: Literal["percentile"] = "percentile"
    value: float


Ask = Annotated[
    Rows
    | Count
    | Exists
    | Statistic
    | Change
    | Trend
    | Top
    | Group
    | Elapsed
    | Balance
    | Readmission
    | Survival
    | Percentile,
    Field(discriminator="ask"),
]


class ClinicalQuery(Frozen):
    """One question to the records.

    Attributes:
        ask: what is asked.
        of: of which events.
        patient: ``subject_id``, or ``None`` for all patients that the user may see.
    """

    ask: Ask
    of: Events
    patient: int | None = None


Related.model_rebuild()
Change.model_rebuild()
ClinicalQuery.model_rebuild()
