"""The real MiniLM from its package: no network, unit vectors, meaning; and models that are none."""

from pathlib import Path

import numpy as np
import pytest

from indexes.embedding import Embedder
from indexes.index import PassageIndex
from indexes.retriever import NoteRetriever
from indexes.store_notes import StoreNotes
from knowledge.errors import ModelError
from knowledge.store.store import RecordStore


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    return Embedder()


def test_vectors_have_length_one_and_the_named_dimension(minilm: Embedder) -> None:
    vectors = minilm.encode(["chest pain", "肌酐", ""])
    assert vectors.shape == (3, minilm.dimension) == (3, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-3)


def test_no_texts_give_no_vectors(minilm: Embedder) -> None:
    assert minilm.encode([]).shape == (0, 384)


def test_meaning_brings_texts_together(minilm: Embedder) -> None:
    heart, failure, leg = minilm.encode(["heart attack", "myocardial infarction", "broken leg"])
    assert heart @ failure > heart @ leg


def test_bulk_and_single_vectors_agree(minilm: Embedder) -> None:
    texts = [f"Note {n}: chest pain on day {n}." for n in range(40)]
    alone = np.stack([minilm.encode([text])[0] for text in texts[:5]])
    assert (minilm.encode(texts)[:5] * alone).sum(axis=1).min() > 0.999


def test_progress_counts_texts(minilm: Embedder) -> None:
    seen: list[tuple[int, int]] = []
    minilm.encode(["a", "b", "c"], lambda done, total: seen.append((done, total)), batch=2)
    assert seen == [(2, 3), (3, 3)]


def test_identity_is_that_of_the_files(minilm: Embedder, tmp_path: Path) -> None:
    for name, content in (("model.safetensors", b"weights"), ("config.json", b"{}")):
        (tmp_path / name).write_bytes(content)
    first = Embedder(tmp_path).sha256
    (tmp_path / "model.safetensors").write_bytes(b"other")
    assert len({first, Embedder(tmp_path).sha256, minilm.sha256}) == 3


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no embedding model"):
        Embedder(tmp_path)


def test_broken_weights_are_refused_with_their_folder(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(ModelError, match=str(tmp_path)):
        Embedder(tmp_path).encode(["a"])


def test_notes_are_found_by_meaning_through_langchain(
    store: RecordStore, folder: Path, minilm: Embedder
) -> None:
    index = PassageIndex.build(StoreNotes(store), folder, minilm)
    (document,) = NoteRetriever(index=index, mode="dense", k=1).invoke(
        "diabetes drug stopped because of the kidneys"
    )
    assert document.metadata["source_id"] == "2"
    note = store.note(2)
    assert note is not None
    assert document.page_content == note.text[document.metadata["start"] : document.metadata["end"]]
    assert document.metadata["subject_id"] == 1
