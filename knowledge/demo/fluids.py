"""Transfusions, and the fluid balance of intensive care."""

import random
from datetime import datetime, timedelta

from knowledge.demo.chart import Chart
from knowledge.demo.coding import record_procedure
from knowledge.demo.ledger import Ledger
from knowledge.demo.reference import Reference

_SHIFT = timedelta(hours=6)


def add_fluids(chart: Chart, ledger: Ledger, reference: Reference, rng: random.Random) -> None:
    """Give red cells where the course calls for them; chart intake and output while in intensive care."""
    _transfuse(chart, ledger, reference, rng)
    stay = chart.stay
    if stay.icu is None:
        return
    end = stay.icu[1] or stay.end
    time = stay.icu[0] + timedelta(minutes=20)
    while time + _SHIFT <= end:
        given = round(rng.uniform(*stay.course.intake) / 4, -1)
        put_out = round(rng.uniform(*stay.course.output) / 4, -1)
        _give(
            chart, ledger, reference, "NS" if rng.random() < 0.7 else "Piggyback", given, time, time + _SHIFT
        )
        _put_out(chart, ledger, reference, "Foley", put_out, time + _SHIFT)
        chart.balance.append((time + _SHIFT, int(given), int(put_out)))
        time += _SHIFT


def _transfuse(chart: Chart, ledger: Ledger, reference: Reference, rng: random.Random) -> None:
    transfusion = chart.stay.course.transfusion
    if transfusion is None or rng.random() > transfusion.p or not chart.holds(transfusion.when):
        return
    time = (chart.stay.at(transfusion.at) + timedelta(hours=2)).replace(second=0, microsecond=0)
    for number in range(rng.randint(*transfusion.units)):
        start = time + timedelta(hours=4 * number)
        if start + timedelta(hours=3) > chart.stay.end:
            return
        _give(chart, ledger, reference, "PRBC", 300.0, start, start + timedelta(hours=3))
        record_procedure(chart, "30233N1", None, start, ledger, reference)


def _give(
    chart: Chart,
    ledger: Ledger,
    reference: Reference,
    key: str,
    amount: float,
    start: datetime,
    end: datetime,
) -> None:
    item = reference.items[key]
    hours = (end - start) / timedelta(hours=1)
    ledger.add(
        "inputevents", subject_id=chart.person.subject_id, hadm_id=chart.hadm_id,
        stay_id=chart.stay_id if chart.stay.in_icu(start) else None, starttime=start, itemid=item.itemid,
        totalamount=amount, totalamountuom=item.unit, endtime=end, amount=amount, amountuom=item.unit,
        rate=round(amount / hours, 1), rateuom="mL/hour",
    )  # fmt: skip


def _put_out(
    chart: Chart, ledger: Ledger, reference: Reference, key: str, amount: float, time: datetime
) -> None:
    item = reference.items[key]
    ledger.add(
        "outputevents", subject_id=chart.person.subject_id, hadm_id=chart.hadm_id, stay_id=chart.stay_id,
        charttime=time, itemid=item.itemid, value=amount, valueuom=item.unit,
    )  # fmt: skip
