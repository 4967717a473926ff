"""The rewritten questions of EHRSQL-2024 ask what the published ones ask, and fall into two fair halves."""

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

SETS = Path(__file__).resolve().parents[2] / "benchmarks" / "questions"
PATIENT = re.compile(r"(?<!\d)\d{8}(?!\d)")
UNANSWERABLE = "-"

Line = dict[str, str]


@pytest.fixture(params=("ehrsql_zh", "ehrsql_reworded"))
def lines(request: pytest.FixtureRequest) -> list[Line]:
    text = (SETS / f"{request.param}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def published(shared_data: Path) -> dict[str, Line]:
    """The validation questions by id."""
    path = shared_data / "ehrsql-2024" / "valid" / "annotated.json"
    return {entry["id"]: entry for entry in json.loads(path.read_text(encoding="utf-8"))}


def source(line: Line) -> str:
    return line["id"].partition("|")[0]


def test_no_line_stands_twice(lines: list[Line]) -> None:
    assert len(lines) >= 320
    assert len({line["id"] for line in lines}) == len(lines)
    assert len({line["question"] for line in lines}) == len(lines)


def test_every_template_is_asked_in_both_halves(lines: list[Line], published: dict[str, Line]) -> None:
    halves = defaultdict[str, set[str]](set)
    for line in lines:
        halves[published[source(line)]["template"]].add(line["half"])
    assert set(halves) == {entry["template"] for entry in published.values()}
    assert all(found == {"tune", "held"} for found in halves.values())


def test_a_fifth_cannot_be_answered(lines: list[Line], published: dict[str, Line]) -> None:
    share = sum(published[source(line)]["template"] == UNANSWERABLE for line in lines) / len(lines)
    assert share == pytest.approx(0.2, abs=0.02)


def test_each_question_is_about_the_same_patient(lines: list[Line], published: dict[str, Line]) -> None:
    for line in lines:
        asked = set(PATIENT.findall(published[source(line)]["question"]))
        assert set(PATIENT.findall(line["question"])) == asked, line["id"]
