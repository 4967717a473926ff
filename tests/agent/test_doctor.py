"""The doctor finds what is missing and says what to do, on any Python, before anything is installed."""

import ast
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hospital import small_hospital

from agent import doctor
from agent.cli import documents, main
from agent.knowledge_base import library
from agent.privacy import SWITCHES, go_offline
from knowledge.documents import Document

SOURCE = Path(doctor.__file__)


def by_name(checks: list[doctor.Check]) -> dict[str, doctor.Check]:
    return {check.name: check for check in checks}


def test_it_parses_on_the_oldest_python_it_speaks_to() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 8))
    top = {a.name for node in tree.body if isinstance(node, ast.Import) for a in node.names}
    top |= {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert top <= set(sys.stdlib_module_names) | {"__future__"}


def test_it_runs_as_a_file_without_any_package(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(SOURCE), "--setup", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    said = json.loads(ran.stdout)
    assert {"Python", "venv", "C compiler", "disk"} == {check["name"] for check in said["checks"]}
    assert ran.returncode == (0 if said["ok"] else 1)


def test_an_old_python_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PYTHON", (99, 1))
    check = doctor.python()
    assert not check.ok
    assert "make setup PYTHON=python99.1" in check.remedy
    assert doctor.failed([check])


def test_a_missing_compiler_is_named_only_while_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    assert not doctor.compiler().ok
    assert "build-essential" in doctor.compiler().remedy
    compiled = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages" / "llama_cpp"
    compiled.mkdir(parents=True)
    (compiled / "__init__.py").touch()
    assert doctor.compiler().ok


def test_an_occupied_port_is_told_from_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not doctor.port_free(port).ok
        assert f"--port {port + 1}" in doctor.port_free(port).remedy
    assert doctor.port_free(port).ok


def test_versions_are_compared_as_numbers() -> None:
    assert doctor._numbers("0.3.36") > doctor._numbers("0.3.9")
    assert doctor._numbers("2.13.0+cpu") == doctor._numbers("2.13.0")


def test_this_environment_has_all_packages() -> None:
    assert [check for check in doctor.packages() if not check.ok] == []


def test_a_package_below_its_minimum_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0.1" if name == "gradio" else "99")
    wrong = [check for check in doctor.packages() if not check.ok]
    assert [check.name for check in wrong] == ["gradio"]
    assert "gradio" in wrong[0].remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o500)
    monkeypatch.setenv("CHARTROOM_HOME", str(tmp_path / "home"))
    (check,) = doctor.home_and_disk()
    assert not check.ok
    assert "CHARTROOM_HOME" in check.remedy


def test_a_folder_that_is_a_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").touch()
    monkeypatch.setenv("CHARTROOM_HOME", str(tmp_path / "home"))
    (check,) = doctor.home_and_disk()
    assert not check.ok
    assert "CHARTROOM_HOME" in check.remedy


class TestStore:
    @pytest.fixture
    def store(self, tmp_path: Path) -> Path:
        path = tmp_path / "s.sqlite"
        small_hospital(path)
        return path

    def test_a_store_without_indexes_gets_the_command(self, store: Path) -> None:
        checks = by_name(list(doctor.store_and_indexes(store)))
        assert checks["store"].ok
        assert not checks["note index"].ok
        assert "chartroom index" in checks["note index"].remedy

    def test_an_index_is_well_until_a_byte_or_a_note_changes(self, store: Path) -> None:
        assert main(["index", "--store", str(store), "--keywords-only"]) == 0
        assert all(check.ok for check in doctor.store_and_indexes(store))
        from knowledge.store import RecordStore

        opened = RecordStore.open(store, read_only=False)
        with closing(opened.connect()) as connection, connection:
            connection.execute("UPDATE notes SET title = 'changed' WHERE note_id = 1")
        assert not by_name(list(doctor.store_and_indexes(store)))["note index"].ok
        chunks = next(store.with_suffix(".index").glob("notes/**/chunks.sqlite"))
        content = bytearray(chunks.read_bytes())
        content[-1] ^= 1
        chunks.chmod(0o600)
        chunks.write_bytes(content)
        damaged = by_name(list(doctor.store_and_indexes(store)))["note index"]
        assert not damaged.ok
        assert damaged.required

    def test_a_file_that_is_no_store_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "x.sqlite"
        path.write_text("not a database, though long enough to look like one\n" * 40)
        (check,) = doctor.store_and_indexes(path)
        assert not check.ok
        assert "not a SQLite database" in check.remedy


def test_the_command_exits_with_1_only_for_what_is_required(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = doctor.Check("wish", False, "none", "Get one.", required=False)
    monkeypatch.setattr(doctor, "all_checks", lambda *_: [wish])
    assert main(["doctor"]) == 0
    assert "Get one." in capsys.readouterr().out
    monkeypatch.setattr(doctor, "all_checks", lambda *_: [wish._replace(required=True)])
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_every_switch_is_set_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SWITCHES:
        monkeypatch.setenv(name, "something else")
    go_offline()
    assert {name: os.environ[name] for name in SWITCHES} == SWITCHES


def flip(folder: Path, name: str) -> None:
    """Change one byte in the middle of a file of the generation in use."""
    generation = (folder / "current").read_text().split()[0]
    path = folder / generation / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_flipped_byte_in_the_general_knowledge_is_found_named_and_repaired(
    private_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "Embedder", lambda folder: None)
    names = ("knowledge", "documents", "passages")
    assert all(check.ok for check in doctor.general_knowledge()), "what was never made is no fault"
    guideline = tmp_path / "hf.md"
    guideline.write_text("# Heart failure\nZebra tablets daily.\n")
    assert main(["knowledge", "import", str(guideline)]) == 0
    checks = by_name(list(doctor.general_knowledge()))
    assert [checks[name].ok for name in names] == [True, True, True]
    damaged = (
        ("knowledge", "graph", "graph.sqlite", ["knowledge", "build", "--anew"]),
        ("passages", "passages", "chunks.sqlite", ["knowledge", "index", "--rebuild"]),
    )
    for name, folder, file, repair in damaged:
        flip(private_home / "knowledge" / folder, file)
        check = by_name(list(doctor.general_knowledge()))[name]
        assert not check.ok and check.required
        assert file in check.remedy and f"chartroom {' '.join(repair)}" in check.remedy
        capsys.readouterr()
        assert main(["knowledge", "index"]) == 1
        assert f"chartroom {' '.join(repair)}" in " ".join(capsys.readouterr().err.split())
        assert main(repair) == 0
        assert all(check.ok for check in doctor.general_knowledge())


def test_a_library_whose_texts_were_altered_is_found(private_home: Path) -> None:
    books = library()
    assert list(books.put([Document("hf", "Heart failure", "Zebra tablets daily.")])) == ["added"]
    with closing(sqlite3.connect(books.path)) as connection, connection:
        connection.execute("UPDATE documents SET text = 'Okapi tablets daily.'")
    check = by_name(list(doctor.general_knowledge()))["documents"]
    assert not check.ok
    assert "Put a copy of it back" in check.remedy and "Okapi" not in check.remedy
