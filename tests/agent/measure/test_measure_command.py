"""``chartroom measure`` asks the active planner and prints its figures."""

import json
from pathlib import Path
from typing import Any

import pytest
from hospital import small_hospital

from agent.cli import main


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "small.sqlite"
    small_hospital(path)
    assert main(["index", "--store", str(path), "--keywords-only"]) == 0
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two questions with their gold, one whose gold says that it cannot be answered, one without gold."""
    questions = [
        {"id": "n|en1", "question": "How many patients are there?", "half": "tune"},
        {"id": "n|zh1", "question": "一共有多少患者？", "half": "held"},
        {"id": "u", "question": "Who won the football match yesterday?", "half": "tune"},
    ]
    lines, answers = tmp_path / "questions.jsonl", tmp_path / "answers.json"
    lines.write_text("".join(json.dumps(one) + "\n" for one in questions), encoding="utf-8")
    answers.write_text(json.dumps({"n": [[4]], "u": None}), encoding="utf-8")
    return lines, answers


def measure(hospital: Path, files: tuple[Path, Path], *flags: str) -> int:
    questions, answers = map(str, files)
    return main(["measure", questions, "--answers", answers, "--store", str(hospital), *flags])


def figures(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out)


def test_every_figure_is_printed_for_the_active_planner(
    hospital: Path, files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    assert measure(hospital, files, "--json", "--out", str(out)) == 0
    found = figures(capsys)
    assert found["planner"], "the figures are of a named planner"
    assert (found["n"], found["RS(0)"]) == (3, 100)
    assert found["verdicts"] == {"right": 2, "abstained rightly": 1}
    assert found["memory_mb"]["peak"] >= found["memory_mb"]["before"] > 0
    assert found["latency_ms"]["p95"] >= found["latency_ms"]["median"]
    assert [json.loads(line)["id"] for line in out.read_text(encoding="utf-8").splitlines()] == [
        "n|en1",
        "n|zh1",
        "u",
    ]


def test_the_half_the_ids_and_the_risks_can_be_chosen(
    hospital: Path, files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure(hospital, files, "--half", "held", "--risk", "3") == 0
    said = capsys.readouterr().out
    assert "questions 1\n" in said
    assert "RS(3)" in said
    ids = tmp_path / "ids.txt"
    ids.write_text("u\n", encoding="utf-8")
    assert measure(hospital, files, "--ids", str(ids), "--json") == 0
    assert figures(capsys)["n"] == 1
    assert measure(hospital, files, "--half", "none") == 1


def test_a_question_without_gold_is_found_before_anything_is_asked(
    hospital: Path, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files[1].write_text("{}", encoding="utf-8")
    assert measure(hospital, files) == 1
    assert "no gold answer for the question 'n|en1'" in capsys.readouterr().err


def test_a_file_that_is_there_is_not_written_over(
    hospital: Path, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure(hospital, files, "--out", str(files[1])) == 1
    assert "exists" in capsys.readouterr().err
    assert json.loads(files[1].read_text(encoding="utf-8"))["n"] == [[4]]
