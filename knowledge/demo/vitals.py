"""Vital signs, oxygen, pain and weight: every six hours on the ward, every two in intensive care."""

import random
from datetime import datetime, timedelta

from knowledge.demo.chart import Chart, Measured
from knowledge.demo.curves import Curve, reported, rounds
from knowledge.demo.ledger import Ledger
from knowledge.demo.reference import ChartItem, Reference

SIGNS = ("HR", "RR", "SpO2", "T", "SBP", "DBP")
_SCATTER = {"HR": 3.5, "RR": 0.8, "SpO2": 0.7, "T": 0.12, "SBP": 4.5, "DBP": 3.0, "O2": 0.0, "Pain": 0.7}


def add_vitals(chart: Chart, ledger: Ledger, reference: Reference, rng: random.Random) -> None:
    """Chart the signs from arrival until discharge or "now"."""
    stay = chart.stay
    course = stay.course
    curves = {
        key: Curve(points, rng)
        for key in (*SIGNS, "Pain", "O2")
        if (points := course.vitals.get(key) or _usual(reference.items[key]))
    }
    start = stay.admit + timedelta(minutes=rng.randint(8, 20))
    times = [t for t in rounds(start, stay.end, 6, rng) if not stay.in_icu(t)]
    if stay.icu:
        times += rounds(stay.icu[0], stay.icu[1] or stay.end, 2, rng)
    for index, time in enumerate(sorted(times)):
        at = stay.fraction(time)
        for key, curve in curves.items():
            if key == "Pain" and index % 2:
                continue
            value = curve.value(at) + rng.gauss(0, _SCATTER[key])
            if key == "O2" and value < 0.75:
                continue
            _chart(chart, reference.items[key], _bounded(key, value), time, ledger)
    _weights(chart, ledger, reference, rng)


def _usual(item: ChartItem) -> list[tuple[float, float, float]] | None:
    return [(0.0, *item.usual)] if item.usual else None


def _bounded(key: str, value: float) -> float:
    if key == "SpO2":
        return min(value, 100.0)
    return min(max(value, 0.0), 10.0) if key == "Pain" else value


def _weights(chart: Chart, ledger: Ledger, reference: Reference, rng: random.Random) -> None:
    """Weight on arrival and each morning, moving by the course's change over the stay."""
    stay = chart.stay
    change = stay.course.weight_change * rng.uniform(0.7, 1.2)
    at_admission = chart.person.weight - change
    items = reference.items
    _chart(chart, items["AdmWt"], at_admission, stay.admit + timedelta(minutes=55), ledger)
    _chart(chart, items["Ht"], chart.person.height, stay.admit + timedelta(minutes=55), ledger)
    time = (stay.admit + timedelta(days=1)).replace(hour=6, minute=10)
    while time < stay.end:
        weight = at_admission + change * min(1.0, stay.fraction(time) * 1.15) + rng.gauss(0, 0.15)
        _chart(chart, items["Wt"], weight, time, ledger)
        time += timedelta(days=1)


def _chart(chart: Chart, item: ChartItem, value: float, time: datetime, ledger: Ledger) -> None:
    number, text = reported(value, item)
    row_id = ledger.add(
        "chartevents", subject_id=chart.person.subject_id, hadm_id=chart.hadm_id,
        stay_id=chart.stay_id if chart.stay.in_icu(time) else None, itemid=item.itemid, charttime=time,
        valuenum=number, valueuom=item.unit, value=text,
    )  # fmt: skip
    measured = Measured(row_id, item.key, time, number, text, item.unit)
    chart.vitals.setdefault(item.key, []).append(measured)
