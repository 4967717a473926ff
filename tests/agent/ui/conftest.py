"""A launched page over the small hospital, and what a browser is to a test."""

import gc
import shutil
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hospital import small_hospital
from served import HOSTILE, HOSTILE_NOTE, HOSTILE_NOTE_ID, HeldPlanner, Served

from agent.agent import ClinicalAgent
from agent.cli import main
from agent.ui.launch import launch
from agent.ui.page import build_page


def _store(folder: Path) -> Path:
    path = folder / "small.sqlite"
    small_hospital(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO notes (note_id, subject_id, hadm_id, charttime, note_type, title, author, language, text, "
            "sha256) VALUES (?, 2, 201, '2025-01-12 08:00:00', 'nursing', ?, ?, 'en', ?, 'x')",
            (HOSTILE_NOTE_ID, f"Nursing {HOSTILE}", HOSTILE, HOSTILE_NOTE),
        )
    return path


@contextmanager
def _loops_left_behind() -> Iterator[None]:
    """The framework leaves event loops to the garbage collector, which would warn in the middle of some test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page for a user who may see patients 1 and 2, not 3 and 4."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARTROOM_HOME", str(home))
        patch.setenv("GRADIO_TEMP_DIR", "")  # so that what launch sets is undone
        store = _store(tmp_path_factory.mktemp("store"))
        assert main(["index", "--store", str(store), "--keywords-only"]) == 0
        with ClinicalAgent.open(store, permitted=frozenset({1, 2})) as agent:
            agent.ask("What was the latest creatinine?", patient=1)  # the first question loads the planner
            planner = HeldPlanner(agent.rooms.planner)
            agent.rooms = replace(agent.rooms, planner=planner)
            with _loops_left_behind():
                page = build_page(agent)
                address = launch(page, host="127.0.0.1", port=None)
            yield Served(address, home, agent, planner)
            with _loops_left_behind():
                page.close(verbose=False)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser of this machine."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine: the page is tested through HTTP only")
    return found
