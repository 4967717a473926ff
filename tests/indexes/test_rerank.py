"""The optional cross-encoder: orders hits anew, from a folder on this machine, or says what is wrong."""

from pathlib import Path

import pytest

from indexes.embedding import Embedder
from indexes.index import Hit, PassageIndex
from indexes.rerank import Reranker
from indexes.retrieval import Retrieval
from indexes.store_notes import StoreNotes
from knowledge.errors import ModelError
from knowledge.store.store import RecordStore


class Longest(Reranker):
    """Prefers long passages; stands in for a model."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def rerank(self, query: str, hits, k: int) -> list[Hit]:  # type: ignore[override]
        self.seen.append(len(hits))
        return sorted(hits, key=lambda hit: -len(hit.text))[:k]


def test_more_hits_than_asked_for_are_ordered_anew(
    store: RecordStore, folder: Path, embedder: Embedder
) -> None:
    index = PassageIndex.build(StoreNotes(store), folder, embedder)
    model = Longest()
    (best,) = Retrieval((index,), reranker=model).search("chest pain", mode="hybrid", k=1)
    every = Retrieval((index,)).search("chest pain", mode="hybrid", k=30)
    assert len(best.text) == max(len(hit.text) for hit in every)
    assert model.seen == [len(every)]


def test_a_folder_that_is_no_model_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no cross-encoder"):
        Reranker(tmp_path / "missing")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Reranker(tmp_path)
