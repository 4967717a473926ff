"""Who opens an index while the next generation takes over reads the new one, and is told of no damage."""

from pathlib import Path

import pytest

from knowledge import generations
from knowledge.errors import IndexFault
from knowledge.generations import Generations
from knowledge.manifest import Manifest


def build(places: Generations, text: str) -> None:
    with places.stage() as staging:
        (staging.folder / "data").write_text(text)
        staging.manifest = Manifest(store="s")


def test_a_generation_that_takes_over_between_pointer_and_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Generations(tmp_path, "repair it")
    build(places, "old")
    check = generations.check

    def late(folder: Path, sha256: str, repair: str) -> Manifest:
        monkeypatch.setattr(generations, "check", check)
        build(places, "new")
        return check(folder, sha256, repair)

    monkeypatch.setattr(generations, "check", late)
    folder, _ = places.open()
    assert (folder / "data").read_text() == "new"


def test_damage_is_told_all_the_same(tmp_path: Path) -> None:
    places = Generations(tmp_path, "repair it")
    build(places, "data")
    (places.current() / "data").write_text("dada")
    with pytest.raises(IndexFault, match=r"was altered\. Build it anew with: repair it"):
        places.open()
