"""The chart of one admission: what was measured, ordered, grown and done, each with the key of its row.

Notes are written from this; so what a note says and what the tables hold come from one place.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from knowledge.demo.courses import Name
from knowledge.demo.people import Person
from knowledge.demo.timeline import Stay


@dataclass(frozen=True, slots=True)
class Measured:
    """A laboratory result, vital sign or weight: ``text`` is the number as it is reported."""

    row_id: int
    key: str
    time: datetime
    value: float
    text: str
    unit: str | None


@dataclass(frozen=True, slots=True)
class Ordered:
    """A drug order; ``stop`` is ``None`` while it goes on."""

    row_id: int
    drug: str
    dose: str
    unit: str
    route: str
    frequency: str
    start: datetime
    stop: datetime | None
    home: bool

    def active(self, time: datetime) -> bool:
        """Whether the order is running at ``time``."""
        return self.start <= time and (self.stop is None or time < self.stop)


@dataclass(frozen=True, slots=True)
class Grown:
    """A culture: ``organism`` is ``None`` where nothing grew; ``rows`` are its rows by antibiotic."""

    row_id: int
    specimen: str
    collected: datetime
    reported: datetime
    organism: str | None
    susceptibility: dict[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Coded:
    """A coded diagnosis or procedure; ``code`` is without its system, ``side`` where the code has one."""

    row_id: int
    code: str
    time: datetime
    side: str | None = None
    found_later: bool = False
    background: bool = False


@dataclass(slots=True)
class Chart:
    """Everything of one admission."""

    person: Person
    stay: Stay
    hadm_id: int
    admission_row: int
    patient_row: int
    age: int
    stay_id: int | None = None
    facets: dict[str, Name] = field(default_factory=dict)
    labs: dict[str, list[Measured]] = field(default_factory=dict)
    vitals: dict[str, list[Measured]] = field(default_factory=dict)
    orders: list[Ordered] = field(default_factory=list)
    cultures: list[Grown] = field(default_factory=list)
    diagnoses: list[Coded] = field(default_factory=list)
    procedures: list[Coded] = field(default_factory=list)
    allergy_rows: list[int] = field(default_factory=list)
    balance: list[tuple[datetime, int, int]] = field(default_factory=list)
    earlier: "Chart | None" = None

    def active_orders(self, time: datetime) -> list[Ordered]:
        """The orders that run at a time, oldest first."""
        return [order for order in self.orders if order.active(time)]

    def results(self, label: str, until: datetime) -> list[Measured]:
        """Results of a test up to a time, in order of time."""
        return [m for m in self.labs.get(label, ()) if m.time <= until]

    def vital(self, key: str, until: datetime) -> Measured | None:
        """The latest value of a charted item up to a time."""
        latest = None
        for measured in self.vitals.get(key, ()):
            if measured.time > until:
                break
            latest = measured
        return latest

    def holds(self, when: str | None) -> bool:
        """Whether a condition of the course (``facet=id``) holds in this admission; ``None`` always does."""
        if when is None:
            return True
        facet, _, wanted = when.partition("=")
        return facet in self.facets and self.facets[facet].id in wanted.split("|")

    def done(self, code: str, until: datetime) -> Iterator[Coded]:
        """Procedures with a code up to a time."""
        return (p for p in self.procedures if p.code == code and p.time <= until)
