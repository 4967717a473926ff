"""Coded diagnoses and procedures of an admission."""

import random
from datetime import datetime, timedelta

from knowledge.demo.chart import Chart, Coded
from knowledge.demo.ledger import Ledger
from knowledge.demo.reference import Reference


def add_codes(chart: Chart, ledger: Ledger, reference: Reference, rng: random.Random) -> None:
    """Code the diagnoses of the course, then the chronic ones, and the procedures done until "now"."""
    stay = chart.stay
    wanted: list[tuple[str, str | None, bool, bool]] = []
    for diagnosis in stay.course.diagnoses:
        if not chart.holds(diagnosis.when) or rng.random() > diagnosis.p:
            continue
        side = chart.person.side if diagnosis.right else None
        code = (diagnosis.right if side == "right" else diagnosis.left) if side else diagnosis.code
        if code:
            wanted.append((code, side, diagnosis.found_later, diagnosis.background))
    coded = {code for code, *_ in wanted}
    wanted += [(c.code, None, False, True) for c in chart.person.chronic if c.code not in coded]
    time = stay.admit + timedelta(hours=2)
    for number, (code, side, later, background) in enumerate(wanted, start=1):
        row = ledger.add(
            "diagnoses_icd", subject_id=chart.person.subject_id, hadm_id=chart.hadm_id,
            icd_code=reference.diagnoses[code].icd_code, charttime=time, seq_num=number, status="active",
            endtime=None,
        )  # fmt: skip
        chart.diagnoses.append(Coded(row, code, time, side, later, background))
    _procedures(chart, ledger, reference, rng)


def _procedures(chart: Chart, ledger: Ledger, reference: Reference, rng: random.Random) -> None:
    stay = chart.stay
    for procedure in stay.course.procedures:
        time = (stay.at(procedure.at) + timedelta(minutes=95)).replace(second=0, microsecond=0)
        needs_icu = procedure.code in ("0BH17EZ", "5A1945Z", "02HV33Z")
        if needs_icu and stay.icu:
            time = stay.icu[0] + timedelta(minutes=40)
        if (
            not chart.holds(procedure.when)
            or rng.random() > procedure.p
            or (needs_icu and not stay.icu)
            or time >= stay.end
        ):
            continue
        side = chart.person.side if procedure.right else None
        code = (procedure.right if side == "right" else procedure.left) if side else procedure.code
        if code:
            record_procedure(chart, code, side, time, ledger, reference)


def record_procedure(
    chart: Chart, code: str, side: str | None, time: datetime, ledger: Ledger, reference: Reference
) -> None:
    """Add one procedure to the tables and the chart."""
    row = ledger.add(
        "procedures_icd", subject_id=chart.person.subject_id, hadm_id=chart.hadm_id,
        icd_code=reference.procedures[code].icd_code, charttime=time, seq_num=len(chart.procedures) + 1,
        endtime=None,
    )  # fmt: skip
    chart.procedures.append(Coded(row, code, time, side))
