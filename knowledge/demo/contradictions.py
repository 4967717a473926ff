"""Contradictions between notes and tables, planted on purpose, each with its place in the key."""

import random
from dataclasses import dataclass

from knowledge.demo.chart import Chart
from knowledge.demo.ledger import Ledger
from knowledge.demo.scribe import DraftNote


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One planted contradiction.

    ``note.text[start:end] == quote`` is what the note says; ``row_ids`` of ``table`` say otherwise (empty
    where the point is that no row supports the note).
    """

    id: str
    kind: str
    subject_id: int
    note_id: int
    start: int
    end: int
    quote: str
    table: str
    row_ids: tuple[int, ...]
    explanation_en: str
    explanation_zh: str


def plant(
    charts: list[Chart], notes: list[DraftNote], ledger: Ledger, rng: random.Random
) -> list[Contradiction]:
    """Change notes so that they contradict the tables; returns the key."""
    return []
