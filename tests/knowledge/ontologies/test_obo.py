"""OBO files: terms join known concepts only where nothing else fits, and every term that is left is accounted for."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.errors import ImportFailure
from knowledge.ontologies import import_source, obo
from knowledge.ontologies.entries import Left, Term

HEADER = "format-version: 1.2\ndata-version: releases/2016-09-01\nontology: doid\n\n"
TERMS = """
[Term]
id: DOID:6000
name: congestive heart failure
alt_id: DOID:6001
synonym: "cardiac insufficiency" EXACT []
synonym: "weak heart" RELATED []
synonym: "CHF" EXACT []
xref: ICD10CM:I50.0
xref: UMLS_CUI:C0018802
xref: SNOMEDCT_US_2016_03_01:42343007
xref: KEGG:1
is_a: DOID:114 ! heart disease

[Term]
id: DOID:114
name: heart disease
is_a: DOID:4 {source="x"} ! disease

[Term]
id: DOID:4
name: disease

[Term]
id: DOID:9
name: old name of something
is_obsolete: true
replaced_by: DOID:6000

[Term]
id: DOID:10
name: name of nothing
is_obsolete: true

[Typedef]
id: part_of
name: part of
"""


def term(number: int, name: str, *lines: str) -> str:
    return "\n".join(["", "[Term]", f"id: DOID:{number}", f"name: {name}", *lines, ""])


def test_a_term_with_the_name_of_a_concept_joins_it_and_the_others_are_added(take, opened) -> None:
    report = take("doid.obo", HEADER + TERMS)
    assert (report.source_id, report.version) == ("doid", "2016-09-01")
    assert (report.merged, report.added, report.edges) == (1, 2, 2)
    graph = opened()
    [node] = graph.named("cardiac insufficiency")
    assert (node.id, node.en) == ("disease:heart-failure", "Heart failure")
    assert graph.ancestors("disease:heart-failure") == ("DOID:114", "DOID:4")
    [edge] = graph.edges(["disease:heart-failure"], {"is_a"})
    assert (edge.source_id, edge.source, edge.year) == ("doid", "Human Disease Ontology, 2016-09-01", 2016)


def test_scopes_codes_and_abbreviations_are_kept_as_they_are_meant(take, opened) -> None:
    take("doid.obo", HEADER + TERMS)
    graph = opened()
    kinds = {name.form: (name.kind, name.exact) for name in graph.names("disease:heart-failure")}
    assert kinds["weak heart"] == ("related", False)
    assert kinds["CHF"] == ("abbreviation", True)
    assert graph.named("weak heart") == ()
    assert graph.named("chf") == ()
    codes = {
        (code.system, code.code) for code in graph.codes("disease:heart-failure") if code.source_id == "doid"
    }
    assert codes == {("icd10", "I50.0"), ("umls", "C0018802"), ("snomed", "42343007"), ("doid", "6000")}


def test_obsolete_terms_are_left_and_what_replaces_them_is_named(take, opened) -> None:
    report = take("doid.obo", HEADER + TERMS)
    assert report.left["an obsolete term that another replaces"].examples == ["DOID:9 (now DOID:6000)"]
    assert report.left["an obsolete term without a replacement"].examples == ["DOID:10"]
    assert "a cross-reference to 'KEGG', a code system that is not in code_systems.tsv" in report.left
    assert opened().named("old name of something") == ()
    assert sum(reason[1] for reason in opened().left("doid")) == 3


def test_an_alternative_id_leads_to_its_term(take, opened) -> None:
    take("doid.obo", HEADER + TERMS)
    take("xrefs.tsv", 'id\tlabel\txref\n"DOID:6001"\t"x"\t"MESH:D006333"\n')
    assert [node.id for node in opened().by_code("mesh", "D006333")] == ["disease:heart-failure"]


def test_a_shared_code_joins_only_with_a_compatible_name(take, opened) -> None:
    report = take(
        "doid.obo",
        HEADER
        + term(1, "type 2 diabetes mellitus", "xref: ICD10CM:E11")
        + term(2, "hypertensive heart disease", "xref: ICD10CM:I11"),
    )
    assert (report.merged, report.added) == (1, 1)
    assert opened().node("DOID:2").en == "hypertensive heart disease"
    assert ("doid", "1") in {(code.system, code.code) for code in opened().codes("disease:type-2-diabetes")}


def test_two_terms_that_fit_one_concept_equally_are_both_kept_apart(take, opened) -> None:
    report = take(
        "doid.obo",
        HEADER
        + term(1, "Hypertension", "is_a: DOID:3")
        + term(2, "hypertension")
        + term(3, "vascular disease"),
    )
    assert report.merged == 0
    [reason] = report.apart.values()
    assert reason.examples == ["DOID:1", "DOID:2"]
    assert {node.id for node in opened().named("hypertension")} == {
        "disease:hypertension",
        "DOID:1",
        "DOID:2",
    }


def test_homonyms_of_another_type_are_kept_apart(take, opened) -> None:
    take("chebi.obo", "format-version: 1.2\nontology: x\n\n[Term]\nid: DB00331\nname: Fever\n")
    nodes = {node.id: node.type for node in opened().named("fever")}
    assert nodes == {"finding:fever": "finding", "DB00331": "drug"}


def test_a_disease_and_a_finding_of_one_name_are_one_concept(take, opened) -> None:
    take("hp.obo", "format-version: 1.2\nontology: x\n\n[Term]\nid: SYMP:1\nname: High blood pressure\n")
    assert [node.id for node in opened().named("high blood pressure")] == ["disease:hypertension"]


def test_an_id_that_occurs_twice_is_reported_and_its_first_term_kept(take, opened) -> None:
    report = take("doid.obo", HEADER + term(1, "first thing") + term(1, "second thing"))
    assert report.left["the id occurs twice; the first term of it is kept"].entries == 1
    assert opened().node("DOID:1").en == "first thing"


def test_a_circle_in_the_hierarchy_is_reported_and_walks_end(take, opened) -> None:
    report = take(
        "doid.obo",
        HEADER
        + term(1, "one", "is_a: DOID:2")
        + term(2, "two", "is_a: DOID:3")
        + term(3, "three", "is_a: DOID:1")
        + term(4, "four", "is_a: DOID:1"),
    )
    assert report.cycles == (("DOID:1", "DOID:2", "DOID:3"),)
    assert set(opened().ancestors("DOID:4")) == {"DOID:1", "DOID:2", "DOID:3"}


def test_terms_outside_the_root_of_their_kind_are_left(take, opened) -> None:
    hp = "format-version: 1.2\nontology: hp\n"
    terms = [("0000001", "All", None), ("0000118", "Phenotypic abnormality", "0000001")]
    terms += [("0000005", "Mode of inheritance", "0000001"), ("0001250", "Seizure", "0000118")]
    for number, name, parent in terms:
        hp += f"\n[Term]\nid: HP:{number}\nname: {name}\n" + (f"is_a: HP:{parent} ! x\n" if parent else "")
    report = take("hp.obo", hp)
    assert report.left["a term that is not below HP:0000118"].examples == ["HP:0000001", "HP:0000005"]
    assert opened().node("HP:0001250").type == "finding"
    assert opened().nodes(["HP:0000005"]) == ()


def test_a_newer_release_takes_the_place_of_the_older(take, opened) -> None:
    take("doid.obo", HEADER + term(1, "thing") + term(2, "gone"))
    report = take("doid.obo", HEADER.replace("2016-09-01", "2020-01-01") + term(1, "thing renamed"))
    assert report.version == "2020-01-01"
    graph = opened()
    assert graph.node("DOID:1").en == "thing renamed"
    assert graph.nodes(["DOID:2"]) == ()
    assert [source.id for source in graph.sources()] == ["core", "doid"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"format-version: 1.2\nontology: doid\n", "no \\[Term\\]"),
        (b"format-version: 1.2\n\n[Term]\nname: \xff\xfe\n", "not UTF-8"),
        (b"", "not recognised"),
        (b"\x00\x01\x02", "not recognised"),
    ],
)
def test_a_file_that_is_no_ontology_is_refused_with_a_reason(
    folder, tmp_path: Path, content, message
) -> None:
    file = tmp_path / "broken.obo"
    file.write_bytes(content)
    with pytest.raises(ImportFailure, match=message):
        import_source(folder, file)


def test_a_broken_gzip_file_is_refused_and_a_whole_one_read(folder, tmp_path: Path) -> None:
    whole = gzip.compress((HEADER + TERMS * 1).encode())
    file = tmp_path / "doid.obo.gz"
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImportFailure, match="gzip"):
        import_source(folder, file, format="obo")
    file.write_bytes(whole)
    assert import_source(folder, file).added == 2


def test_stanzas_without_id_or_name_and_of_unknown_prefixes_are_left(take) -> None:
    report = take("x.obo", HEADER + "[Term]\nname: a\n\n[Term]\nid: DOID:1\n\n[Term]\nid: GO:1\nname: b\n")
    assert {reason: found.entries for reason, found in report.left.items()} == {
        "a term without an id": 1,
        "a term without a name": 1,
        "no type is known for terms of 'GO' (namespaces.tsv)": 1,
    }


def test_a_foreign_synonym_joins_only_where_no_code_speaks_against_it(take, opened) -> None:
    report = take(
        "doid.obo",
        HEADER
        + term(1, "fluid overload", 'synonym: "heart failure" EXACT []', "xref: ICD10CM:E87.7")
        + term(2, "febrile state", 'synonym: "fever" EXACT []', "xref: ICD10CM:R50.9")
        + term(3, "sugar disease", 'synonym: "type 2 diabetes" EXACT []'),
    )
    assert (report.merged, report.added) == (2, 1)
    [reason] = report.apart
    assert "codes differ" in reason
    assert {node.id for node in opened().named("heart failure")} == {"disease:heart-failure", "DOID:1"}


def test_a_term_joins_the_concept_to_which_a_reviewed_table_gives_its_id(take, opened) -> None:
    hp = "format-version: 1.2\nontology: hp\n\n[Term]\nid: HP:0000118\nname: Phenotypic abnormality\n"
    take("hp.obo", hp + "\n[Term]\nid: HP:0001945\nname: Raised body temperature\nis_a: HP:0000118\n")
    assert [node.id for node in opened().named("raised body temperature")] == ["finding:fever"]
    assert [node.id for node in opened().by_code("hpo", "HP:0001945")] == ["finding:fever"]


PIECES = st.sampled_from(
    ["[Term]", "[Typedef]", "id: DOID:1",
      "id:", "name: x", 'synonym: "a', 'synonym: "a\\\\" EXACT []', "xref: ICD10CM:",
     "xref: :", "is_a: ! x", "is_a: DOID:1", "alt_id: DOID:2", "is_obsolete: true", "replaced_by:", ":", "\\", "\t"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(PIECES | st.text(max_size=20), max_size=25))
def test_whatever_a_file_holds_is_read_or_refused(tmp_path: Path, lines: list[str]) -> None:
    file = tmp_path / "any.obo"
    file.write_text("\n".join(lines), "utf-8", errors="replace")
    try:
        entries = list(obo.read(file))
    except ImportFailure:
        return
    assert all(isinstance(entry, Term | Left) for entry in entries)
