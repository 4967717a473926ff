"""Translations, codes, pairs and a hospital's own tables: what fits is taken with its source, the rest is left."""

import json

import pytest

from knowledge.errors import ImportFailure

BABELON = (
    "source_language\ttranslation_language\tsubject_id\tpredicate_id\tsource_value\ttranslation_value\t"
    "translation_status\n"
)
PAIRS = "doid_id\tdrugbank_id\tdisease\tdrug\tcategory\tn_curators\tn_resources\n"
FACTS = "subject\tobject\tcondition\tseverity\tdetail_en\tdetail_zh\tsource\tsection\tyear\n"
CONCEPTS = "id\ttype\ten\tzh\tsynonyms_en\tsynonyms_zh\tabbreviations\tcodes\tlabels\tsource\n"


def ids(nodes) -> list[str]:
    return [node.id for node in nodes]


def reasons(report) -> dict[str, int]:
    return {reason: found.entries for reason, found in report.left.items()}


def test_a_translation_names_a_known_term_and_its_status_is_respected(take, opened) -> None:
    rows = [
        ("HP:0001945", "Fever", "发烧了", "OFFICIAL"),
        ("HP:0000822", "High blood pressure", "血压高", "CANDIDATE"),
        ("HP:0000001", "All", "所有", "OFFICIAL"),
        ("HP:0000002", "Fever", "烧", "NOT_TRANSLATED"),
    ]
    report = take(
        "hp-zh.babelon.tsv",
        BABELON
        + "".join(f"en\tzh\t{one}\trdfs:label\t{en}\t{zh}\t{status}\n" for one, en, zh, status in rows),
    )
    assert reasons(report) == {
        "a translation of status NOT_TRANSLATED": 1,
        "the graph has no concept for it; import the release that defines it first": 1,
    }
    graph = opened()
    assert ids(graph.named("发烧了")) == ["finding:fever"]
    assert graph.node("finding:fever").zh == "发热"
    assert {name.form: name.kind for name in graph.names("disease:hypertension")}["血压高"] == "synonym"
    assert ids(graph.by_code("hpo", "0000822")) == ["disease:hypertension"]


def test_an_official_translation_becomes_the_chinese_name_where_there_is_none(take, opened) -> None:
    take("hp.obo", "format-version: 1.2\nontology: x\n\n[Term]\nid: SYMP:1\nname: Seizure\n")
    assert opened().node("SYMP:1").zh is None
    take("zh.babelon.tsv", BABELON + "en\tzh\tSYMP:1\trdfs:label\tSeizure\t癫痫发作\tOFFICIAL\n")
    assert opened().node("SYMP:1").zh == "癫痫发作"


def test_pairs_become_treatments_and_what_is_not_indicated_never_does(take, opened) -> None:
    report = take(
        "indications.tsv",
        PAIRS
        + "DOID:9352\tDB00331\ttype 2 diabetes mellitus\tMetformin\tDM\t2\t1\n"
        + "DOID:10763\tDB00331\thypertension\tMetformin\tNOT\t2\t1\n"
        + "DOID:10763\tDB00178\thypertension\tRamipril\tSYM\t2\t1\n"
        + "DOID:10763\t\thypertension\tX\tDM\t2\t1\n"
        + "DOID:10763\tDB00178\thypertension\tRamipril\tPERHAPS\t2\t1\n",
    )
    graph = opened()
    found = {
        (edge.subject, edge.relation, edge.object, edge.detail_en) for edge in graph.edges(["drug:metformin"])
    }
    assert ("drug:metformin", "not_indicated_for", "disease:hypertension", "") in found
    assert {relation for _, relation, end, _ in found if end == "disease:hypertension"} == {
        "not_indicated_for"
    }
    [ramipril] = graph.edges(["DB00178"])
    assert (ramipril.relation, ramipril.detail_en, ramipril.detail_zh) == (
        "treats",
        "symptomatic",
        "对症治疗",
    )
    assert graph.node("DB00178").type == "drug"
    assert sum(reasons(report).values()) == 2


def test_symptoms_become_findings_that_point_to_their_disease(take, opened) -> None:
    take(
        "disease-symptom.tsv",
        "disease_id\tdisease_label\tsymptom_id\tsymptom_label\n"
        "DOID:6000\tcongestive heart failure\tSYMP:1\tfever\n"
        "DOID:6000\tcongestive heart failure\tSYMP:2\torthopnea\n",
    )
    edges = opened().edges(["disease:heart-failure"], {"symptom_of"}, "in")
    assert [edge.subject for edge in edges] == ["finding:fever", "SYMP:2"]


def test_codes_of_a_list_form_a_hierarchy_below_the_concepts_that_claim_them(take, opened) -> None:
    report = take(
        "icd10cm-order-Jan-2021.csv",
        "code,billable,short,long\n"
        "I10,1,Essential (primary) hypertension,Essential (primary) hypertension\n"
        "I11,0,Hypertensive heart disease,Hypertensive heart disease\n"
        'I110,1,Hyp hrt dis w hrt failure,"Hypertensive heart disease, with heart failure"\n'
        'R509,1,Fever unsp,"Fever, unspecified"\n'
        "nonsense,1,x,y\n",
    )
    assert (report.version, report.merged, report.added) == ("2021", 2, 2)
    graph = opened()
    assert graph.ancestors("ICD10CM:I11.0") == ("ICD10CM:I11", "disease:hypertension")
    assert graph.node("ICD10CM:I11").type == "disease"
    assert ids(graph.by_code("icd10", "I11.0")) == ["ICD10CM:I11.0"]
    assert ids(graph.by_code("icd10", "I10")) == ["disease:hypertension"]
    assert reasons(report) == {"a row without an ICD-10-CM code or a title": 1}


def test_a_mapping_gives_old_codes_and_says_where_they_are_approximate(take, opened) -> None:
    report = take(
        "icd_cm_9_to_10_mapping.csv",
        "icd_9,icd_10,flags\n4010,I10,10000\n25000,E119,10000\n7806,R509,00000\n0730,A70,10111\n36570,NoDx,11000\n",
    )
    graph = opened()
    scopes = {(node, code.code): code.scope for node in ("disease:hypertension", "finding:fever")
              for code in graph.codes(node) if code.source_id == "icd9-to-10-cm"}  # fmt: skip
    assert scopes == {("disease:hypertension", "401.0"): "approximate", ("finding:fever", "780.6"): "exact"}
    assert ids(graph.by_code("icd9", "25000")) == ["disease:type-2-diabetes"]
    assert reasons(report) == {
        "several ICD-10 codes express it only together": 1,
        "the mapping knows no ICD-10 code for it": 1,
    }


def test_procedures_are_mapped_to_the_concept_whose_code_stands_for_all_below(take, opened) -> None:
    take("icd_pcs_9_to_10_mapping.csv", "icd_9,icd_10,flags,year\n3995,5A1D00Z,10000,2018\n")
    assert ids(opened().by_code("icd9proc", "39.95")) == ["procedure:hemodialysis"]


def test_exported_tables_speak_of_terms_that_are_known(take, opened) -> None:
    take(
        "x.obo",
        "format-version: 1.2\nontology: x\n\n[Term]\nid: SYMP:1\nname: Seizure\n\n[Term]\nid: SYMP:2\nname: Spell\n",
    )
    address = "<http://purl.obolibrary.org/obo/SYMP_{}>"
    subclass = "<http://www.w3.org/2000/01/rdf-schema#subClassOf>"
    take(
        "edges.tsv",
        f"?x\t?p\t?y\n{address.format(1)}\t{subclass}\t{address.format(2)}\n"
        f"{address.format(1)}\t{subclass}\t{address.format(3)}\n",
    )
    take("codes.tsv", f'?cls\t?xref\n{address.format(1)}\t"UMLS:C0036572"\n')
    take("lay.tsv", f'?term\t?term_label\t?layperson\n{address.format(1)}\t"Seizure"\t"Fit"\n')
    graph = opened()
    assert graph.ancestors("SYMP:1") == ("SYMP:2",)
    assert ids(graph.named("fit")) == ids(graph.by_code("umls", "C0036572")) == ["SYMP:1"]
    assert graph.left("files-edges")[0][1] == 1


def test_graphs_in_json_are_read_with_their_terms_or_without(take, opened) -> None:
    address = "http://purl.obolibrary.org/obo/SYMP_{}"
    nodes = [
        {
            "id": address.format(1),
            "lbl": "Seizure",
            "meta": {"synonyms": [{"pred": "hasExactSynonym", "val": "Fit"}]},
        },
        {"id": address.format(2), "lbl": "Spell", "meta": {"xrefs": [{"val": "UMLS:C1"}]}},
        {"id": address.format(3), "lbl": "Old", "meta": {"deprecated": True}},
    ]
    edges = [{"sub": address.format(1), "pred": "is_a", "obj": address.format(2)}]
    assert take("symp.json", json.dumps({"graphs": [{"nodes": nodes, "edges": []}]})).added == 2
    assert take("symp-edges.json", json.dumps({"graphs": [{"nodes": [], "edges": edges}]})).edges == 1
    assert opened().ancestors("SYMP:1") == ("SYMP:2",)
    odd = {
        "nodes": [1, {"id": 2}, {"id": address.format(4), "lbl": "x", "meta": {"xrefs": 3}}],
        "edges": {"sub": 1},
    }
    assert sum(reasons(take("odd.json", json.dumps({"graphs": [odd]}))).values()) == 4
    for text in ('{"graphs": [', '{"graphs": []}', '{"graphs": [5]}', "[1]", "[" * 100_000):
        with pytest.raises(ImportFailure, match="no OBO Graphs document"):
            take("broken.json", text, format="obographs")


def test_a_table_that_names_kinds_by_label_becomes_a_hierarchy(take, opened) -> None:
    report = take(
        "terms.tsv",
        "id\tlabel\tsubClassOf\n"
        '"DOID:1"\t"Hypertension"\t"vascular disease"\n"DOID:1"\t"Hypertension"\t"chronic disease"\n'
        '"DOID:2"\t"vascular disease"\t"nothing known"\n"DOID:3"\t"chronic disease"\t""\n"GO:1"\t"x"\t""\n',
    )
    assert set(opened().ancestors("disease:hypertension")) == {"DOID:2", "DOID:3"}
    assert sum(reasons(report).values()) == 2


def test_two_sources_that_disagree_on_a_code_are_both_kept_and_shown(take, opened) -> None:
    report = take("xrefs.tsv", "id\tlabel\txref\nDOID:1\tHypertension\tICD10CM:I15.0\n")
    [one] = report.disagreements
    assert (one.concept, one.system, one.mine, one.theirs, one.source_id) == (
        "disease:hypertension",
        "icd10",
        "I15.0",
        "I10, I11",
        "core",
    )
    assert {(code.code, code.source_id) for code in opened().codes("disease:hypertension")} == {
        ("I10", "core"),
        ("I11", "core"),
        ("I15.0", "xrefs"),
        ("1", "xrefs"),
    }


def test_a_hospitals_own_concepts_join_known_ones_by_id_or_name(take, opened) -> None:
    report = take(
        "concepts.tsv",
        CONCEPTS
        + "disease:heart-failure\tdisease\tHeart failure\t心力衰竭\tpump failure\t\t\t\t\town list\n"
        + "disease:our-fever\tfinding\tPyrexia\t发热\tour fever\t\t\t\t\town list\n"
        + "disease:new\tdisease\tNew disease\t新病\t\t\t=ND\ticd10:U99\t\town list\n"
        + "disease:bad\tdisease\t\t坏\t\t\t\t\t\town list\n"
        + "disease:unsourced\tdisease\tUnsourced\t无\t\t\t\t\t\t\n",
    )
    assert (report.merged, report.added) == (2, 1)
    graph = opened()
    assert ids(graph.named("pump failure")) == ["disease:heart-failure"]
    assert ids(graph.named("our fever")) == ["finding:fever"]
    assert ids(graph.by_code("icd10", "U99.1")) == ["disease:new"]
    assert sum(reasons(report).values()) == 2


def test_a_fact_without_a_source_is_rejected(take, opened) -> None:
    report = take(
        "treats.tsv",
        FACTS
        + "drug:metformin\tdisease:type-2-diabetes\t\t\t\t\tOur formulary\t3\t2025\n"
        + "drug:metformin\tdisease:hypertension\t\t\t\t\t\t\t2025\n"
        + "drug:metformin\tdisease:none\t\t\t\t\tOur formulary\t\t2025\n"
        + "drug:metformin\ticd10:I50\t\t\t\t\tOur formulary\t\t2025\n",
    )
    assert reasons(report) == {
        "the column 'source' is empty; every fact needs it": 1,
        "the graph has no concept for it; import the release that defines it first": 1,
    }
    edges = opened().edges(["drug:metformin"], {"treats"})
    assert [(edge.object, edge.source, edge.section, edge.year, edge.source_id) for edge in edges] == [
        ("disease:type-2-diabetes", "Our formulary", "3", 2025, "files-treats"),
        ("disease:heart-failure", "Our formulary", "", 2025, "files-treats"),
    ]


def test_quotation_marks_in_own_tables_are_text(take, opened) -> None:
    take("concepts.tsv", CONCEPTS + 'disease:q\tdisease\t"Q" fever\tQ热\t\t\t\t\t\town list\n')
    assert opened().node("disease:q").en == '"Q" fever'


def test_a_concept_never_changes_its_type(take, opened) -> None:
    row = "disease:heart-failure\tdrug\tCardioforte\t强心\t\t\t\t\t\town list\n"
    report = take("concepts.tsv", CONCEPTS + row)
    assert reasons(report) == {"its id is that of a concept of another type": 1}
    assert opened().named("Cardioforte") == ()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("treats.tsv", "subject\tobject\tcondition\n", "no column"),
        ("cures.tsv", FACTS, "not named after a relation"),
        ("concepts.tsv", "id\ttype\ten\tzh\n", "no column"),
        ("notes.txt", "Dear colleague,\n", "not recognised"),
    ],
)
def test_a_table_that_cannot_be_taken_is_refused_with_a_reason(take, opened, name, text, message) -> None:
    with pytest.raises(ImportFailure, match=message):
        take(name, text)
    assert [source.id for source in opened().sources()] == ["core"]
