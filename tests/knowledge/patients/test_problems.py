"""Problems of the patient graph: what becomes one, what never does, and how codes and wording unify."""

import pytest

NOW = "2025-03-01 12:00:00"


def concepts(graph, subject_id: int = 4) -> set[str | None]:
    return {problem.concept for problem in graph.problems(subject_id)}


def test_codes_of_both_editions_and_the_wording_of_a_note_are_one_problem(hospital) -> None:
    hospital.diagnose("icd10|I480", "Paroxysmal atrial fibrillation")
    hospital.diagnose("icd9|42731", "Atrial fibrillation")
    hospital.note("Assessment: known AF, rate controlled. 心房颤动。")
    (found,) = [p for p in hospital.updated().problems(4) if p.concept == "disease:af"]
    assert set(found.codes) == {"icd10|I480", "icd9|42731"}
    assert len(found.statements) >= 4
    assert {type(said.evidence).__name__ for said in found.statements} == {"RowRef", "NoteRef"}


def test_a_code_that_nobody_knows_stays_as_a_problem_with_its_title(hospital) -> None:
    hospital.diagnose("icd10|Z9999", "Something that no source names")
    (found,) = hospital.updated().problems(4)
    assert (found.concept, found.name) == (None, "Something that no source names")


@pytest.mark.parametrize(
    ("text", "assertion", "experiencer"),
    [
        ("Patient denies any history of asthma.", "negated", "patient"),
        ("Family history: mother with asthma.", "family", "family"),
        ("Assessment: possible asthma.", "possible", "patient"),
        ("无哮喘。", "negated", "patient"),
        ("母亲患哮喘。", "family", "family"),
    ],
)
def test_a_negated_family_or_possible_mention_is_kept_and_is_no_problem(
    hospital, text: str, assertion: str, experiencer: str
) -> None:
    hospital.note(text, language="en" if text.isascii() else "zh")
    graph = hospital.updated()
    assert graph.problems(4) == graph.findings(4) == ()
    (said,) = [s for s in graph.statements(4) if s.concept == "disease:asthma"]
    assert (said.relation, said.assertion, said.experiencer) == ("noted", assertion, experiencer)


def test_a_code_for_the_history_of_the_family_is_no_problem_of_the_patient(hospital) -> None:
    hospital.diagnose("icd10|Z803", "Family history of malignant neoplasm of breast")
    graph = hospital.updated()
    assert graph.problems(4) == ()
    assert [s.assertion for s in graph.statements(4) if s.kind == "problem"] == ["family"]


@pytest.mark.parametrize(
    ("status", "kept"), [("active, provisional", False), ("refuted", False), ("active", True), (None, True)]
)
def test_a_diagnosis_that_is_not_confirmed_is_no_problem(hospital, status: str | None, kept: bool) -> None:
    hospital.diagnose("icd10|J45909", "Unspecified asthma, uncomplicated", status=status)
    assert ("disease:asthma" in concepts(hospital.updated())) is kept


def test_a_code_leads_to_the_narrowest_concepts_alone(hospital) -> None:
    hospital.diagnose("icd10|E119", "Type 2 diabetes mellitus without complications")
    assert concepts(hospital.updated()) == {"disease:type-2-diabetes"}


def test_the_evidence_of_a_mention_is_its_span(hospital) -> None:
    text = "Assessment: known asthma."
    hospital.note(text)
    (found,) = hospital.updated().problems(4)
    span = found.statements[0].evidence
    assert text[span.start : span.end] == "asthma"


def test_a_cohort_takes_in_what_is_below_and_leaves_out_what_is_denied(hospital) -> None:
    hospital.diagnose("icd10|E1021", "Type 1 diabetes mellitus with diabetic nephropathy", subject_id=2)
    hospital.note("No diabetes. Mother has diabetes mellitus.", subject_id=4)
    graph = hospital.updated()
    kinds = ("disease:diabetes", *hospital.graph.descendants("disease:diabetes"))
    assert [member.subject_id for member in graph.cohort(kinds)] == [1, 2]
    assert [member.subject_id for member in graph.cohort(kinds, permitted={2, 4})] == [2]


def test_a_cohort_finds_by_code_what_leads_to_another_concept(hospital) -> None:
    hospital.diagnose("icd10|I110", "Hypertensive heart disease with heart failure")
    graph = hospital.updated()
    assert [m.subject_id for m in graph.cohort(["disease:hypertension"], ["icd10|I11"])] == [4]
