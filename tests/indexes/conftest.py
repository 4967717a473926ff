"""A small store with notes in both languages, and an embedder that is quick and needs no model."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from indexes.embedding import Embedder, Vectors
from indexes.tokens import tokenise
from knowledge.store.store import RecordStore

NOTES = [
    # note_id, subject_id, hadm_id, charttime, note_type, language, text
    (
        1,
        1,
        10,
        "2100-01-01 08:00:00",
        "admission",
        "en",
        "HPI: Chest pain since noon. No fever.\nPlan: Troponin.",
    ),
    (
        2,
        1,
        10,
        "2100-01-02 08:00:00",
        "progress",
        "en",
        "Assessment: Creatinine rose to 1.9 mg/dL. Hold metformin.",
    ),
    (3, 2, 20, "2100-01-03 08:00:00", "progress", "zh", "现病史：患者肌酐升高。\n初步诊断：急性肾损伤。"),
    (
        4,
        3,
        30,
        "2100-01-04 08:00:00",
        "discharge",
        "en",
        "Hospital Course: Chest pain resolved. Creatinine normal.",
    ),
    (5, 3, 31, "2100-02-04 08:00:00", "progress", "en", "Exam: Lungs clear. Chest pain absent."),
]


class WordEmbedder(Embedder):
    """Vectors from hashed words: texts that share words are near. Stands in where no meaning is needed."""

    def __init__(self, name: str = "words") -> None:
        self.name = name
        self.encoded: list[str] = []

    @property
    def sha256(self) -> str:  # type: ignore[override]
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def dimension(self) -> int:
        return 64

    def encode(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None, *, batch: int = 512
    ) -> Vectors:
        self.encoded.extend(texts)
        vectors = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for token in tokenise(text):
                vectors[row, hashlib.md5(token.text.encode()).digest()[0] % self.dimension] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def question(self, text: str) -> Vectors:
        return self.encode([text])[0]


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    made = RecordStore.create(tmp_path / "ward.sqlite")
    with closing(made.connect()) as connection, connection:
        for subject in (1, 2, 3):
            connection.execute("INSERT INTO patients (subject_id) VALUES (?)", (subject,))
        for _, subject, hadm, time, *_ in NOTES:
            connection.execute(
                "INSERT OR IGNORE INTO admissions (subject_id, hadm_id, admittime) VALUES (?, ?, ?)",
                (subject, hadm, time),
            )
        connection.executemany(
            "INSERT INTO notes (note_id, subject_id, hadm_id, charttime, note_type, language, text, sha256) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, '')",
            NOTES,
        )
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ward.index"
