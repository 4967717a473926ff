"""The typed clinical query: what a planner emits and everything else is compiled from.

A query says *what is asked* (``ask``) *of which events* (``of``) *of whom* (``patient``). From it come the
SQL (``compile.py``), the keys of the rows behind the answer, the sentence in English and in Chinese
(``realise.py``), and the assumptions. It is valid by construction: a query that parses compiles.

Values are the store's own (linking has already matched the question's words to them) and times are
absolute (the time resolver has already applied "now"); ``said`` keeps the question's words for display.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

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
Operator = Literal["=", "!=", "<", "<=", ">", ">="]
Unit = Literal["minutes", "hours", "days", "weeks", "months", "years"]
Bucket = Literal["hour", "day", "week", "month", "quarter", "year"]


class Frozen(BaseModel):
    """Base: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Concept(Frozen):
    """The events are of any of these values.

    Attributes:
        field: a concept field of the domain (see ``domains.yaml``), e.g. ``name``, ``organism``, ``careunit``.
        values: values as the store has them.
        said: the words of the question that were linked to them.
    """

    field: str = "name"
    values: tuple[str, ...] = Field(min_length=1)
    said: str = ""


class Condition(Frozen):
    """A comparison on a field of the event: ``value > 5.5 mEq/L``, ``route = 'IV'``, ``interpretation = 'R'``.

    Attributes:
        field: a field of the domain; ``value`` is its number.
        value: a number or text; the word ``low``/``high``/``abnormal``/``critical`` on ``value`` means
            against the row's own reference range, else the threshold table.
        unit: of ``value`` where the question gave one; rows in another unit are converted or left out, and
            either is said in the assumptions.
    """

    field: str
    op: Operator
    value: float | str
    unit: str | None = None


class Window(Frozen):
    """A span of time, half-open ``[start, end)``, ``YYYY-MM-DD HH:MM:SS``; ``None`` is unbounded."""

    start: str | None = None
    end: str | None = None
    said: str = ""


class Encounter(Frozen):
    """Restricts events to one encounter of the patient.

    Attributes:
        kind: a hospital admission or an ICU stay.
        which: ``current`` is the one that is still open; ``last`` and ``first`` are by start among completed
            ones (so "last admission" of an inpatient is the one before); ``this`` is the open one or, where
            none is open, the latest, which is said in the assumptions; ``nth`` counts from the first.
        n: for ``nth``, from 1.
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
    """

    which: Literal["first", "last", "nth", "min", "max"]
    n: int = 1


class Related(Frozen):
    """Keeps events whose patient also has (or, negated, has not) other events.

    Attributes:
        events: the other events.
        relation: ``ever`` in the same patient; ``same_admission``; ``before``/``after`` the event itself;
            ``same_admission_before``/``same_admission_after`` likewise within the admission.
        within_days: at most so many days apart (``before``/``after`` only).
        negated: keeps events without such a partner.
    """

    events: "Events"
    relation: Literal[
        "ever", "same_admission", "before", "after", "same_admission_before", "same_admission_after"
    ] = "ever"
    within_days: float | None = None
    negated: bool = False


class Events(Frozen):
    """A set of events of one domain.

    Attributes:
        status: ``active``: begun and not ended at "now" (drugs, stays, admissions, diagnoses, allergies);
            ``ended``: the opposite.
    """

    domain: Domain
    concepts: tuple[Concept, ...] = ()
    where: tuple[Condition, ...] = ()
    window: Window | None = None
    encounter: Encounter | None = None
    status: Literal["active", "ended"] | None = None
    related: tuple[Related, ...] = ()
    pick: Pick | None = None


class Rows(Frozen):
    """List fields of the events, by time; one row for each distinct combination unless ``distinct`` is false."""

    ask: Literal["rows"] = "rows"
    fields: tuple[str, ...] = Field(min_length=1)
    distinct: bool = True
    order: Literal["time", "time_desc", "value", "value_desc"] = "time"
    limit: int | None = None


class Count(Frozen):
    """How many events, distinct names, patients or admissions."""

    ask: Literal["count"] = "count"
    of: Literal["events", "names", "patients", "admissions"] = "events"


class Exists(Frozen):
    """Whether there is such an event."""

    ask: Literal["exists"] = "exists"


class Statistic(Frozen):
    """A statistic of a numeric field; ``per`` first sums up per group, so "average daily urine output" is possible.

    ``per = "day"`` with ``inner = "sum"`` and ``function = "mean"``: the mean of the daily sums.
    """

    ask: Literal["statistic"] = "statistic"
    function: Literal["mean", "min", "max", "sum", "median"]
    field: str = "value"
    per: Literal["patient", "admission", "day", "month", "year"] | None = None
    inner: Literal["mean", "min", "max", "sum", "count"] = "sum"


class Change(Frozen):
    """The later value minus the earlier one, both shown. Either side may come from another encounter or window."""

    ask: Literal["change"] = "change"
    earlier: Pick = Pick(which="first")
    later: Pick = Pick(which="last")
    earlier_of: "Events | None" = None  # where the earlier value is of other events than ``of``
    as_comparison: Literal["<", ">", "="] | None = None  # asks "is it greater?" instead of "by how much?"


class Trend(Frozen):
    """The values in order of time, with first, last, lowest and highest."""

    ask: Literal["trend"] = "trend"


class Top(Frozen):
    """The ``n`` most frequent values of a concept field, ties included (``DENSE_RANK``)."""

    ask: Literal["top"] = "top"
    n: int = Field(5, ge=1, le=1000)
    field: str = "name"
    by: Literal["events", "patients", "cost"] = "events"
    show_count: bool = True


class Group(Frozen):
    """One figure for each group: a monthly series, a distribution, a share.

    Attributes:
        by: a field of the event (``gender``, ``admission_type``, ``name`` …) or a bucket of its time.
        figure: what is computed in each group.
        share: adds each group's share of the total.
    """

    ask: Literal["group"] = "group"
    by: str | None = None
    bucket: Bucket | None = None
    figure: Literal["events", "patients", "admissions", "mean", "min", "max", "sum"] = "events"
    field: str = "value"
    share: bool = False


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


Ask = Annotated[
    Rows | Count | Exists | Statistic | Change | Trend | Top | Group | Elapsed | Balance | Readmission,
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
