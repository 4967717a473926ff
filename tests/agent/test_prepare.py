"""Indexes that another version of Chartroom wrote are built anew; damaged ones are not touched."""

import hashlib
from pathlib import Path

import pytest
from hospital import small_hospital

from agent.paths import index_folder
from agent.prepare import prepare_indexes
from knowledge import manifest
from knowledge.errors import IndexFault
from knowledge.store import RecordStore


def silent(stage: str, done: int, total: int) -> None:
    pass


def rewritten(folder: Path, old: str, new: str) -> None:
    """The manifest of an index with a word changed, and its pointer along with it."""
    pointer = folder / "current"
    generation = folder / pointer.read_text().split()[0]
    text = (generation / manifest.NAME).read_text().replace(old, new)
    (generation / manifest.NAME).write_text(text)
    pointer.write_text(f"{generation.name} {hashlib.sha256(text.encode()).hexdigest()}\n")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    return small_hospital(tmp_path_factory.mktemp("versions") / "small.sqlite")


def test_an_index_of_another_version_is_built_anew_and_a_damaged_one_is_refused(store: RecordStore) -> None:
    prepare_indexes(store, silent, embeddings=False)
    version = f'"schema_version": {manifest.SCHEMA_VERSION}'
    for name in ("notes", "values", "patients"):
        rewritten(index_folder(store.path) / name, version, '"schema_version": 0')
    done = prepare_indexes(store, silent, embeddings=False)
    assert (done.notes, done.values, done.patients) == ("built", "built", "built")
    rewritten(index_folder(store.path) / "notes", '"sha256": "', '"sha256": "0')
    with pytest.raises(IndexFault):
        prepare_indexes(store, silent, embeddings=False)
