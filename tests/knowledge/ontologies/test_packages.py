"""ICD-10-CM and HPO from the packages that carry them, here with a page of each."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from knowledge.ontologies import import_package, packages

CODES = {  # code: title, code above, inclusion terms
    "9": ("Diseases of the circulatory system (I00-I99)", "", []),
    "I10-I1A": ("Hypertensive diseases (I10-I1A)", "9", []),
    "I10": ("Essential (primary) hypertension", "I10-I1A", ["high tension"]),
    "I11": ("Hypertensive heart disease", "I10-I1A", []),
    "I11.0": ("Hypertensive heart disease with heart failure", "I11", []),
    "18": ("Symptoms, signs and abnormal clinical findings (R00-R99)", "", []),
    "R50": ("Fever of other and unknown origin", "18", []),
}
HPOA = (
    "#version: 2025-01-16\n"
    "database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\tmodifier\taspect\tcuration\n"
    "OMIM:100001\tA new disease\t\tHP:0001250\tPMID:1\tPCS\t\t9/10\t\t\tP\tx\n"
    "OMIM:100001\tA new disease\t\tHP:0001945\tPMID:2\tPCS\t\tHP:0040283\t\t\tP\tx\n"
    "OMIM:100001\tA new disease\tNOT\tHP:0001945\tPMID:2\tPCS\t\t\t\t\tP\tx\n"
    "OMIM:100001\tA new disease\t\tHP:0001945\tPMID:2\tPCS\t\t0/5\t\t\tP\tx\n"
    "OMIM:100001\tA new disease\t\tHP:0000005\tPMID:2\tPCS\t\t\t\t\tI\tx\n"
    "ORPHA:1\tHypertension\t\tHP:0001250\tORPHA:1\tTAS\t\t55%\t\t\tP\tx\n"
)
OBO = (
    "format-version: 1.2\ndata-version: hp/releases/2025-01-16\nontology: hp.obo\n\n"
    "[Term]\nid: HP:0000118\nname: Phenotypic abnormality\n\n"
    "[Term]\nid: HP:0001250\nname: Seizure\nis_a: HP:0000118 ! x\n\n"
    "[Term]\nid: HP:0001945\nname: Fever\nis_a: HP:0000118 ! x\n"
)


@pytest.fixture
def icd(monkeypatch: pytest.MonkeyPatch) -> None:
    book = SimpleNamespace(
        get_all_codes=lambda: [*CODES, "I10"],
        get_parent=lambda code, prioritize_blocks=False: CODES[code][1],
        get_description=lambda code: CODES[code][0],
        get_inclusion_term=lambda code: CODES[code][2],
        get_includes=lambda code: [],
        get_children=lambda code: [one for one, (_, above, _) in CODES.items() if above == code],
        is_chapter=lambda code: code.isdigit(),
        is_chapter_or_block=lambda code: code.isdigit() or "-" in code,
        is_category_or_subcategory=lambda code: not code.isdigit() and "-" not in code,
    )
    monkeypatch.setattr(packages, "_module", lambda name, package: book)


@pytest.mark.usefixtures("icd")
def test_codes_join_the_concepts_that_they_name_and_lie_below_those_that_claim_them(folder, opened) -> None:
    report = import_package(folder, "icd10cm")
    assert (report.merged, report.added) == (1, 6)
    graph = opened()
    assert graph.ancestors("ICD10CM:I11.0") == (
        "ICD10CM:I11",
        "disease:hypertension",
        "ICD10CM:I10-I1A",
        "ICD10CM:chapter 9",
    )
    assert graph.node("ICD10CM:I10-I1A").en == "Hypertensive diseases"
    assert graph.node("ICD10CM:chapter 18").type == graph.node("ICD10CM:R50").type == "finding"
    assert graph.named("high tension") == ()
    assert [node.id for node in graph.by_code("icd10", "I11.09")] == ["ICD10CM:I11.0"]


def test_annotations_point_from_findings_to_diseases_as_often_as_they_are_seen(
    folder, opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hp.obo").write_text(OBO, "utf-8")
    (tmp_path / "phenotype.hpoa").write_text(HPOA, "utf-8")
    monkeypatch.setattr(packages, "hpo_files", lambda: (tmp_path / "hp.obo", tmp_path / "phenotype.hpoa"))
    report = import_package(folder, "hpo")
    assert (report.version, report.merged, report.added) == ("2025-01-16", 2, 3)
    graph = opened()
    edges = graph.edges(["OMIM:100001"], {"symptom_of"}, "in")
    assert {(edge.subject, edge.severity, edge.section) for edge in edges} == {
        ("HP:0001250", "typical", "PMID:1"),
        ("finding:fever", "possible", "PMID:2"),
    }
    [edge] = graph.edges(["disease:hypertension"], {"symptom_of"}, "in")
    assert (edge.subject, edge.severity, edge.year) == ("HP:0001250", "common", 2025)
    assert {reason: found.entries for reason, found in report.left.items()} == {
        "a finding that the disease does not have": 2,
        "a remark on inheritance, course or modifiers, which is no finding": 1,
    }
