"""A graph built from a few concepts of its own, and a way to import text into it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.graph import KnowledgeGraph, build_core, ensure
from knowledge.graph import build as building
from knowledge.graph.build import Tables
from knowledge.ontologies import ImportReport, import_source

CONCEPTS = """\
id	type	en	zh	synonyms_en	synonyms_zh	abbreviations	codes	labels	source
disease:heart-failure	disease	Heart failure	心力衰竭	congestive heart failure		=HF	icd10:I50		test
disease:hypertension	disease	Hypertension	高血压	high blood pressure			icd10:I10|icd10:I11		test
disease:type-2-diabetes	disease	Type 2 diabetes	2型糖尿病				icd10:E11		test
disease:mitral-stenosis	disease	Mitral stenosis	二尖瓣狭窄			=MS			test
finding:fever	finding	Fever	发热	pyrexia			icd10:R50.9|hpo:HP:0001945		test
drug:metformin	drug	Metformin	二甲双胍				atc:A10BA02		test
procedure:hemodialysis	procedure	Hemodialysis	血液透析				icd10pcs:5A1D		test
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a graph with the concepts above as its core pack."""
    tables = Tables(concepts=tmp_path / "concepts", facts=tmp_path / "facts")
    tables.concepts.mkdir()
    tables.facts.mkdir()
    (tables.concepts / "all.tsv").write_text(CONCEPTS, "utf-8")
    monkeypatch.setattr(building.Tables, "shipped", lambda: tables)
    build_core(tmp_path / "graph")
    return tmp_path / "graph"


@pytest.fixture
def take(folder: Path, tmp_path: Path) -> Callable[..., ImportReport]:
    """Imports text as a file of this name."""

    def imported(name: str, text: str, **options: str) -> ImportReport:
        file = tmp_path / "files" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
        return import_source(folder, file, **options)  # type: ignore[arg-type]  # only keywords of its own

    return imported


@pytest.fixture
def opened(folder: Path) -> Callable[[], KnowledgeGraph]:
    """Opens the graph as it is now."""
    return lambda: ensure(folder)
