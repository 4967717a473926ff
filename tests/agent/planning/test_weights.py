"""Trained weights are kept, found again, and made anew where a file is not what was written."""

from pathlib import Path

import numpy as np
import pytest

from agent.planning import weights
from agent.planning.classifier import Classifier, Training

TEXTS = ("latest <measure>", "when was <measure> measured", "最近 <measure>", "hello")
LABELS = ("latest_value", "last_time_measured", "latest_value", "!outside")


def test_a_classifier_that_was_written_scores_as_before(tmp_path: Path) -> None:
    trained = Training(TEXTS, LABELS).classifier()
    weights.write(tmp_path / "w.npz", trained.arrays())
    arrays = weights.read(tmp_path / "w.npz")
    assert arrays is not None
    restored = Classifier.of_arrays(arrays)
    assert restored.labels == trained.labels
    np.testing.assert_array_equal(restored.scores(TEXTS), trained.scores(TEXTS))


def test_each_example_scores_highest_for_its_own_label() -> None:
    trained = Training(TEXTS, LABELS).classifier()
    assert [trained.labels[column] for column in trained.scores(TEXTS).argmax(axis=1)] == list(LABELS)


def test_leaving_one_out_equals_training_without_it() -> None:
    left_out = Training(TEXTS, LABELS).leave_one_out()
    assert left_out[3].max() < 0.5  # nothing else says "hello": its own label is not known without it
    assert left_out[0][0] > left_out[0][1]  # the Chinese example of the same meaning supports it


@pytest.mark.parametrize("damage", ["flipped", "truncated", "emptied", "not npz"])
def test_a_damaged_file_is_not_read(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "w.npz"
    weights.write(path, {"a": np.arange(1000)})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle] ^= 1
    flipped = bytes(content)
    path.write_bytes(
        {"flipped": flipped, "truncated": flipped[:middle], "emptied": b"", "not npz": b"x" * 99}[damage]
    )
    assert weights.read(path) is None


def test_arrays_that_were_swapped_in_are_noticed(tmp_path: Path) -> None:
    weights.write(tmp_path / "w.npz", {"a": np.arange(9)})
    with np.load(tmp_path / "w.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "w.npz", **{**arrays, "a": np.arange(9)[::-1]})  # pyright: ignore[reportArgumentType]
    assert weights.read(tmp_path / "w.npz") is None


def test_made_once_then_read_and_made_anew_after_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARTROOM_HOME", str(tmp_path))
    made = 0

    def make() -> weights.Arrays:
        nonlocal made
        made += 1
        return {"a": np.arange(9)}

    assert (weights.cached(make)["a"] == weights.cached(make)["a"]).all()
    assert made == 1
    (path,) = (tmp_path / "cache").iterdir()
    path.write_bytes(path.read_bytes()[:-40])
    weights.cached(make)
    weights.cached(make)
    assert made == 2
    assert [path.name] == [entry.name for entry in (tmp_path / "cache").iterdir()]
