"""Answers over the small hospital: the question goes the whole way, from its words to what was verified."""

from collections.abc import Iterator

import pytest
from hospital import small_hospital

from agent import ClinicalAgent


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicalAgent]:
    """An agent whose user may see everyone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARTROOM_HOME", str(tmp_path_factory.mktemp("knowing-home")))
        patch.setenv("CHARTROOM_PLANNER", "catalogue")
        store = small_hospital(tmp_path_factory.mktemp("knowing") / "small.sqlite")
        with ClinicalAgent.open(store) as opened:
            yield opened
