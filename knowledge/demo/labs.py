"""Laboratory results of an admission: daily panels at the patient's usual values, and the course's curves."""

import random
from datetime import datetime, timedelta

from knowledge.demo.chart import Chart, Measured
from knowledge.demo.curves import Curve, reported
from knowledge.demo.ledger import Ledger
from knowledge.demo.reference import LabItem, Reference

DAILY = (
    "Sodium", "Potassium", "Chloride", "Bicarbonate", "Urea Nitrogen", "Creatinine", "Glucose",
    "Hemoglobin", "White Blood Cells", "Platelet Count",
)  # fmt: skip
_NOISE = 0.018


def add_labs(chart: Chart, ledger: Ledger, reference: Reference, rng: random.Random) -> None:
    """Draw the results from admission until discharge or "now" and put them on the chart."""
    curves = chart.stay.course.labs
    for label in dict.fromkeys((*DAILY, *curves)):
        item = reference.labs[label]
        spec = curves.get(label)
        usual = chart.person.usual.setdefault(label, rng.uniform(*item.usual))
        curve = Curve(spec.points, rng) if spec else None
        for time in _draws(chart, spec.every if spec else 24.0, rng):
            value = usual if curve is None else curve.value(chart.stay.fraction(time))
            if label in ("Creatinine", "Urea Nitrogen"):
                value = max(value, usual * 0.97)
            chart.labs.setdefault(label, []).append(
                _result(chart, item, value * rng.gauss(1, _spread(item)), time, ledger)
            )


def _spread(item: LabItem) -> float:
    """Tightly kept values (electrolytes, pH) scatter less than others."""
    return _NOISE / 5 if item.label in ("Sodium", "Chloride", "pH") else _NOISE


def _draws(chart: Chart, every: float | None, rng: random.Random) -> list[datetime]:
    """The first draw on arrival, then the morning round (or every few hours), until the end."""
    stay = chart.stay
    first = stay.admit + timedelta(minutes=40 + chart.hadm_id % 25)
    if every is None:
        return [first]
    times = [first]
    if every >= 24:
        step = timedelta(days=round(every / 24))
        time = (first + timedelta(hours=14)).replace(hour=5, minute=0)
        if time < first + timedelta(hours=8):
            time += timedelta(days=1)
        minutes = (chart.hadm_id * 7) % 45
        while time + timedelta(minutes=minutes) < stay.end - timedelta(hours=1):
            times.append(time + timedelta(minutes=minutes))
            time += step
    else:
        time = first + timedelta(hours=every)
        while time < stay.end - timedelta(hours=1):
            # Frequent draws thin out once the first days are over.
            if time < first + timedelta(hours=every * 5) or time.hour < every:
                times.append(time)
            time += timedelta(hours=every)
    return times


def _result(chart: Chart, item: LabItem, value: float, time: datetime, ledger: Ledger) -> Measured:
    gender = chart.person.gender
    number, text = reported(max(value, 0.0), item)
    if item.label == "Troponin T" and number < 0.01:
        number, text = 0.01, "0.01"
    low, high = item.reference(gender)
    row_id = ledger.add(
        "labevents", subject_id=chart.person.subject_id, hadm_id=chart.hadm_id, itemid=item.itemid,
        charttime=time, valuenum=number, valueuom=item.unit, value=text, ref_range_lower=low,
        ref_range_upper=high, flag=item.flag(number, gender),
    )  # fmt: skip
    return Measured(row_id, item.label, time, number, text, item.unit)
