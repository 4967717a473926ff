"""The vector index over the real FAISS: filter before search, removal, the large form."""

from pathlib import Path

import numpy as np
import pytest

from indexes import vectors
from indexes.vectors import VectorIndex
from knowledge.errors import IndexFault


def unit(count: int, dimension: int = 16, seed: int = 1) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_the_nearest_come_first_with_their_cosine() -> None:
    made = unit(50)
    index = VectorIndex(16)
    index.add(range(100, 150), made)
    best = index.search(made[7], 3)
    assert best[0] == (107, pytest.approx(1.0, abs=1e-3))
    assert [s for _, s in best] == sorted((s for _, s in best), reverse=True)


@pytest.mark.parametrize("limit", [10_000, 100])
def test_a_filter_is_exact_over_what_it_permits_in_both_forms(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "EXACT_LIMIT", limit)
    made = unit(2000)
    index = VectorIndex(16)
    index.add(range(2000), made)
    index.finish()
    allowed = np.arange(0, 2000, 97)
    expected = allowed[np.argsort(-(made[allowed] @ made[5]))][:10]
    assert [i for i, _ in index.search(made[5], 10, allowed)] == expected.tolist()


@pytest.mark.parametrize("limit", [10_000, 100])
def test_added_and_removed_vectors_count_at_once_and_after_a_file(
    limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "EXACT_LIMIT", limit)
    made = unit(2000)
    index = VectorIndex(16)
    index.add(range(1999), made[:1999])
    index.finish()
    index.remove([5, 999_999])
    index.add([5000], made[1999:])
    index.finish()  # an update ends as a build does
    index.write(tmp_path / "v.faiss")
    again = VectorIndex.read(tmp_path / "v.faiss")
    assert len(again) == 1999
    assert again.search(made[1999], 1)[0][0] == 5000
    assert again.search(made[5], 1, np.array([4, 5, 6]))[0][0] != 5


def test_an_empty_index_and_an_empty_filter_find_nothing() -> None:
    index = VectorIndex(16)
    assert index.search(unit(1)[0], 5) == []
    index.add([1], unit(1))
    assert index.search(unit(1)[0], 5, np.array([], dtype=np.int64)) == []


def test_a_file_that_is_no_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.faiss").write_bytes(b"no index")
    with pytest.raises(IndexFault):
        VectorIndex.read(tmp_path / "v.faiss")
