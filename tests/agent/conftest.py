"""One agent over the small hospital for all tests of the agent: opening it builds its indexes, which takes seconds."""

from collections.abc import Iterator

import pytest
from hospital import small_hospital

from agent import ClinicalAgent


@pytest.fixture(scope="session")
def hospital_store(tmp_path_factory: pytest.TempPathFactory):
    """The small hospital's store; read it, do not change it."""
    return small_hospital(tmp_path_factory.mktemp("hospital") / "small.sqlite")


@pytest.fixture(scope="module")
def agent(hospital_store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicalAgent]:
    """An agent whose user may see everyone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARTROOM_HOME", str(tmp_path_factory.mktemp("agent-home")))
        opened = ClinicalAgent.open(hospital_store)
        yield opened
        opened.close()
