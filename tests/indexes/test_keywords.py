"""Keyword search over the real FTS5: Chinese terms, stemming, and queries that try to be syntax."""

import sqlite3
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes import keywords

TEXTS = {
    1: "Patient denies chest pain. Started on metformin 500 mg.",
    2: "患者肌酐升高，考虑急性肾损伤。",
    3: "Chest pains again, IL-6 elevated; K 1.5 and 5.1.",
    4: "酐 alone, and 肌 alone.",
    5: "Café-au-lait spots.",
}


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(keywords.SCHEMA)
    keywords.add(connection, TEXTS, TEXTS.values())
    yield connection
    connection.close()


def found(database: sqlite3.Connection, query: str) -> list[int]:
    return [i for i, _ in keywords.search(database, query, 10)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("肌酐", [2]),
        ("肾", [2]),
        ("最近一次肌酐是多少", [2]),
        ("which patients had a pain", [1, 3]),
        ("IL-6", [3]),
        ("1.5", [3]),
        ("cafe", [5]),
        ("METFORMIN", [1]),
    ],
)
def test_a_term_is_found_where_it_stands_and_nowhere_else(
    database: sqlite3.Connection, query: str, expected: list[int]
) -> None:
    assert sorted(found(database, query)) == expected


@pytest.mark.parametrize(
    "query",
    [
        '" OR NEAR(',
        "text:chest",
        "chest*",
        "^chest",
        "NOT",
        "a AND",
        "'; DROP TABLE keywords; --",
        '""',
        "(",
        "-",
        "\x00",
        "",
    ],
)
def test_what_a_user_types_is_never_syntax(database: sqlite3.Connection, query: str) -> None:
    found(database, query)
    assert found(database, f"{query} metformin")[:1] == [1]


@settings(max_examples=300, deadline=None)
@given(query=st.text(max_size=200))
def test_any_text_can_be_asked(database: sqlite3.Connection, query: str) -> None:
    found(database, query)


def test_a_query_of_50000_characters_is_answered_from_its_beginning(database: sqlite3.Connection) -> None:
    assert found(database, "metformin " + "lorem ipsum dolor " * 2800) == [1]
    assert found(database, "肌酐" * 25_000) == [2]


def test_only_permitted_chunks_are_returned(database: sqlite3.Connection) -> None:
    hits = keywords.search(database, "chest pain", 10, np.array([3, 5]))
    assert [i for i, _ in hits] == [3]
    assert keywords.search(database, "chest pain", 10, np.array([], dtype=np.int64)) == []


def test_better_matches_come_first_with_higher_scores(database: sqlite3.Connection) -> None:
    hits = keywords.search(database, "pain metformin", 10)
    assert [i for i, _ in hits] == [1, 3]
    assert hits[0][1] > hits[1][1] > 0
