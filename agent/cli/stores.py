"""Finding the store that a command works on; the demo hospital is made where none is named."""

from pathlib import Path

from agent.cli.terminal import err, staged_progress
from agent.prepare import demo_path, demo_store, is_indexed, prepare_indexes
from knowledge.store import RecordStore


def store_or_demo(path: Path | None) -> RecordStore:
    """The store at ``path``; without one the demo hospital, made and indexed if it is not yet."""
    if path is not None:
        return RecordStore.open(path)
    if demo_path().exists() and is_indexed(store := RecordStore.open(demo_path())):
        return store
    err().print("Making the demo hospital; this happens once.", style="dim")
    with staged_progress() as report:
        store = RecordStore.open(demo_store(report))
        prepare_indexes(store, report)
    return store
