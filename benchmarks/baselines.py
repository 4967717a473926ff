"""What others search with, over the same chunks, vectors and model: LangChain's ensemble, txtai's hybrid index."""

from collections.abc import Callable, Sequence

import numpy as np

from indexes.embedding import Embedder, Vectors

Search = Callable[[str], list[int]]
"""Gives the numbers of the chunks found, best first."""


def langchain_ensemble(texts: Sequence[str], vectors: Vectors, embedder: Embedder, k: int) -> Search:
    """BM25Retriever and FAISS behind an EnsembleRetriever, with their defaults and equal weights."""
    from langchain_classic.retrievers import EnsembleRetriever
    from langchain_community.retrievers import BM25Retriever
    from langchain_community.vectorstores import FAISS
    from langchain_core.embeddings import Embeddings

    class Model(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return embedder.encode(texts).tolist()

        def embed_query(self, text: str) -> list[float]:
            return embedder.encode([text])[0].tolist()

    numbers = [{"number": number} for number in range(len(texts))]
    bm25 = BM25Retriever.from_texts(list(texts), metadatas=numbers)
    bm25.k = k
    pairs = list(zip(texts, vectors.tolist(), strict=True))
    faiss = FAISS.from_embeddings(pairs, Model(), metadatas=numbers)
    # FAISS keeps the one thread per question that our index has set; its default is slower here.
    ensemble = EnsembleRetriever(
        retrievers=[bm25, faiss.as_retriever(search_kwargs={"k": k})], weights=[0.5, 0.5], id_key="number"
    )
    return lambda question: [found.metadata["number"] for found in ensemble.invoke(question)]


def txtai_hybrid(texts: Sequence[str], vectors: Vectors, embedder: Embedder, k: int) -> Search:
    """A hybrid index of txtai: its BM25 and FAISS with their defaults and equal weights."""
    from txtai import Embeddings

    known = dict(zip(texts, vectors, strict=True))

    def transform(asked: Sequence[str]) -> Vectors:
        given = [known.get(text) for text in asked]
        if all(one is not None for one in given):
            return np.stack([one for one in given if one is not None])
        return embedder.encode(list(asked))

    embeddings = Embeddings({"method": "external", "transform": transform, "hybrid": True})
    embeddings.index((number, text, None) for number, text in enumerate(texts))

    def find(question: str) -> list[int]:
        found: list[tuple[int, float]] = embeddings.search(question, k)  # type: ignore[assignment]  # no graph here
        return [number for number, _ in found]

    return find
