"""The quick forward pass beside sentence-transformers with the real MiniLM."""

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

from indexes.bert import BertEncoder
from indexes.embedding import Embedder

TEXTS = (
    "chest pain",
    "",
    "?",
    "Which of the current drugs are contraindicated with an eGFR below 30?",
    "最近一次肌酐是多少",
    "fever and cough, " * 200,
)


@pytest.fixture(scope="module")
def model() -> SentenceTransformer:
    return SentenceTransformer(str(Embedder().folder), local_files_only=True, device="cpu")


@pytest.mark.parametrize(("dtype", "least"), [(torch.float32, 0.99999), (torch.bfloat16, 0.999)])
def test_it_gives_the_vectors_of_the_general_model(
    model: SentenceTransformer, dtype: torch.dtype, least: float
) -> None:
    quick = BertEncoder.of(model, dtype)
    assert quick is not None
    for text in TEXTS:
        assert quick.encode(text) @ model.encode([text], normalize_embeddings=True)[0] > least


def test_a_model_that_computes_otherwise_is_left_to_the_general_way(model: SentenceTransformer) -> None:
    transformer = model[0]
    assert isinstance(transformer, Transformer)
    first_token = Pooling(transformer.get_embedding_dimension(), pooling_mode="cls")
    assert BertEncoder.of(SentenceTransformer(modules=[transformer, first_token]), torch.float32) is None


def test_a_pass_that_gives_other_vectors_is_not_used(
    model: SentenceTransformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BertEncoder, "encode", lambda self, text: np.eye(384, dtype=np.float32)[0])
    assert BertEncoder.of(model, torch.float32) is None


def test_questions_are_embedded_like_passages_and_the_last_are_kept() -> None:
    embedder = Embedder()
    vector = embedder.question("heart attack")
    assert vector @ embedder.encode(["heart attack"])[0] > 0.999
    assert embedder.question("heart attack") is vector
    assert not vector.flags.writeable
