"""A linker over the small hospital, with the terminology that ships."""

from pathlib import Path

import pytest

from agent.planning.linker import Linker
from indexes.values import ValueIndex
from knowledge.terminology.terminology import Terminology
from tests.hospital import small_hospital


@pytest.fixture(scope="session")
def linker(tmp_path_factory: pytest.TempPathFactory) -> Linker:
    folder: Path = tmp_path_factory.mktemp("hospital")
    store = small_hospital(folder / "hospital.sqlite")
    terminology = Terminology.load()
    values = ValueIndex.build(store, folder / "index", terminology.surface_forms())
    return Linker(store, values, terminology)
