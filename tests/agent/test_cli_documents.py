"""``chartroom knowledge import`` for documents: what a librarian sees, and what is found afterwards."""

import json
from pathlib import Path

import pytest
from filelock import FileLock

from agent.cli import documents, main
from agent.cli import search as search_command


@pytest.fixture(autouse=True)
def keywords_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedding all facts takes a minute; nothing here is about meaning."""
    for module in (documents, search_command):
        monkeypatch.setattr(module, "Embedder", lambda folder: None)


@pytest.fixture
def guideline(tmp_path: Path) -> Path:
    path = tmp_path / "hf.md"
    path.write_text(
        "---\nid: hf\ntitle: Ward heart failure\nedition: 2020\n---\n# Drugs\nZebra tablets daily.\n"
    )
    return path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def found(capsys: pytest.CaptureFixture[str], query: str) -> list[tuple[str, str]]:
    text = printed(capsys, "search", query, "--within", "knowledge", "--mode", "keyword", "--json")
    return [(hit["source_id"], hit["title"]) for hit in json.loads(text) if hit["kind"] == "document"]


def test_an_imported_guideline_is_listed_found_superseded_and_removed(
    guideline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "1 documents added" in printed(capsys, "knowledge", "import", str(guideline))
    assert "1 as they were" in printed(capsys, "knowledge", "import", str(guideline))
    assert found(capsys, "zebra") == [("hf", "Ward heart failure (2020)")]
    newer = tmp_path / "newer.md"
    newer.write_text("# Heart failure\nZebra tablets twice daily.\n")
    printed(
        capsys, "knowledge", "import", str(newer), "--id", "hf24", "--edition", "2024", "--supersedes", "hf"
    )
    assert found(capsys, "zebra") == [("hf24", "Heart failure (2024)")]
    assert "superseded by hf24" in printed(capsys, "knowledge", "documents")
    assert "removed" in printed(capsys, "knowledge", "remove", "hf24")
    assert found(capsys, "zebra") == [("hf", "Ward heart failure (2020)")]


def test_bad_lines_are_reported_with_their_number_and_the_rest_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "faq.jsonl"
    lines.write_text('{"id": 1, "question": "Gout?", "answer": "Okapi crystals."}\nnot json\n')
    assert main(["knowledge", "import", str(lines)]) == 0
    told = capsys.readouterr()
    assert "1 documents added" in told.out and "1 rejected" in told.out
    assert "faq.jsonl, line 2: is no JSON" in told.err
    assert found(capsys, "okapi") == [("faq/1", "Gout?")]


def test_a_path_without_anything_usable_is_an_error_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.txt").write_text("")
    assert main(["knowledge", "import", str(tmp_path / "empty.txt")]) == 1
    assert "no text" in capsys.readouterr().err
    assert main(["knowledge", "import", str(tmp_path / "missing")]) == 1


def test_an_import_beside_another_one_loses_nothing_and_says_when_it_is_found(
    guideline: Path, private_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = private_home / "knowledge" / "passages"
    folder.mkdir(parents=True)
    with FileLock(folder / "build.lock"):  # another process builds the index
        assert main(["knowledge", "import", str(guideline)]) == 1
        told = " ".join(capsys.readouterr().err.split())
        assert "1 documents of hf.md are in the library, but not yet in the index" in told
        assert "Zebra" not in told
    assert found(capsys, "zebra") == [("hf", "Ward heart failure (2020)")]
