"""The questions over facts and notes: each piece of evidence exists, and the set is as wide as it says."""

import csv
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from importlib.resources import files
from typing import Any

import pytest

from knowledge import demo

NEEDS = ("multi_hop", "synonym", "hierarchy", "cross_language", "negation")
SENTENCE_END = re.compile(r"\n|(?<=[。；])|(?<=[.;?])\s")


@pytest.fixture(scope="module")
def questions() -> list[dict[str, Any]]:
    text = files("benchmarks").joinpath("questions").joinpath("knowledge.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def facts() -> set[str]:
    """Every row of the fact tables, written as evidence is."""
    found: set[str] = set()
    for table in files("knowledge.facts").joinpath("tables").iterdir():
        if table.name.endswith(".tsv"):
            lines = table.read_text(encoding="utf-8").splitlines()
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                cells = (
                    row["subject"],
                    table.name.removesuffix(".tsv"),
                    row["object"],
                    row["condition"] or "",
                )
                found.add("fact:" + "|".join(cells))
    return found


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[int, str]]:
    """Patient and text of each note of the demo hospital, by note."""
    store = demo.build(tmp_path_factory.mktemp("demo") / "demo.sqlite")
    with closing(sqlite3.connect(store.path)) as connection:
        rows = connection.execute("SELECT note_id, subject_id, text FROM notes").fetchall()
    return {note: (patient, text) for note, patient, text in rows}


def alternatives(question: dict[str, Any]) -> Iterable[str]:
    return (alternative for piece in question["evidence"] for alternative in piece)


def test_each_line_is_a_question_with_evidence(questions: list[dict[str, Any]]) -> None:
    assert len(questions) >= 240
    assert len({question["id"] for question in questions}) == len(questions)
    assert len({question["question"] for question in questions}) == len(questions)
    for question in questions:
        assert question["language"] in {"en", "zh"}, question["id"]
        assert question["half"] in {"tune", "held"}, question["id"]
        assert question["needs"] and set(question["needs"]) <= set(NEEDS), question["id"]
        assert 1 <= len(question["evidence"]) <= 3 and all(question["evidence"]), question["id"]


def test_each_cited_fact_is_in_the_tables(questions: list[dict[str, Any]], facts: set[str]) -> None:
    cited = {a for question in questions for a in alternatives(question) if a.startswith("fact:")}
    assert cited and not cited - facts


def test_each_cited_span_is_whole_sentences_of_a_note(
    questions: list[dict[str, Any]], notes: dict[int, tuple[int, str]]
) -> None:
    """A span that has moved would cut a sentence, or lie in another patient's note."""
    for question in questions:
        for alternative in alternatives(question):
            if not alternative.startswith("note:"):
                continue
            note, start, end = (int(part) for part in alternative.split(":")[1:])
            patient, text = notes[note]
            if question["patient"] is not None:
                assert patient == question["patient"], question["id"]
            edges = {0, len(text)} | {edge for match in SENTENCE_END.finditer(text) for edge in match.span()}
            assert start < end and {start, end} <= edges, (question["id"], alternative)


def test_every_need_is_asked_often_enough(questions: list[dict[str, Any]]) -> None:
    asked = Counter(need for question in questions for need in question["needs"])
    assert all(asked[need] >= 30 for need in NEEDS), asked


def test_the_halves_are_alike(questions: list[dict[str, Any]]) -> None:
    def counts(half: str) -> Counter[str]:
        chosen = [question for question in questions if question["half"] == half]
        needs = Counter(need for question in chosen for need in question["needs"])
        return needs + Counter(question["language"] for question in chosen) + Counter(all=len(chosen))

    tune, held = counts("tune"), counts("held")
    assert tune.keys() == held.keys()
    for name in tune:
        assert abs(tune[name] - held[name]) <= max(2, 0.1 * (tune[name] + held[name])), name
