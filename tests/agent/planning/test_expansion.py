"""A concept stands for all that the store has of it: by code, by title, by class, by ingredient."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.planning.expansion import Expansion
from agent.planning.link import Link
from agent.planning.linker import Linker
from agent.scope import Scope
from indexes.values import ValueIndex
from knowledge.store.store import RecordStore
from knowledge.terminology.terminology import Terminology

NOW = "2025-03-01 12:00:00"
DIAGNOSES = {
    "icd10|I63411": "Cerebral infarction due to embolism of right middle cerebral artery",
    "icd9|43491": "Cerebral artery occlusion, unspecified with cerebral infarction",
    "icd10|N179": "Acute kidney failure, unspecified",
    "icd10|N390": "Urinary tract infection, site not specified",
    "icd10|I5023": "Acute on chronic systolic (congestive) heart failure",
    "icd10|I110": "Hypertensive heart disease with heart failure",
    "icd10|E1142": "Type 2 diabetes mellitus with diabetic polyneuropathy",
    "icd10|K254": "Chronic or unspecified gastric ulcer with hemorrhage",
}
PROCEDURES = {
    "icd10|027034Z": "Dilation of Coronary Artery, One Artery with Intraluminal Device, Percutaneous Approach",
    "icd10|0DJ08ZZ": "Inspection of Upper Intestinal Tract, Via Natural or Artificial Opening Endoscopic",
    "icd9|4516": "Esophagogastroduodenoscopy [EGD] with closed biopsy",
    "icd10|3E03317": "Introduction of Other Thrombolytic into Peripheral Vein, Percutaneous Approach",
    "icd10|02HV33Z": "Insertion of Infusion Device into Superior Vena Cava, Percutaneous Approach",
    "icd10|30233N1": "Transfusion of Nonautologous Red Blood Cells into Peripheral Vein, Percutaneous Approach",
}
DRUGS = (
    "Heparin",
    "Heparin Flush (10 units/ml)",
    "Triamcinolone Acetonide 0.1% Cream",
    "Enoxaparin Sodium",
    "Apixaban",
    "Metoprolol Tartrate",
    "Metoprolol Succinate XL",
    "Aspirin 81",
    "ASA",
    "Aspirin EC",
    "Acetaminophen 325 MG Oral Tablet",
    "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet",
    "Ceftriaxone",
    "Piperacillin-Tazobactam",
    "Insulin Glargine",
    "Insulin Aspart Protamine",
    "Prednisone",
    "Norepinephrine",
)


def _store(path: Path) -> RecordStore:
    """One patient with every diagnosis, procedure and drug, an NT-proBNP and a titled but unused diagnosis."""
    store = RecordStore.create(path, name="Expansion", now=NOW)
    with closing(store.connect()) as c, c:
        c.execute("INSERT INTO patients (subject_id, gender) VALUES (1, 'm')")
        c.execute(
            "INSERT INTO admissions (subject_id, hadm_id, admittime) VALUES (1, 10, '2025-02-20 08:00:00')"
        )
        for kind, titles in (("diagnoses", DIAGNOSES), ("procedures", PROCEDURES)):
            c.executemany(f"INSERT INTO d_icd_{kind} (icd_code, long_title) VALUES (?, ?)", titles.items())
            c.executemany(
                f"INSERT INTO {kind}_icd (subject_id, hadm_id, icd_code) VALUES (1, 10, ?)",
                [(code,) for code in titles],
            )
        c.execute(
            "INSERT INTO d_icd_diagnoses (icd_code, long_title) VALUES ('icd10|I639', 'Cerebral infarction')"
        )
        c.executemany(
            "INSERT INTO prescriptions (subject_id, hadm_id, drug) VALUES (1, 10, ?)", [(d,) for d in DRUGS]
        )
        c.execute("INSERT INTO allergies (subject_id, substance) VALUES (1, 'Cephalosporins')")
        c.execute("INSERT INTO d_labitems (itemid, label) VALUES (1, 'NTproBNP')")
        c.execute("INSERT INTO labevents (subject_id, hadm_id, itemid, valuenum) VALUES (1, 10, 1, 900)")
    return store


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> tuple[Expansion, Linker]:
    folder = tmp_path_factory.mktemp("expansion")
    store, terminology = _store(folder / "ward.sqlite"), Terminology.load()
    values = ValueIndex.build(store, folder / "index", terminology.surface_forms())
    return Expansion(store, terminology), Linker(store, values, terminology)


def linked(ward: tuple[Expansion, Linker], question: str) -> Link:
    language = "en" if question.isascii() else "zh"
    (link,) = ward[1].link(question, language, Scope(now=NOW, patient=1)).values
    return link


def recorded(link: Link, domain: str) -> set[str]:
    return {c.value for c in link.candidates if c.domain == domain and c.count}


def titles(table: dict[str, str], *codes: str) -> set[str]:
    return {table[code] for code in codes}


@pytest.mark.parametrize(
    ("question", "codes"),
    [
        ("has he had a stroke", ("icd10|I63411", "icd9|43491")),
        ("患者有脑卒中吗", ("icd10|I63411", "icd9|43491")),
        ("does he have AKI", ("icd10|N179",)),
        ("有心衰吗", ("icd10|I5023", "icd10|I110")),
        ("does he have diabetic neuropathy", ("icd10|E1142",)),
    ],
)
def test_a_disease_is_every_recorded_diagnosis_at_or_below_its_codes(
    ward: tuple[Expansion, Linker], question: str, codes: tuple[str, ...]
) -> None:
    assert recorded(linked(ward, question), "diagnosis") == titles(DIAGNOSES, *codes)


@pytest.mark.parametrize(
    ("question", "codes"),
    [
        ("was PCI done", ("icd10|027034Z",)),
        ("做过胃镜吗", ("icd10|0DJ08ZZ", "icd9|4516")),
        ("有没有溶栓", ("icd10|3E03317",)),
        ("does he have a central line", ("icd10|02HV33Z",)),
        ("输血了吗", ("icd10|30233N1",)),
    ],
)
def test_a_procedure_is_found_by_code_or_by_the_words_of_its_title(
    ward: tuple[Expansion, Linker], question: str, codes: tuple[str, ...]
) -> None:
    assert recorded(linked(ward, question), "procedure") == titles(PROCEDURES, *codes)


@pytest.mark.parametrize(
    ("question", "drugs"),
    [
        ("is he on a blood thinner", {"Heparin", "Enoxaparin Sodium", "Apixaban"}),
        ("用抗凝药了吗", {"Heparin", "Enoxaparin Sodium", "Apixaban"}),
        ("用低分子肝素了吗", {"Enoxaparin Sodium"}),
        ("is he on heparin", {"Heparin", "Heparin Flush (10 units/ml)"}),
        ("is he on enoxaparin", {"Enoxaparin Sodium"}),
        ("is he on a beta blocker", {"Metoprolol Tartrate", "Metoprolol Succinate XL"}),
        ("is he on metoprolol", {"Metoprolol Tartrate", "Metoprolol Succinate XL"}),
        ("is he on aspirin", {"Aspirin 81", "ASA", "Aspirin EC"}),
        ("is he on acetaminophen", {"Acetaminophen 325 MG Oral Tablet"}),
        ("is he on metformin", {"24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"}),
        ("用激素了吗", {"Prednisone"}),
        ("is he on insulin", {"Insulin Glargine", "Insulin Aspart Protamine"}),
        ("is he on antibiotics", {"Ceftriaxone", "Piperacillin-Tazobactam"}),
    ],
)
def test_a_class_or_partial_name_reaches_the_drugs_it_covers_and_no_others(
    ward: tuple[Expansion, Linker], question: str, drugs: set[str]
) -> None:
    assert recorded(linked(ward, question), "drug") == drugs


def test_a_name_inside_another_ingredient_is_not_that_drug(ward: tuple[Expansion, Linker]) -> None:
    terminology = Terminology.load()
    assert ward[0].candidates(terminology.concept("drug:protamine")) == ()
    assert ward[0].candidates(terminology.concept("drug:epinephrine")) == ()


def test_an_allergy_to_a_class_is_found_by_the_name_of_the_class(ward: tuple[Expansion, Linker]) -> None:
    assert recorded(linked(ward, "allergic to cephalosporins"), "allergy") == {"Cephalosporins"}


def test_a_class_is_an_allergen_only_where_allergies_are_asked_for(ward: tuple[Expansion, Linker]) -> None:
    assert recorded(linked(ward, "is he on antibiotics"), "allergy") == set()
    assert recorded(linked(ward, "is he allergic to antibiotics"), "allergy") == {"Cephalosporins"}


@pytest.mark.parametrize("question", ["which antibiotics is it resistant to", "对哪些抗生素敏感"])
def test_antibiotics_that_a_culture_is_tested_against_are_no_drugs_given(
    ward: tuple[Expansion, Linker], question: str
) -> None:
    assert ward[1].link(question, "en", Scope(now=NOW, patient=1)).values == ()


def test_a_related_test_stands_in_where_only_it_is_recorded(ward: tuple[Expansion, Linker]) -> None:
    assert recorded(linked(ward, "latest BNP"), "lab") == {"NTproBNP"}


@pytest.mark.parametrize("question", ["was ECMO done", "does he have a foot ulcer", "is he on statins"])
def test_what_the_store_has_nothing_of_is_marked_absent(
    ward: tuple[Expansion, Linker], question: str
) -> None:
    link = linked(ward, question)
    assert [(c.how, c.count) for c in link.candidates] == [("absent", 0)]


def test_codes_of_one_system_do_not_match_those_of_another(ward: tuple[Expansion, Linker]) -> None:
    stroke = Terminology.load().concept("disease:stroke")
    only = replace(stroke, id="disease:test", codes=(("icd9", "434"),))
    assert [c.value for c in ward[0].candidates(only)] == [DIAGNOSES["icd9|43491"]]
