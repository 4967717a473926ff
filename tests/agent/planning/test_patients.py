"""A patient who is named is that patient, in whatever way the hospital's people write it, or nobody."""

import pytest

from agent.planning.patients import PatientNames
from agent.scope import Scope

NAMES = PatientNames(
    [90001, 90006],
    {"demo-000001": 90001, "demo-000006": 90006},
    {"demo-okafor, clara": [90001], "demo-tremblay, ivan": [90006], "示例·林桂芳": [90006]},
)
OPEN = Scope(now="2026-03-01 08:00:00", patient=90001)


def found(question: str) -> list[int | None]:
    return [link.subject_id for link in NAMES.find(question, OPEN)]


@pytest.mark.parametrize(
    "question",
    [
        "latest creatinine of DEMO-000006",
        "latest creatinine for MRN DEMO-000006",
        "demo000006 creatinine?",
        "patient DEMO-000006: creatinine?",
        "creatinine of patient 90006",
        "latest creatinine of Demo-Tremblay",
        "Demo-Tremblay's creatinine",
        "latest creatinine of Ivan Demo-Tremblay",
        "Demo-Tremblay, Ivan: creatinine",
        "示例·林桂芳的肌酐",
        "林桂芳最近一次肌酐",
    ],
)
def test_number_and_name_in_every_form(question: str) -> None:
    assert set(found(question)) == {90006}


@pytest.mark.parametrize(
    "question",
    ["creatinine of DEMO-999999", "creatinine of patient 99999", "MRN ZZ-12: creatinine", "病历号ZZ12的肌酐"],
)
def test_a_number_that_is_nobodys_is_never_the_open_patient(question: str) -> None:
    assert found(question) == [None]


@pytest.mark.parametrize(
    "question", ["latest creatinine", "vitamin B12", "SpO2 in the last 24 h", "CHA2DS2 score"]
)
def test_what_names_nobody_links_nobody(question: str) -> None:
    assert found(question) == []
