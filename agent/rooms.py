"""What the graph works with beside a question's state: the opened store, indexes, linker, planner and reader."""

import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Self

from agent.answer import Model
from agent.bundled.planner import BundledPlanner, identity
from agent.knowing.explorer import Explorer
from agent.knowing.planner import KnowledgePlanner
from agent.knowing.reading import QuestionReader
from agent.knowing.spelt import Spelt
from agent.knowledge_base import knowledge_index, library
from agent.notes import NoteReader
from agent.passages import PassageReader
from agent.paths import embedding_model, index_folder, planner_choice
from agent.planning.catalogue import CataloguePlanner
from agent.planning.charting import ChartPlanner
from agent.planning.linker import Linker
from agent.planning.model_planner import ModelPlanner
from agent.planning.own_examples import OwnExamples
from agent.planning.plan import Planner
from agent.planning.writer import PlanWriter, active_writer
from agent.prepare import Report, knowledge_graph, prepare_indexes
from agent.relevance import Synonyms
from indexes.embedding import Embedder
from indexes.graph_search import GraphSearch
from indexes.index import PassageIndex
from indexes.retrieval import Retrieval
from indexes.store_notes import StoreNotes
from indexes.tagging import GraphTagger
from indexes.values import ValueIndex
from knowledge.errors import Stopped
from knowledge.graph import KnowledgeGraph
from knowledge.mentions import MentionFinder, NameTable
from knowledge.patients import PatientGraph
from knowledge.store import RecordStore
from knowledge.terminology import Terminology


@dataclass(frozen=True, slots=True)
class Rooms:
    """One opened store with everything that answers over it.

    Attributes:
        reader, notes: ``None`` for a store that has no notes.
        passages: ``None`` where no document was imported.
        writer, model: the language model that plans, and how answers name it; ``None`` where the catalogue does.
    """

    store: RecordStore
    values: ValueIndex
    notes: PassageIndex | None
    linker: Linker
    planner: Planner
    explorer: Explorer
    reader: NoteReader | None
    passages: PassageReader | None = None
    writer: PlanWriter | None = None
    model: Model | None = None

    @classmethod
    def open(cls, store: RecordStore, report: Report | None = None) -> Self:
        """Open the indexes of a store, bringing them up to date with it, and the planner.

        Args:
            store: opened.
            report: told about the building of indexes, which takes minutes for many notes.

        Raises:
            ModelError: the model in use cannot be loaded.
            IndexFault: an index is damaged, or of another model; the message names the command that repairs it.
        """
        report = report or (lambda stage, done, total: None)
        prepare_indexes(store, report)
        folder = index_folder(store.path)
        terminology = Terminology.load()
        graph = knowledge_graph(report)
        finder = MentionFinder.load(NameTable.of_graph(graph))
        reading, spelt = QuestionReader(graph, finder, terminology), Spelt(terminology)
        values = ValueIndex.open(store, folder)
        embedder = Embedder(embedding_model())
        passages = _passages(graph, finder, embedder, _synonyms(terminology), report)
        mentioning = passages.mentioning if passages is not None else None
        explorer = Explorer(store, graph, PatientGraph.open(store, folder), library(), finder, mentioning)
        notes = reader = None
        if "notes" in store.tables:
            notes = PassageIndex.open(StoreNotes(store), folder, embedder)
            reader = NoteReader(
                store, notes, embedder if "dense" in notes.modes else None, _synonyms(terminology)
            )
        linker = Linker(store, values, terminology)
        writer = active_writer()
        if writer is None:
            planner, model = default_planner(store)
            planner = KnowledgePlanner(planner, reading, spelt, graph, has_documents=passages is not None)
            return cls(store, values, notes, linker, planner, explorer, reader, passages, model=model)
        planner = ModelPlanner(writer, store, OwnExamples.open())
        planner = ChartPlanner(planner)
        planner = KnowledgePlanner(planner, reading, spelt, graph, has_documents=passages is not None)
        model = writer.identity
        return cls(store, values, notes, linker, planner, explorer, reader, passages, writer, model)

    def warm_up(self) -> None:
        """Load what is otherwise loaded at the first question, which would wait seconds for it."""
        if self.notes is not None and "dense" in self.notes.modes:
            self.notes.search("pain", mode="dense", k=1)

    def has_patient(self, subject_id: int) -> bool:
        """Whether the store has this patient."""
        with closing(self.store.connect()) as connection:
            found = connection.execute(
                "SELECT 1 FROM patients WHERE subject_id = ?", (subject_id,)
            ).fetchone()
        return found is not None

    def close(self) -> None:
        """Release the indexes and the model."""
        if self.writer is not None:
            self.writer.close()
        self.values.close()
        self.explorer.close()
        if self.notes is not None:
            self.notes.close()
        if self.passages is not None:
            self.passages.close()


def default_planner(store: RecordStore) -> tuple[Planner, Model | None]:
    """The planner where no other model was chosen: the bundled one, or the catalogue where that is asked for.

    Raises:
        ModelError: the bundled planner's file is damaged.
    """
    if planner_choice() == "catalogue":
        return ChartPlanner(CataloguePlanner()), None
    return ChartPlanner(BundledPlanner(store.tables), reads_words=True), identity()


@dataclass(frozen=True, slots=True)
class Run:
    """The rooms and the stop switch of one question."""

    rooms: Rooms
    stopped: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raise ``Stopped`` once the user has stopped the question."""
        if self.stopped.is_set():
            raise Stopped("The question was stopped; nothing was answered.")


def _passages(
    graph: KnowledgeGraph, finder: MentionFinder, embedder: Embedder, synonyms: Synonyms, report: Report
) -> PassageReader | None:
    """What reads the imported documents; their index is brought up to date first."""
    documents = library()
    if not documents.count():
        return None
    index = knowledge_index(graph, embedder, report)
    search = GraphSearch(graph, GraphTagger(graph, finder))
    compares = embedder if "dense" in index.modes else None
    return PassageReader(documents, Retrieval((index,), search), compares, synonyms)


def _synonyms(terminology: Terminology) -> Synonyms:
    def spans(text: str) -> Iterable[tuple[int, int, Sequence[str]]]:
        for match in terminology.find(text):
            names = dict.fromkeys(
                form for concept in match.concepts for form in terminology.expand(concept.en)
            )
            yield match.start, match.end, tuple(names)

    return spans
