"""What each event is charged: invented prices, so that cost questions have an answer."""

from datetime import datetime, timedelta

from knowledge.demo.chart import Chart
from knowledge.demo.ledger import Ledger
from knowledge.demo.reference import Reference

_DIAGNOSIS = 15.0
_PROCEDURE = 420.0


def add_costs(chart: Chart, ledger: Ledger, reference: Reference) -> None:
    """Charge laboratory tests, orders, procedures and diagnoses of an admission, each by its row."""
    for label, results in chart.labs.items():
        for result in results:
            _charge(chart, ledger, "labevents", result.row_id, result.time, reference.labs[label].price)
    for order in chart.orders:
        days = max(1.0, ((order.stop or chart.stay.end) - order.start) / timedelta(days=1))
        price = reference.drugs[order.drug].price * reference.sigs[order.frequency].per_day * days
        _charge(chart, ledger, "prescriptions", order.row_id, order.start, round(price, 2))
    for procedure in chart.procedures:
        _charge(chart, ledger, "procedures_icd", procedure.row_id, procedure.time, _PROCEDURE)
    for diagnosis in chart.diagnoses:
        _charge(chart, ledger, "diagnoses_icd", diagnosis.row_id, diagnosis.time, _DIAGNOSIS)


def _charge(
    chart: Chart, ledger: Ledger, event_type: str, event_id: int, time: datetime, cost: float
) -> None:
    ledger.add(
        "cost", subject_id=chart.person.subject_id, hadm_id=chart.hadm_id, event_type=event_type,
        event_id=event_id, chargetime=time, cost=cost, currency="USD",
    )  # fmt: skip
