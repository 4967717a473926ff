"""A disease name stands for the diagnoses that are of it, and not for all that share a word with it."""

from contextlib import closing
from pathlib import Path

import pytest
from hospital import small_hospital

from agent.answer import Language
from agent.planning.choose import choose_in
from agent.planning.linker import Linker
from agent.planning.spelling import is_opposite
from agent.scope import Scope
from indexes.values import ValueIndex
from knowledge.store.store import RecordStore
from knowledge.terminology.terminology import Terminology

NOW = "2025-03-01 12:00:00"
ESSENTIAL, HEART, PORTAL = (
    "Essential (primary) hypertension",
    "Hypertensive heart disease with heart failure",
    "Portal hypertension",
)
DIASTOLIC, SYSTOLIC = (
    "Acute on chronic diastolic (congestive) heart failure",
    "Acute on chronic systolic (congestive) heart failure",
)
HEPATITIS_C, LIVER_FAILURE = (
    "Chronic viral hepatitis C",
    "Hepatic failure, unspecified without coma",
)
RENAL_ANEMIA, DIABETIC_KIDNEY, CKD = (
    "Anemia in chronic kidney disease",
    "Type 2 diabetes mellitus with diabetic chronic kidney disease",
    "Chronic kidney disease, stage 4 (severe)",
)
HYPOTHYROIDISM, HYPERGLYCEMIA = (
    "Hypothyroidism, unspecified",
    "Type 2 diabetes mellitus with hyperglycemia",
)
TITLES = {
    "icd10|I10": ESSENTIAL,
    "icd10|I110": HEART,
    "icd10|K766": PORTAL,
    "icd10|I5033": DIASTOLIC,
    "icd10|I5023": SYSTOLIC,
    "icd10|B182": HEPATITIS_C,
    "icd10|K7290": LIVER_FAILURE,
    "icd10|D631": RENAL_ANEMIA,
    "icd10|E1122": DIABETIC_KIDNEY,
    "icd10|N184": CKD,
    "icd10|E039": HYPOTHYROIDISM,
    "icd10|E1165": HYPERGLYCEMIA,
}


@pytest.fixture(scope="module")
def linker(tmp_path_factory: pytest.TempPathFactory) -> Linker:
    folder: Path = tmp_path_factory.mktemp("coverage")
    store = RecordStore.create(folder / "store.sqlite", name="Coverage", now=NOW)
    with closing(store.connect()) as c, c:
        c.execute("INSERT INTO patients (subject_id, gender) VALUES (1, 'm')")
        c.execute(
            "INSERT INTO admissions (subject_id, hadm_id, admittime) VALUES (1, 10, '2025-02-20 08:00:00')"
        )
        c.executemany("INSERT INTO d_icd_diagnoses (icd_code, long_title) VALUES (?, ?)", TITLES.items())
        c.executemany(
            "INSERT INTO diagnoses_icd (subject_id, hadm_id, icd_code) VALUES (1, 10, ?)",
            [(code,) for code in TITLES],
        )
    terminology = Terminology.load()
    values = ValueIndex.build(store, folder / "index", terminology.surface_forms())
    return Linker(store, values, terminology)


def meant(linker: Linker, question: str, said: str) -> set[str]:
    """The diagnoses of the record that a mention means."""
    language: Language = "en" if question.isascii() else "zh"
    links = linker.link(question, language, Scope(now=NOW)).values
    (link,) = (one for one in links if one.text == said)
    choice = choose_in(link, "diagnosis", "name", language)
    assert choice.concept is not None
    return set(choice.concept.values)


@pytest.mark.parametrize(
    ("question", "said", "titles"),
    [
        ("how many patients have hypertension", "hypertension", {ESSENTIAL, HEART}),
        ("how many patients have essential hypertension", "essential hypertension", {ESSENTIAL}),
        ("有多少高血压患者", "高血压", {ESSENTIAL, HEART}),
        ("有多少原发性高血压患者", "原发性高血压", {ESSENTIAL}),
        ("how many patients have portal hypertension", "portal hypertension", {PORTAL}),
        ("how many patients have heart failure", "heart failure", {HEART, DIASTOLIC, SYSTOLIC}),
        ("how many patients have diastolic heart failure", "diastolic heart failure", {DIASTOLIC}),
        ("who has HFrEF", "HFrEF", {SYSTOLIC}),
        ("how many patients have hepatitis", "hepatitis", {HEPATITIS_C}),
        ("有多少肝炎患者", "肝炎", {HEPATITIS_C}),
        (
            "how many patients have chronic kidney disease",
            "chronic kidney disease",
            {RENAL_ANEMIA, DIABETIC_KIDNEY, CKD},
        ),
    ],
)
def test_a_disease_is_what_its_codes_say(linker: Linker, question: str, said: str, titles: set[str]) -> None:
    assert meant(linker, question, said) == titles


@pytest.mark.parametrize(
    ("question", "said", "never"),
    [
        ("how many patients have hyperthyroidism", "hyperthyroidism", HYPOTHYROIDISM),
        ("any hypoglycemia this admission", "hypoglycemia", HYPERGLYCEMIA),
        ("how many patients have hyperthyroidsm", None, HYPOTHYROIDISM),
    ],
)
def test_a_name_is_no_misspelling_of_its_opposite(
    linker: Linker, question: str, said: str | None, never: str
) -> None:
    links = linker.link(question, "en", Scope(now=NOW)).values
    assert never not in {c.value for link in links for c in link.candidates if c.count}
    assert said is None or said in {link.text for link in links}


def test_opposites_are_told_from_slips() -> None:
    assert is_opposite("hypokalemia", "hyperkalemia")
    assert is_opposite("Hyperglycemia", "hypoglicemia")
    assert not is_opposite("hyperkalemia", "hyperkalemai")
    assert not is_opposite("potassium", "hyperkalemia")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("对青霉素过敏的有几个人", "青霉素"),
        ("青霉素过敏的患者有多少", "青霉素"),
        ("how many patients are allergic to penicillin", "penicillin"),
        ("any amoxicillin allergy", "amoxicillin"),
    ],
)
def test_what_somebody_is_allergic_to_is_on_the_list_of_allergies(
    tmp_path: Path, question: str, said: str
) -> None:
    store = small_hospital(tmp_path / "hospital.sqlite")
    terminology = Terminology.load()
    values = ValueIndex.build(store, tmp_path / "index", terminology.surface_forms())
    language: Language = "en" if question.isascii() else "zh"
    linked = Linker(store, values, terminology).link(question, language, Scope(now=NOW))
    (link,) = linked.values
    assert link.text == said
    assert {(c.domain, c.value) for c in link.candidates} == {("allergy", "Penicillin")}


def test_a_ventilator_is_no_breathing_rate(linker: Linker) -> None:
    (link,) = linker.link("他上呼吸机了吗", "zh", Scope(now=NOW)).values
    assert link.text == "呼吸机"
