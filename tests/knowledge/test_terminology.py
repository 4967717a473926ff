"""Concepts are found by the names clinicians use, in both languages, and their tables are sound."""

import csv
import gzip
import sqlite3
from collections import defaultdict
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from knowledge.errors import ConfigError
from knowledge.terminology import Terminology
from knowledge.terminology.concepts import COLUMNS


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return Terminology.load()


def found(terminology: Terminology, text: str) -> list[tuple[str, list[str]]]:
    return [(match.text, [concept.id for concept in match.concepts]) for match in terminology.find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What was the latest creatinine?", [("creatinine", ["lab:creatinine"])]),
        ("K+ and scr today", [("K+", ["lab:potassium"]), ("scr", ["lab:creatinine"])]),
        ("最近一次肌酐是多少", [("肌酐", ["lab:creatinine"])]),
        ("她在用速尿吗", [("速尿", ["drug:furosemide"])]),
        ("血钾和K多少", [("血钾", ["lab:potassium"]), ("K", ["lab:potassium"])]),
        ("ＢＮＰ升高", [("ＢＮＰ", ["lab:bnp"])]),
        ("NT-proBNP of the patient", [("NT-proBNP", ["lab:nt-probnp"])]),
        ("grew E. coli", [("E. coli", ["organism:escherichia-coli"])]),
        ("platelets", [("platelets", ["lab:platelets"])]),
        ("hematocrits", [("hematocrits", ["lab:hematocrit"])]),
        ("心梗后心衰", [("心梗", ["disease:mi"]), ("心衰", ["disease:heart-failure"])]),
        ("慢阻肺急性加重", [("慢阻肺急性加重", ["disease:aecopd"])]),
        ("DM2 with CHF", [("DM2", ["disease:type-2-diabetes"]), ("CHF", ["disease:heart-failure"])]),
        ("rule out PE", [("PE", ["disease:pe", "disease:pleural-effusion"])]),
        ("做了血透", [("血透", ["procedure:hemodialysis"])]),
    ],
)
def test_a_name_in_either_language_finds_its_concept(
    terminology: Terminology, text: str, expected: list[tuple[str, list[str]]]
) -> None:
    assert found(terminology, text) == expected


@pytest.mark.parametrize(
    "text", ["she got better as of k-wire day", "not a T-cell", "preambled", "", "Ms Li"]
)
def test_ordinary_words_are_not_taken_for_abbreviations(terminology: Terminology, text: str) -> None:
    assert found(terminology, text) == []


def test_a_longer_name_wins_over_the_shorter_one_inside_it(terminology: Terminology) -> None:
    assert found(terminology, "尿肌酐") == [("尿肌酐", ["lab:urine-creatinine"])]
    assert found(terminology, "vitamin K") == [("vitamin K", ["drug:phytonadione"])]


def test_offsets_point_into_the_original_text(terminology: Terminology) -> None:
    text = "İ 血钾 ＮＴ-proBNP, Furosemide"
    matches = terminology.find(text)
    assert [text[m.start : m.end] for m in matches] == [m.text for m in matches]
    assert len(matches) == 3


def test_every_form_leads_to_the_labels_of_a_store(terminology: Terminology) -> None:
    forms = terminology.surface_forms()
    assert "Urea Nitrogen" in forms["BUN"]
    assert "furosemide" in forms["速尿"]
    assert "Potassium" in forms["K"]


def test_a_label_expands_to_its_names_in_both_languages(terminology: Terminology) -> None:
    expanded = terminology.expand("Urea Nitrogen")
    assert expanded[0] == "Urea Nitrogen"
    assert {"BUN", "尿素氮"} <= set(expanded)
    assert terminology.expand("something else") == ("something else",)


def test_a_hospital_adds_names_to_known_concepts_and_concepts_of_its_own(tmp_path: Path) -> None:
    table = tmp_path / "own.tsv"
    rows = [
        (
            "lab:creatinine",
            "lab",
            "Creatinine",
            "肌酐",
            "",
            "肌酐测定(酶法)",
            "",
            "",
            "CREA-E",
            "our laboratory",
        ),
        ("lab:house-panel", "lab", "House Panel", "院内组合", "", "", "", "", "HP1", "our laboratory"),
    ]
    table.write_text("\n".join("\t".join(row) for row in (COLUMNS, *rows)), encoding="utf-8")
    terminology = Terminology.load(tmp_path)
    assert found(terminology, "肌酐测定(酶法) and House Panel") == [
        ("肌酐测定(酶法)", ["lab:creatinine"]),
        ("House Panel", ["lab:house-panel"]),
    ]
    assert "CREA-E" in terminology.concept("lab:creatinine").labels


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("id\ten\nx\ty\n", "has no column"),
        ("\t".join(COLUMNS) + "\nx\tlab\t\t肌\t\t\t\t\t\tus\n", "'en' is empty"),
        ("\t".join(COLUMNS) + "\nx\tplanet\tX\t肌\t\t\t\t\t\tus\n", "no type of concept"),
        ("\t".join(COLUMNS) + "\nx\tlab\tX\t肌\t\t\t\tN17\t\tus\n", "system:code"),
    ],
)
def test_a_broken_table_is_refused_with_its_place(tmp_path: Path, content: str, says: str) -> None:
    table = tmp_path / "own.tsv"
    table.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        Terminology.load(table)


def test_every_row_has_an_id_of_its_own_and_a_source() -> None:
    seen: set[str] = set()
    for table in Path(str(files("knowledge.terminology").joinpath("tables"))).glob("*.tsv"):
        with table.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                assert row["id"] not in seen
                assert row["id"].split(":")[0] == row["type"]
                assert row["source"]
                assert None not in row, f"{row['id']} has too many cells"
                seen.add(row["id"])
    assert len(seen) > 800


def test_no_form_is_shared_by_two_concepts_of_one_type_unless_it_is_listed(terminology: Terminology) -> None:
    shared: dict[tuple[str, str], set[str]] = defaultdict(set)
    for form in terminology.surface_forms():
        for concept in terminology.named(form):
            shared[(concept.type, form)].add(concept.id)
    with files("knowledge.terminology").joinpath("ambiguous.tsv").open(encoding="utf-8") as lines:
        listed = {row["form"]: set(row["ids"].split("|")) for row in csv.DictReader(lines, delimiter="\t")}
    unlisted = {
        form: ids for (_, form), ids in shared.items() if len(ids) > 1 and not ids <= listed.get(form, set())
    }
    assert unlisted == {}
    assert all(ids <= {c.id for c in terminology.named(form)} for form, ids in listed.items())


@pytest.mark.shared_data
def test_labels_exist_in_the_public_records(terminology: Terminology, shared_data: Path) -> None:
    known: set[str] = set()
    with closing(
        sqlite3.connect(f"file:{shared_data}/ehrsql-2024/mimic_iv.sqlite?immutable=1", uri=True)
    ) as db:
        for query in (
            "SELECT label FROM d_labitems",
            "SELECT label FROM d_items",
            "SELECT drug FROM prescriptions",
            "SELECT org_name FROM microbiologyevents",
        ):
            known |= {row[0].lower() for row in db.execute(query) if row[0]}
    for table, column in (
        ("hosp/d_labitems", "label"),
        ("icu/d_items", "label"),
        ("hosp/microbiologyevents", "org_name"),
    ):
        with gzip.open(shared_data / "mimic-iv-demo" / f"{table}.csv.gz", "rt", encoding="utf-8") as lines:
            known |= {row[column].lower() for row in csv.DictReader(lines)}
    assert [label for c in terminology.concepts for label in c.labels if label.lower() not in known] == []


@pytest.mark.shared_data
def test_icd_codes_exist(terminology: Terminology, shared_data: Path) -> None:
    def column(name: str, field: str) -> list[str]:
        with gzip.open(shared_data / "icd10cm" / name, "rt", encoding="utf-8") as lines:
            return [row[field] for row in csv.DictReader(lines)]

    known = {
        "icd10": "\n" + "\n".join(column("icd10cm-order-Jan-2021.csv.gz", "code")),
        "icd9": "\n" + "\n".join(column("icd_cm_9_to_10_mapping.csv.gz", "icd_9")),
    }
    wrong = [
        (concept.id, code)
        for concept in terminology.concepts
        for system, code in concept.codes
        if system in known and "\n" + code.replace(".", "") not in known[system]
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("低分子肝素", ["drug_class:lmwh"]),
        ("blood thinners", ["drug_class:anticoagulant"]),
        ("质子泵抑制剂", ["drug_class:ppi"]),
        ("促甲状腺激素", ["lab:tsh"]),
    ],
)
def test_a_class_of_drugs_is_a_concept(terminology: Terminology, text: str, expected: list[str]) -> None:
    assert found(terminology, text) == [(text, expected)]


def test_what_concepts_refer_to_exists(terminology: Terminology) -> None:
    drug_codes = [code for c in terminology.concepts if c.type == "drug" for _, code in c.codes]
    for concept in terminology.concepts:
        assert all(terminology.concept(other).type == concept.type for other in concept.stand_ins)
        assert not concept.title_patterns or concept.type == "procedure"
        if concept.type == "drug_class":
            prefixes = tuple(code for system, code in concept.codes if system == "atc")
            assert concept.members or any(code.startswith(prefixes) for code in drug_codes), concept.id


@pytest.mark.shared_data
def test_procedure_codes_exist(terminology: Terminology, shared_data: Path) -> None:
    with gzip.open(
        shared_data / "mimic-iv-demo/hosp/d_icd_procedures.csv.gz", "rt", encoding="utf-8"
    ) as lines:
        rows = [(row["icd_version"], row["icd_code"]) for row in csv.DictReader(lines)]
    known = {
        "icd10pcs": "\n" + "\n".join(code for version, code in rows if version == "10"),
        "icd9proc": "\n" + "\n".join(code for version, code in rows if version == "9"),
    }
    wrong = [
        (concept.id, code)
        for concept in terminology.concepts
        for system, code in concept.codes
        if system in known and "\n" + code.replace(".", "") not in known[system]
    ]
    assert wrong == []
