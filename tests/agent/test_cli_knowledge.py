"""chartroom knowledge: what is imported is reported, shown with its sources, and can be taken out again."""

import json
from pathlib import Path

import pytest

from agent.cli import main

OBO = """format-version: 1.2
data-version: releases/2016-09-01
ontology: doid

[Term]
id: DOID:5844
name: myocardial infarction
synonym: "cardiac infarct" EXACT []
xref: ICD10CM:I99
is_a: DOID:1 ! heart attackable

[Term]
id: DOID:1
name: heart attackable
"""
FACTS = "subject\tobject\tcondition\tseverity\tdetail_en\tdetail_zh\tsource\tsection\tyear\n"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "doid.obo").write_text(OBO, "utf-8")
    (folder / "treats.tsv").write_text(
        FACTS
        + "drug:furosemide\tDOID:1\t\t\t\t\tOur formulary\t2\t2025\n"
        + "drug:furosemide\tDOID:1\t\t\t\t\t\t\t2025\n",
        "utf-8",
    )
    (folder / "readme.md").write_text("# About\n", "utf-8")
    return folder


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    code = main(["knowledge", *arguments])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out


def test_a_folder_is_imported_in_order_and_reported(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = output(capsys, "import", str(release))
    assert "2 entries: 1 terms merged, 1 added; 0 left." in text
    assert "Left: 1 × the column 'source' is empty" in text
    assert "Codes differ: disease:mi icd10: I99 here" in text
    listed = json.loads(output(capsys, "sources", "--json"))
    assert [(one["id"], one["edges"]) for one in listed[1:]] == [("doid", 1), ("ours-treats", 1)]


def test_a_concept_is_shown_with_the_sources_of_what_is_said(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output(capsys, "import", str(release / "doid.obo"))
    for word in ("disease:mi", "心梗", "icd10:I21", "doid:5844"):
        text = output(capsys, "show", word)
        assert text.startswith("disease:mi  Myocardial infarction  心肌梗死  (disease)")
        assert "cardiac infarct [doid]" in text
        assert "I99 [doid]" in text
    [shown] = json.loads(output(capsys, "show", "disease:mi", "--json"))
    assert "DOID:1" in shown["ancestors"]
    assert main(["knowledge", "show", "nothing at all"]) == 1
    assert "knows no concept" in capsys.readouterr().err


def test_paths_are_shown_in_either_language_with_their_sources(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output(capsys, "import", str(release))
    text = output(capsys, "paths", "furosemide", "DOID:1", "--hops", "1")
    assert text == "Furosemide —treats→ heart attackable\n    Our formulary, 2, 2025 [ours-treats]\n"
    assert output(capsys, "paths", "呋塞米", "DOID:1", "--hops", "1", "-l", "zh").startswith("呋塞米 —治疗→ ")
    assert len(json.loads(output(capsys, "paths", "furosemide", "DOID:1", "--limit", "1", "--json"))) == 1


def test_a_source_is_removed_and_the_graph_checked(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output(capsys, "import", str(release))
    assert "The file is what was written." in output(capsys, "check")
    assert "ours-treats had 1 statements" in output(capsys, "remove", "doid")
    assert main(["knowledge", "remove", "doid"]) == 1
    assert "no source 'doid'" in capsys.readouterr().err


def test_the_graph_is_built_anew_where_it_was_damaged(
    private_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = json.loads(output(capsys, "build", "--json"))
    assert counts["concepts"]["disease"] > 250
    [database] = private_home.glob("knowledge/graph/gen-*/graph.sqlite")
    database.write_bytes(database.read_bytes()[:-1])
    assert main(["knowledge", "sources"]) == 1
    assert "chartroom knowledge build --anew" in capsys.readouterr().err
    output(capsys, "build", "--anew")
    output(capsys, "sources")


def test_what_cannot_be_imported_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter.csv").write_text("Dear colleague", "utf-8")
    for arguments in (
        ["import", str(tmp_path / "letter.csv")],
        ["import", str(tmp_path / "none.obo")],
        ["add", "x"],
    ):
        assert main(["knowledge", *arguments]) == 1
        error = capsys.readouterr().err
        assert "Traceback" not in error
        assert error.strip().endswith(".")
