"""Cultures: one row where nothing grew, one row for each antibiotic tested where something did."""

import random
from datetime import timedelta

from knowledge.demo.chart import Chart, Grown
from knowledge.demo.ledger import Ledger


def add_cultures(chart: Chart, ledger: Ledger, rng: random.Random) -> None:
    """Take the cultures of the course; results come two days later."""
    for culture in chart.stay.course.cultures:
        collected = chart.stay.at(culture.at) + timedelta(minutes=rng.randint(25, 50))
        collected = collected.replace(second=0, microsecond=0)
        reported = collected + timedelta(hours=rng.randint(40, 54))
        if not chart.holds(culture.when) or rng.random() > culture.p or collected >= chart.stay.end:
            continue
        common = {
            "subject_id": chart.person.subject_id, "hadm_id": chart.hadm_id, "charttime": collected,
            "spec_type_desc": culture.specimen, "test_name": culture.test,
        }  # fmt: skip
        if reported > chart.stay.end:
            row = ledger.add(
                "microbiologyevents", **common, org_name=None, ab_name=None, interpretation=None,
                comments="PENDING: no result yet.",
            )  # fmt: skip
            chart.cultures.append(Grown(row, culture.specimen, collected, reported, None, {}))
            continue
        tested: dict[str, tuple[int, str]] = {}
        first: int | None = None
        for drug, verdict in culture.susceptibility.items():
            row = ledger.add(
                "microbiologyevents", **common, org_name=culture.organism, ab_name=drug,
                interpretation=verdict, comments=None,
            )  # fmt: skip
            tested[drug] = (row, verdict)
            first = first or row
        if first is None:
            first = ledger.add(
                "microbiologyevents", **common, org_name=culture.organism, ab_name=None, interpretation=None,
                comments="NO GROWTH." if culture.organism is None else None,
            )  # fmt: skip
        chart.cultures.append(Grown(first, culture.specimen, collected, reported, culture.organism, tested))
