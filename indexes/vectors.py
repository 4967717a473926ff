"""Nearest chunks by inner product: FAISS with the chunk ids as keys, written natively.

The vectors are kept in half precision, which finds what single precision finds at a third of the time. Up to
``EXACT_LIMIT`` of them all are compared. Above, an inverted file visits the nearest cells; with a filter it visits
all of them, so that the answer over the permitted chunks is exact again.
"""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from indexes.embedding import Vectors
from knowledge.errors import IndexFault

EXACT_LIMIT = 50_000
_HALF: Any = faiss.ScalarQuantizer.QT_fp16
_PROBED = 1 / 4  # share of the cells visited without a filter; recall in docs/indexes.md


class VectorIndex:
    """Unit vectors by chunk id.

    Args:
        dimension: length of the vectors.
    """

    def __init__(self, dimension: int) -> None:
        # Any: the stubs of FAISS do not know what its SWIG classes take.
        halves: Any = faiss.IndexScalarQuantizer(dimension, _HALF, faiss.METRIC_INNER_PRODUCT)
        self._index: Any = faiss.IndexIDMap2(halves)

    @classmethod
    def read(cls, path: Path) -> "VectorIndex":
        """Open a file that ``write`` left (the manifest has vouched for its bytes).

        Raises:
            IndexFault: FAISS cannot read it.
        """
        try:
            index = faiss.read_index(str(path))
        except RuntimeError as error:
            raise IndexFault(f"The vector index {path} cannot be read.") from error
        opened = cls(index.d)
        opened._index = index
        return opened

    def __len__(self) -> int:
        return self._index.ntotal

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self._index.d

    def add(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Add vectors under ids that are not in use."""
        if len(ids):
            self._index.add_with_ids(vectors, np.asarray(ids, dtype=np.int64))

    def remove(self, ids: Sequence[int]) -> None:
        """Remove vectors; unknown ids are ignored."""
        if len(ids):
            self._index.remove_ids(np.asarray(ids, dtype=np.int64))

    def finish(self) -> None:
        """After the last ``add`` of a build: train cells if there are too many vectors for exact search."""
        count = len(self)
        if count <= EXACT_LIMIT or isinstance(self._index, faiss.IndexIVF):
            return  # few enough, or an update of an index that has its cells
        flat: Any = faiss.downcast_index(self._index.index)
        vectors = flat.reconstruct_n(0, count)
        ids = faiss.vector_to_array(self._index.id_map)
        cells = int(4 * math.sqrt(count))
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        inverted = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(self.dimension),
            self.dimension,
            cells,
            _HALF,
            faiss.METRIC_INNER_PRODUCT,
            False,  # of the vectors themselves, not of what they differ by from their cell's centre
        )
        sample = np.random.default_rng(0).choice(count, size=min(count, 40 * cells), replace=False)
        inverted.train(vectors[np.sort(sample)])
        inverted.add_with_ids(vectors, ids)
        self._index = inverted

    def search(
        self, vector: Vectors, k: int, allowed: NDArray[np.int64] | None = None
    ) -> list[tuple[int, float]]:
        """The ``k`` nearest chunks, best first.

        Args:
            vector: unit vector of shape ``(dimension,)``.
            k: how many.
            allowed: the only ids that may be scored; ``None`` for all.

        Returns:
            (chunk id, cosine).
        """
        if (allowed is not None and len(allowed) == 0) or len(self) == 0:
            return []
        # FAISS keeps no reference to the selector: it must outlive the search.
        selector = None if allowed is None else faiss.IDSelectorBatch(allowed)
        parameters: Any
        if isinstance(self._index, faiss.IndexIVF):
            parameters = faiss.SearchParametersIVF()
            parameters.nprobe = self._index.nlist if selector else max(1, int(self._index.nlist * _PROBED))
        else:
            parameters = faiss.SearchParameters()
        if selector is not None:
            parameters.sel = selector
        # One question on one thread: over 100,000 vectors 3 ms; a second thread costs more than it brings.
        faiss.omp_set_num_threads(1)
        scores, ids = self._index.search(
            np.ascontiguousarray(vector, dtype=np.float32)[None, :], min(k, len(self)), params=parameters
        )
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]

    def write(self, path: Path) -> None:
        """Write the native FAISS format."""
        faiss.write_index(self._index, str(path))
