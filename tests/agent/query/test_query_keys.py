"""Every row of every kind of result carries the keys of exactly the rows that it rests on.

Which those are, and what they give, is worked out a second time here, in plain Python over random records.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean, median
from typing import TypeVar

import pytest

from agent.answer import Cell
from agent.query.execute import Outcome, run
from agent.query.model import (
    Ask,
    Change,
    ClinicalQuery,
    Concept,
    Condition,
    Count,
    Elapsed,
    Events,
    Exists,
    Extent,
    Group,
    Pick,
    Readmission,
    Rows,
    Statistic,
    Survival,
    Top,
)
from agent.scope import Scope
from knowledge.store.store import TIME_FORMAT, RecordStore

NOW = "2025-12-31 00:00:00"
PATIENTS, LABS, DRUGS = range(1, 9), ("Lactate", "Sodium"), ("Aspirin", "Heparin", "Insulin")
K = TypeVar("K")
Expected = list[tuple[tuple[Cell, ...], frozenset[int]]]


@dataclass(frozen=True, slots=True)
class Lab:
    key: int
    patient: int
    name: str
    time: str
    value: float


@dataclass(frozen=True, slots=True)
class Drug:
    key: int
    patient: int
    name: str
    time: str


@dataclass(frozen=True, slots=True)
class Stay:
    key: int
    patient: int
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Hospital:
    store: RecordStore
    gender: Mapping[int, str]
    death: Mapping[int, str]
    labs: tuple[Lab, ...]
    drugs: tuple[Drug, ...]
    stays: tuple[Stay, ...]

    def lactates(self, patient: int | None = None) -> list[Lab]:
        return [lab for lab in self.labs if lab.name == "Lactate" and patient in (None, lab.patient)]


@pytest.fixture(scope="module", params=[1, 2, 3])
def hospital(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    chance = random.Random(request.param)

    def moment() -> str:
        start = datetime(2025, 1, 1) + timedelta(hours=chance.randrange(24 * 330))
        return start.strftime(TIME_FORMAT)

    def later(time: str, days: int) -> str:
        return (datetime.strptime(time, TIME_FORMAT) + timedelta(days=days)).strftime(TIME_FORMAT)

    gender = {patient: chance.choice("MF") for patient in PATIENTS}
    death = {patient: later(moment(), 5) for patient in PATIENTS if chance.random() < 0.4}
    labs = [
        Lab(key, chance.choice(PATIENTS), chance.choice(LABS), moment(), chance.randint(1, 9) / 2)
        for key in range(1, 151)
    ]
    drugs = [Drug(key, chance.choice(PATIENTS), chance.choice(DRUGS), moment()) for key in range(1, 91)]
    stays = [
        Stay(key, chance.choice(PATIENTS), start := moment(), later(start, chance.randint(1, 9)))
        for key in range(1, 41)
    ]
    path: Path = tmp_path_factory.mktemp("keys") / "random.sqlite"
    store = RecordStore.create(path, now=NOW)
    with closing(store.connect()) as connection, connection:
        people = [(patient, sex, death.get(patient)) for patient, sex in gender.items()]
        connection.executemany("INSERT INTO patients (subject_id, gender, dod) VALUES (?, ?, ?)", people)
        connection.executemany("INSERT INTO d_labitems (itemid, label) VALUES (?, ?)", enumerate(LABS))
        connection.executemany(
            "INSERT INTO labevents (row_id, subject_id, itemid, charttime, valuenum, valueuom) "
            "VALUES (?, ?, ?, ?, ?, 'mmol/L')",
            [(lab.key, lab.patient, LABS.index(lab.name), lab.time, lab.value) for lab in labs],
        )
        connection.executemany(
            "INSERT INTO prescriptions (row_id, subject_id, drug, starttime) VALUES (?, ?, ?, ?)",
            [(drug.key, drug.patient, drug.name, drug.time) for drug in drugs],
        )
        connection.executemany(
            "INSERT INTO admissions (row_id, subject_id, hadm_id, admittime, dischtime) VALUES (?, ?, ?, ?, ?)",
            [(stay.key, stay.patient, stay.key, stay.start, stay.end) for stay in stays],
        )
    return Hospital(store, gender, death, tuple(labs), tuple(drugs), tuple(stays))


def keys(rows: Iterable[Lab | Drug | Stay]) -> frozenset[int]:
    return frozenset(row.key for row in rows)


def grouped(rows: Iterable[Lab], key: Callable[[Lab], K]) -> dict[K, list[Lab]]:
    groups: defaultdict[K, list[Lab]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)


def carried(outcome: Outcome) -> Expected:
    """Each result row with all keys of the evidence behind it, none of which may be cut or given twice."""
    found: Expected = []
    for index, row in enumerate(outcome.rows):
        pieces = [outcome.evidence[i] for i in outcome.behind(index)]
        assert not any(piece.truncated for piece in pieces)
        assert all(piece.count == len(piece.row_ids) == len(set(piece.row_ids)) for piece in pieces)
        found.append((row, frozenset(key for piece in pieces for key in piece.row_ids)))
    return found


def near(found: Expected, expected: Expected) -> bool:
    def order(item: tuple[tuple[Cell, ...], frozenset[int]]) -> tuple[list[str], list[int]]:
        cells, rows = item
        return [f"{c:.6f}" if isinstance(c, int | float) else str(c) for c in cells], sorted(rows)

    return sorted(map(order, found)) == sorted(map(order, expected))


def _statistics(function: Callable[[list[float]], float]) -> Callable[[Hospital], Expected]:
    def worked_out(hospital: Hospital) -> Expected:
        rows = hospital.lactates()
        return [((function([row.value for row in rows]),), keys(rows))]

    return worked_out


def _months(hospital: Hospital) -> Expected:
    months = grouped(hospital.lactates(), lambda lab: lab.time[:7])
    return [((month, fmean(lab.value for lab in labs)), keys(labs)) for month, labs in months.items()]


def _sexes(hospital: Hospital) -> Expected:
    sexes = grouped(hospital.lactates(), lambda lab: hospital.gender[lab.patient])
    total = sum(map(len, sexes.values()))
    return [((sex, len(labs), len(labs) / total), keys(labs)) for sex, labs in sexes.items()]


def _sexes_by_quarter(hospital: Hospital) -> Expected:
    def key(lab: Lab) -> tuple[str, str]:
        return f"{lab.time[:4]}-Q{(int(lab.time[5:7]) + 2) // 3}", hospital.gender[lab.patient]

    groups = grouped(hospital.lactates(), key)
    return [((*key, len({lab.patient for lab in labs})), keys(labs)) for key, labs in groups.items()]


def _top(hospital: Hospital) -> Expected:
    counts = Counter(drug.name for drug in hospital.drugs)
    levels = sorted(set(counts.values()), reverse=True)[:2]
    return [
        ((name, n), keys(drug for drug in hospital.drugs if drug.name == name))
        for name, n in counts.items()
        if n in levels
    ]


def _last(hospital: Hospital, *, first: bool = False) -> list[Lab]:
    rows = hospital.lactates(1)
    time = (min if first else max)(lab.time for lab in rows)
    return [lab for lab in rows if lab.time == time]


def _changes(hospital: Hospital) -> dict[int, tuple[Lab, Lab, list[Lab]]]:
    """Of each patient the first and the last value and all after the first; of values at one time, the first key."""
    found = {}
    for patient, labs in grouped(hospital.lactates(), lambda lab: lab.patient).items():
        first = min(labs, key=lambda lab: (lab.time, lab.key))
        latest = max(lab.time for lab in labs)
        last = min((lab for lab in labs if lab.time == latest), key=lambda lab: lab.key)
        found[patient] = (first, last, [lab for lab in labs if lab.time > first.time])
    return found


def _change(hospital: Hospital) -> Expected:
    return [
        ((patient, last.value - first.value), keys((first, last)))
        for patient, (first, last, _) in _changes(hospital).items()
    ]


def _doubled(hospital: Hospital) -> Expected:
    found: Expected = []
    for patient, (first, last, after) in _changes(hospital).items():
        high = max(after, key=lambda lab: (lab.value, -_seconds(lab.time), -lab.key), default=last)
        if max(high.value, last.value) >= 2 * first.value:
            found.append(((patient,), keys((first, last, high))))
    return found


def _seconds(time: str) -> float:
    return datetime.strptime(time, TIME_FORMAT).timestamp()


def _readmissions(hospital: Hospital, month: str | None = None) -> Expected:
    discharges = [stay for stay in hospital.stays if month in (None, stay.end[:7])]
    back: list[Stay] = []
    returns: list[Stay] = []
    for stay in discharges:
        until = (datetime.strptime(stay.end, TIME_FORMAT) + timedelta(days=30)).strftime(TIME_FORMAT)
        again = [
            other
            for other in hospital.stays
            if other.patient == stay.patient and other != stay and stay.end <= other.start <= until
        ]
        returns += again
        back += [stay] if again else []
    cells = (len(back), len(discharges))
    return [((month, *cells) if month else cells, keys((*discharges, *returns)))]


def _readmissions_by_month(hospital: Hospital) -> Expected:
    months = {stay.end[:7] for stay in hospital.stays}
    return [row for month in months for row in _readmissions(hospital, month)]


def _survival(hospital: Hospital) -> Expected:
    first = {}
    for drug in sorted(hospital.drugs, key=lambda drug: (drug.time, drug.key)):
        first.setdefault(drug.patient, drug)
    known = [d for d in first.values() if _seconds(NOW) - _seconds(d.time) >= 30 * 86400]
    lived = [
        d.patient not in hospital.death
        or _seconds(hospital.death[d.patient]) - _seconds(d.time) >= 30 * 86400
        for d in known
    ]
    return [((fmean(lived),), keys(known))]


def _elapsed(hospital: Hospital) -> Expected:
    rows = _last(hospital)
    return [(((_seconds(NOW) - _seconds(rows[0].time)) / 86400,), keys(rows))]


LACTATE = Events(domain="lab", concepts=(Concept(values=("Lactate",)),))
HIGH = LACTATE.model_copy(update={"where": (Condition(field="value", op=">", value=3.0),)})
LAST = LACTATE.model_copy(update={"pick": Pick(which="last")})
FIRST = LACTATE.model_copy(update={"pick": Pick(which="first")})
DOUBLED = Extent(by=2, kind="times", direction="rise")
Case = tuple[Ask, Events, int | None, Callable[[Hospital], Expected]]

CASES: dict[str, Case] = {
    "count": (Count(), LACTATE, None, lambda h: [((len(h.lactates()),), keys(h.lactates()))]),
    "patients": (
        Count(of="patients"), HIGH, None,
        lambda h: [((len({lab.patient for lab in h.lactates() if lab.value > 3}),),
                    keys(lab for lab in h.lactates() if lab.value > 3))],
    ),
    "exists": (
        Exists(), HIGH, 1,
        lambda h: [((int(any(lab.value > 3 for lab in h.lactates(1))),),
                    keys(lab for lab in h.lactates(1) if lab.value > 3))],
    ),
    "mean": (Statistic(function="mean"), LACTATE, None, _statistics(fmean)),
    "median": (Statistic(function="median"), LACTATE, None, _statistics(median)),
    "sum": (Statistic(function="sum"), LACTATE, None, _statistics(sum)),
    "lowest": (Statistic(function="min"), LACTATE, None, _statistics(min)),
    "mean by month": (Group(bucket="month", figure="mean"), LACTATE, None, _months),
    "share by sex": (Group(by="gender", share=True), LACTATE, None, _sexes),
    "series": (Group(bucket="quarter", series="gender", figure="patients"), LACTATE, None, _sexes_by_quarter),
    "top": (Top(n=2), Events(domain="drug"), None, _top),
    "first": (
        Rows(fields=("time", "value"), distinct=False), FIRST, 1,
        lambda h: [((lab.time, lab.value), keys([lab])) for lab in _last(h, first=True)],
    ),
    "last": (
        Rows(fields=("time", "value"), distinct=False), LAST, 1,
        lambda h: [((lab.time, lab.value), keys([lab])) for lab in _last(h)],
    ),
    "distinct": (
        Rows(fields=("value",)), LACTATE, 1,
        lambda h: [((value,), keys(labs)) for value, labs in grouped(h.lactates(1), lambda x: x.value).items()],
    ),
    "change": (Change(), LACTATE, None, _change),
    "doubled": (Change(at_least=DOUBLED), LACTATE, None, _doubled),
    "elapsed": (Elapsed(), LAST, 1, _elapsed),
    "readmission": (Readmission(), Events(domain="admission"), None, _readmissions),
    "readmission by month": (
        Readmission(bucket="month"), Events(domain="admission"), None, _readmissions_by_month,
    ),
    "survival": (Survival(days=30), Events(domain="drug"), None, _survival),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_result_row_carries_exactly_its_rows(hospital: Hospital, case: str) -> None:
    ask, of, patient, worked_out = CASES[case]
    query = ClinicalQuery(ask=ask, of=of, patient=patient)
    found, expected = carried(run(query, hospital.store, Scope(now=NOW))), worked_out(hospital)
    assert near(found, expected), (found, expected)
