"""An optional last look at the best hits: a cross-encoder that reads question and passage together.

None is shipped: give a folder in the sentence-transformers layout by ``CHARTROOM_RERANKER``.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from indexes.index import Hit
from knowledge.errors import ModelError


class Reranker:
    """Orders hits by a cross-encoder from files on this machine. It is loaded at once, so that faults show early.

    Args:
        folder: a cross-encoder in the sentence-transformers layout.

    Raises:
        ModelError: there is none, or it cannot be loaded.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ModelError(f"There is no cross-encoder at {folder}; give its folder, or unset the setting.")
        # Set before the import: the hub library reads it once. Nothing here may ask the network.
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ["TRANSFORMERS_OFFLINE"] = "1"
        from sentence_transformers import CrossEncoder

        try:
            self._model = CrossEncoder(str(folder), local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"The cross-encoder at {folder} cannot be loaded: {error}") from error

    def rerank(self, query: str, hits: Sequence[Hit], k: int) -> list[Hit]:
        """The ``k`` best of some hits by how well each answers the query; ``score`` becomes the model's."""
        if not hits:
            return []
        scores = self._model.predict([(query, hit.text) for hit in hits], show_progress_bar=False)
        ordered = sorted(zip(hits, scores.tolist(), strict=True), key=lambda pair: -pair[1])
        return [replace(hit, score=score) for hit, score in ordered[:k]]
