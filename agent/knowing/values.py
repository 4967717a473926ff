"""A patient's values for the conditions of facts: read from results, or derived from them and said to be."""

from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache

from agent.knowing.point import Computation
from knowledge.errors import UnitError
from knowledge.facts import Condition, Reading, Verdict, evaluate
from knowledge.facts.derived import Derived, Sex, creatinine_clearance, egfr_ckd_epi_2021, qtc_fridericia
from knowledge.facts.units import convert
from knowledge.graph import KnowledgeGraph
from knowledge.patients import Measured, PatientGraph, RowRef
from knowledge.store.store import TIME_FORMAT, RecordStore

AGE = "age"
EGFR, CLEARANCE, QTC = "lab:egfr", "lab:creatinine-clearance", "vital:qtc"
CREATININE, WEIGHT, QT, HEART_RATE = "lab:creatinine", "vital:weight", "vital:qt-interval", "vital:heart-rate"
INPUTS = {EGFR: (CREATININE,), CLEARANCE: (CREATININE, WEIGHT), QTC: (QT, HEART_RATE)}
"""What a derived value is derived from, beside age and sex."""
_MEASURED = ("lab", "vital")
_YEAR = 365.2425
_LOOKED_AT = 10  # newest results among which one with a number is sought


@dataclass(frozen=True, slots=True)
class Value:
    """A value with what it was read or derived from.

    Attributes:
        concept: whose value; ``age`` for the age.
        rows: the results, and the patient's own row where age or sex went in.
        time: of the newest result; ``None`` for the age.
        derived: how it was computed; ``None`` where it was read. Where it is of another concept, it stands for
            the value as an approximation.
        basis: the results that went in, first the one whose time it has.
    """

    concept: str
    reading: Reading
    time: str | None
    rows: tuple[RowRef, ...]
    derived: Derived | None = None
    basis: tuple[Measured, ...] = ()

    @classmethod
    def of(cls, result: Measured) -> "Value":
        """A result that has a number, as it was read."""
        assert result.value is not None, "a result without a number is no value"
        reading = Reading(result.value, result.unit or "")
        return cls(result.concept, reading, result.time, (result.row,), basis=(result,))

    @property
    def computation(self) -> Computation | None:
        """The recorded operation behind a derived value, rounded as it is said."""
        if self.concept == AGE:
            return Computation("age", float(int(self.reading.value)))
        if self.derived is None:
            return None
        name = {EGFR: "egfr", CLEARANCE: "creatinine_clearance", QTC: "qtc"}[self.concept]
        if self.derived.concept != self.concept:
            name = "clearance_as_egfr"
        return Computation(name, rounded(self.reading.value), self.concept, self.reading.unit)  # type: ignore[arg-type]


class Values:
    """The values of one patient at one time; each is looked up once.

    Args:
        store, patients: the record.
        graph: resolves the names in conditions.
        subject_id: the patient, whom the caller knows the user may see.
        now: nothing later counts.
    """

    def __init__(
        self, store: RecordStore, patients: PatientGraph, graph: KnowledgeGraph, subject_id: int, now: str
    ) -> None:
        self._store = store
        self._patients = patients
        self._graph = graph
        self._subject_id = subject_id
        self._now = now
        self._known: dict[str, Value | None] = {}

    def value(self, concept: str) -> Value | None:
        """The newest value of a concept; ``None`` where nothing is on record from which to have it."""
        if concept not in self._known:
            self._known[concept] = self._value(concept)
        return self._known[concept]

    def judge(self, condition: Condition) -> Verdict:
        """Whether a condition holds for the patient now."""
        concepts = [self.resolve(comparison.name) for comparison in condition.comparisons]
        found = {c: value.reading for c in concepts if c is not None and (value := self.value(c)) is not None}
        return evaluate(condition, found, self.resolve)

    def resolve(self, name: str) -> str | None:
        """The one thing that a name in a condition means."""
        return AGE if name == AGE else self._resolved(name)

    @cached_property
    def _resolved(self):
        return lru_cache(maxsize=None)(lambda name: resolve(self._graph, name))

    def _value(self, concept: str) -> Value | None:
        if concept == AGE:
            age = self._age(self._now)
            return None if age is None else Value(AGE, Reading(age, "years"), None, self._patient_row)
        read = self._read(concept)
        derive = {EGFR: self._egfr, CLEARANCE: self._clearance, QTC: self._qtc}.get(concept)
        derived = derive() if derive is not None else None
        if read is None or (derived is not None and (derived.time or "") > (read.time or "")):
            return derived or read
        return read

    def _read(self, concept: str) -> Value | None:
        for result in self._patients.results(self._subject_id, concept, _LOOKED_AT, until=self._now):
            if result.value is not None:
                return Value.of(result)
        return None

    def _egfr(self) -> Value | None:
        return self._from_creatinine(EGFR, None)

    def _clearance(self) -> Value | None:
        """By Cockcroft-Gault; without a weight, eGFR stands for it, which is said.

        Source: NIDDK, Determining Drug Dosing in Adults with CKD (either estimate may be used).
        """
        weight = self._read(WEIGHT)
        if weight is not None:
            return self._from_creatinine(CLEARANCE, weight)
        egfr = self._egfr()
        if egfr is None:
            return None
        return replace(egfr, concept=CLEARANCE, reading=Reading(egfr.reading.value, "mL/min"))

    def _from_creatinine(self, concept: str, weight: Value | None) -> Value | None:
        creatinine, sex = self._read(CREATININE), self._sex
        age = self._age(creatinine.time or self._now) if creatinine is not None else None
        if creatinine is None or sex is None or age is None:
            return None
        used = (creatinine,) if weight is None else (creatinine, weight)
        with suppress(ValueError, UnitError):  # no equation for children, or a unit that nobody can read
            mg_dl = in_unit(creatinine, "mg/dL")
            derived = (
                egfr_ckd_epi_2021(mg_dl, int(age), sex)
                if weight is None
                else creatinine_clearance(mg_dl, int(age), in_unit(weight, "kg"), sex)
            )
            return self._derived(concept, derived, used, personal=True)
        return None

    def _qtc(self) -> Value | None:
        interval, rate = self._read(QT), self._read(HEART_RATE)
        if interval is None or rate is None:
            return None
        with suppress(ValueError, UnitError):
            derived = qtc_fridericia(in_unit(interval, "ms"), in_unit(rate, "bpm"))
            return self._derived(QTC, derived, (interval, rate), personal=False)
        return None

    def _derived(self, concept: str, derived: Derived, used: Iterable[Value], *, personal: bool) -> Value:
        used = tuple(used)
        return Value(
            concept,
            Reading(derived.value, derived.unit),
            used[0].time,
            tuple(row for value in used for row in value.rows) + (self._patient_row if personal else ()),
            derived,
            tuple(result for value in used for result in value.basis),
        )

    def _age(self, at: str) -> float | None:
        """Age in years at a time, from the date of birth."""
        born = self._patient[2]
        if not born:
            return None
        with suppress(ValueError):
            birth = datetime.fromisoformat(born[:10])
            return age_at(birth, datetime.strptime(at, TIME_FORMAT))
        return None

    @property
    def _sex(self) -> Sex | None:
        return {"f": "female", "m": "male"}.get((self._patient[1] or "").lower()[:1])  # type: ignore[return-value]

    @property
    def _patient_row(self) -> tuple[RowRef, ...]:
        return (RowRef("patients", self._patient[0]),)

    @cached_property
    def _patient(self) -> tuple[int, str | None, str | None]:
        with closing(self._store.connect()) as connection:
            return connection.execute(
                "SELECT row_id, gender, dob FROM patients WHERE subject_id = ?", (self._subject_id,)
            ).fetchone()


def resolve(graph: KnowledgeGraph, name: str) -> str | None:
    """The one lab or vital sign that a name means; ``None`` where it means none or several."""
    found = [node.id for node in graph.named(name) if node.type in _MEASURED]
    return found[0] if len(found) == 1 else None


def in_unit(value: Value, unit: str) -> float:
    """A value in another unit.

    Raises:
        UnitError: its unit is unknown or of another kind.
    """
    return convert(value.reading.value, value.reading.unit, unit, value.concept)


def age_at(birth: datetime, at: datetime) -> float:
    """Completed years between a birth and a later day."""
    return at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))


def rounded(number: float) -> float:
    """A derived value as it is said: whole from 10 on, with one decimal below."""
    return float(round(number)) if abs(number) >= 10 else round(number, 1)
