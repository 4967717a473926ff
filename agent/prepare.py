"""Gets a store ready to be asked: the demo hospital on first need, and indexes that match the store."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.paths import embedding_model, home, index_folder, knowledge_graph_folder
from indexes import build, value_build
from indexes.embedding import Embedder
from indexes.index import PassageIndex
from indexes.store_notes import StoreNotes
from indexes.tagging import GraphTagger
from indexes.values import ValueIndex
from knowledge import patients
from knowledge.errors import IndexFault
from knowledge.generations import Generations
from knowledge.graph import KnowledgeGraph, ensure
from knowledge.manifest import is_outdated
from knowledge.mentions import MentionFinder, NameTable
from knowledge.store import RecordStore
from knowledge.terminology import Terminology

Report = Callable[[str, int, int], None]
"""Called with (stage, done, total); stages: 'patients', 'notes', 'embeddings', 'files', 'values',
'knowledge', 'patient rows', 'patient notes'."""
Work = Literal["built", "updated", "current"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was done to the indexes of a store.

    Attributes:
        notes, values, patients: what each of them needed.
        chunks: in the note index.
    """

    notes: Work
    values: Work
    patients: Work
    chunks: int


def demo_path() -> Path:
    """Where the demo hospital lies."""
    return home() / "demo" / "demo.sqlite"


def demo_store(report: Report) -> Path:
    """The demo hospital, made now if it is not there yet."""
    path = demo_path()
    if not path.exists():
        from knowledge import demo  # only here: it reads many data files

        path.parent.mkdir(parents=True, exist_ok=True)
        demo.build(path, progress=lambda done, total: report("patients", done, total))
    return path


def prepare_indexes(
    store: RecordStore, report: Report, *, rebuild: bool = False, embeddings: bool = True
) -> Prepared:
    """Bring the indexes of a store up to date, building what is missing.

    Args:
        store: whose notes and values are indexed.
        report: told how far it is.
        rebuild: builds anew what is there, too.
        embeddings: ``False`` builds the note index for keywords only.

    Raises:
        IndexFault: an index is damaged (``rebuild`` repairs it), or another build is at work.
    """
    folder = index_folder(store.path)
    embedder = Embedder(embedding_model()) if embeddings else None
    with closing(knowledge_graph(report)) as graph:
        notes, chunks = _notes(store, folder, embedder, graph, report, rebuild)
        values = _values(store, folder, report, rebuild)
        return Prepared(notes, values, _patients(store, folder, graph, report, rebuild), chunks)


def is_indexed(store: RecordStore) -> bool:
    """Whether the store has its indexes, be they up to date or not."""
    folder = index_folder(store.path)
    return (
        _is_there(value_build.generations(store, folder))
        and _is_there(patients.generations(store, folder))
        and ("notes" not in store.tables or _is_there(build.generations(StoreNotes(store), folder)))
    )


def knowledge_graph(report: Report) -> KnowledgeGraph:
    """The medical knowledge graph of this installation, built from the core pack where it is missing or older.

    Raises:
        IndexFault: it was altered; the message names the command that repairs it.
    """
    report("knowledge", 0, 1)
    graph = ensure(knowledge_graph_folder())
    report("knowledge", 1, 1)
    return graph


def _is_there(generations: Generations) -> bool:
    """Whether there is an index that this version reads; one of another version is built anew."""
    try:
        return not is_outdated(generations.current())
    except IndexFault:  # never built, or its first build was killed
        return False


def _notes(
    store: RecordStore,
    folder: Path,
    embedder: Embedder | None,
    graph: KnowledgeGraph,
    report: Report,
    rebuild: bool,
) -> tuple[Work, int]:
    if "notes" not in store.tables:
        return "current", 0  # a foreign database with just the 17 tables
    corpus, tagger = StoreNotes(store), GraphTagger(graph)
    if rebuild or not _is_there(build.generations(corpus, folder)):
        with closing(PassageIndex.build(corpus, folder, embedder, report, tagger)) as index:
            return "built", len(index)
    with closing(PassageIndex.open(corpus, folder, embedder)) as index:
        if not index.pending(tagger):
            return "current", len(index)
    return "updated", PassageIndex.update(corpus, folder, embedder, report, tagger).chunks


def _values(store: RecordStore, folder: Path, report: Report, rebuild: bool) -> Work:
    if not rebuild and _is_there(value_build.generations(store, folder)):
        with closing(ValueIndex.open(store, folder)) as index:
            if not index.is_stale(store):
                return "current"
    report("values", 0, 1)
    ValueIndex.build(store, folder, Terminology.load().surface_forms()).close()
    report("values", 1, 1)
    return "built"


def _patients(store: RecordStore, folder: Path, graph: KnowledgeGraph, report: Report, rebuild: bool) -> Work:
    finder = MentionFinder.load(NameTable.of_graph(graph))
    anew = rebuild or not _is_there(patients.generations(store, folder))
    return patients.update(store, folder, graph, finder, report, anew=anew).work
