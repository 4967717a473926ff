"""Drug orders: those of the course, adapted to allergies, and those that the patient takes at home."""

import random
from datetime import datetime, timedelta

from knowledge.demo.chart import Chart, Ordered
from knowledge.demo.courses import Order
from knowledge.demo.ledger import Ledger
from knowledge.demo.reference import load_reference


def add_orders(chart: Chart, ledger: Ledger, rng: random.Random) -> None:
    """Order the drugs of the stay; what would start after "now" is not ordered yet."""
    stay = chart.stay
    drugs: list[tuple[Order, bool]] = [(order, False) for order in stay.course.drugs]
    drugs += [(order, True) for order in chart.person.home if order.drug not in stay.course.hold]
    allergic = {allergy.group for allergy in chart.person.allergies}
    for wanted, home in drugs:
        order: Order | None = wanted
        if not chart.holds(wanted.when) or rng.random() > wanted.p:
            continue
        while order and _groups(order.drug) & allergic:
            order = order.otherwise
        if order:
            _place(chart, order, wanted.span, home, ledger, rng)


def _groups(drug: str) -> set[str]:
    """Allergy groups of a drug; a penicillin allergy is also kept clear of cephalosporins here."""
    group = load_reference().drugs[drug].allergy_group
    if group == "cephalosporin":
        return {"cephalosporin", "penicillin"}
    return {group} if group else set()


def _place(
    chart: Chart, order: Order, span: tuple[float, float], home: bool, ledger: Ledger, rng: random.Random
) -> None:
    stay = chart.stay
    delay = timedelta(minutes=rng.choice((60, 75, 90, 100))) if span[0] == 0 else timedelta(0)
    start = _quarter(stay.at(span[0]) + delay)
    if start >= stay.end - timedelta(hours=2):
        return
    stop: datetime | None = stay.planned if span[1] >= 1 else _quarter(stay.at(span[1]))
    if stop and span[1] < 1 and stop <= start:
        stop = start + timedelta(hours=1)
    if stop and stop >= stay.end:
        # Still running when the record ends: at discharge it stops with the stay, at "now" it is open.
        stop = stay.discharge
    dose, _, unit = order.dose.partition(" ")
    dose = rng.choice(dose.split("|"))
    row_id = ledger.add(
        "prescriptions", subject_id=chart.person.subject_id, hadm_id=chart.hadm_id, starttime=start,
        stoptime=stop, drug=order.drug, dose_val_rx=dose, dose_unit_rx=unit, route=order.route,
        frequency=order.freq, status="active" if stop is None else "stopped", code=None, drug_type="MAIN",
    )  # fmt: skip
    chart.orders.append(Ordered(row_id, order.drug, dose, unit, order.route, order.freq, start, stop, home))


def _quarter(time: datetime) -> datetime:
    return time.replace(minute=time.minute // 15 * 15, second=0, microsecond=0)
