"""Routes, wards, kinds of admission, sex: groups that a question names, and words that only look like them."""

import pytest

from agent.planning.categories import Categories
from agent.planning.linker import Linker
from agent.scope import Scope
from tests.hospital import NOW


def groups(linker: Linker, question: str) -> set[tuple[str, str, str]]:
    """Domain, field and value of everything in the question that no slot of the catalogue takes."""
    linked = linker.link(question, "en", Scope(now=NOW))
    fields = {"careunit", "route", "gender", "insurance", "marital_status", "language", "race"}
    return {
        (c.domain, c.field, c.value.casefold())
        for link in linked.values
        for c in link.candidates
        if c.field in fields or c.field.startswith(("admission_", "discharge_"))
    }


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("drugs given via the iv route", ("drug", "route", "iv")),
        ("what was prescribed intravenously?", ("drug", "route", "iv")),
        ("静脉用药有哪些", ("drug", "route", "iv")),
        ("any po meds?", ("drug", "route", "po")),
        ("has she taken anything by mouth", ("drug", "route", "po")),
        ("patients in the micu", ("transfer", "careunit", "micu")),
        ("patients in the micu", ("icu_stay", "careunit", "micu")),
        ("how many patients stayed in medicine?", ("transfer", "careunit", "medicine")),
        ("急诊科有多少患者", ("transfer", "careunit", "emergency department")),
        ("was she admitted to the ER?", ("admission", "admission_location", "emergency room")),
        ("从急诊入院的患者", ("admission", "admission_location", "emergency room")),
        ("how many were discharged home", ("admission", "discharge_location", "home")),
        ("elective admissions in January", ("admission", "admission_type", "elective")),
        ("how many women have pneumonia?", ("patient", "gender", "f")),
        ("男性患者有多少", ("patient", "gender", "m")),
        ("widowed patients", ("admission", "marital_status", "widowed")),
    ],
)
def test_a_question_names_a_group(linker: Linker, question: str, expected: tuple[str, str, str]) -> None:
    assert expected in groups(linker, question)


@pytest.mark.parametrize(
    "question",
    [
        "what medicine was she given?",
        "chronic kidney disease stage iv",
        "can she go back home soon",
        "is the wound single or multiple",
        "her white blood cells",
        "patient id 3",
    ],
)
def test_words_that_only_look_like_a_group_are_none(linker: Linker, question: str) -> None:
    assert groups(linker, question) == set()


def test_a_store_without_such_columns_has_no_groups() -> None:
    assert Categories({}).find("patients in the micu") == []
