"""A small file must not unfold into a large one, nor a mapping reach out of its folder."""

from pathlib import Path

import pytest

from knowledge.errors import ImportFailure
from knowledge.importers import load
from knowledge.store import RecordStore

BOMB = "- &a [x, x]\n" + "".join(
    f"- &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(12)
)


@pytest.mark.parametrize(("name", "kind"), [("manifest.yaml", "notes"), ("mapping.yaml", "tabular")])
def test_aliases_are_refused(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_text(BOMB, encoding="utf-8")
    store = RecordStore.create(tmp_path / "s.sqlite")
    with pytest.raises(ImportFailure, match="YAML"):
        load(tmp_path / "in", store, kind=kind)


def test_a_mapping_reads_only_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.csv").write_text("id\n1\n", encoding="utf-8")
    (tmp_path / "in" / "mapping.yaml").write_text(
        "tables:\n  - table: patients\n    file: ../secret.csv\n    columns: {subject_id: id}\n",
        encoding="utf-8",
    )
    store = RecordStore.create(tmp_path / "s.sqlite")
    with pytest.raises(ImportFailure, match="outside"):
        load(tmp_path / "in", store, kind="tabular")
