"""The optional cross-encoder: orders hits anew, from a folder on this machine, or says what is wrong."""

from pathlib import Path

import pytest
import torch
import transformers

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


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real cross-encoder, as small as one can be, with weights that nobody trained."""
    folder = tmp_path_factory.mktemp("cross-encoder")
    letters = [*"abcdefghijklmnopqrstuvwxyz0123456789.,:;-/%()"]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{one}" for one in letters)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    transformers.BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=128).save_pretrained(folder)
    torch.manual_seed(7)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
        num_labels=1,
        initializer_range=0.4,  # so that passages differ by more than rounding does
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_a_real_cross_encoder_orders_the_hits_by_what_it_makes_of_question_and_passage(
    cross_encoder: Path, store: RecordStore, folder: Path
) -> None:
    index = PassageIndex.build(StoreNotes(store), folder, None)
    every = Retrieval((index,)).search("chest pain", mode="keyword", k=30)
    best = Retrieval((index,), reranker=Reranker(cross_encoder)).search("chest pain", mode="keyword", k=3)
    by_hand = sorted(every, key=lambda hit: -relevance(cross_encoder, "chest pain", hit.text))
    assert len(every) > 1
    assert [hit.chunk_id for hit in best] == [hit.chunk_id for hit in by_hand[:3]]
    assert [hit.score for hit in best] == sorted((hit.score for hit in best), reverse=True)


def relevance(folder: Path, question: str, passage: str) -> float:
    """What the model makes of a question and a passage, without the library that reranks."""
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    model = transformers.BertForSequenceClassification.from_pretrained(folder)
    read = tokenizer(question, passage, truncation=True, max_length=128, return_tensors="pt")
    with torch.inference_mode():
        return float(model(**read).logits[0, 0])
