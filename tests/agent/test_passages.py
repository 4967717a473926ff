"""Questions of medicine in general are answered from imported documents, to the letter, with their edition."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from agent.compose import compose
from agent.passages import PassageReader
from agent.planning.plan import Plan, SearchKnowledge
from agent.scope import Scope
from agent.state import PassagesFinding, State
from agent.verify import verify
from indexes.index import PassageIndex
from indexes.knowledge_corpus import KnowledgeCorpus
from indexes.retrieval import Retrieval
from knowledge.documents import Document, Library
from knowledge.graph import KnowledgeGraph, build_core
from knowledge.graph.build import Tables
from knowledge.store import RecordStore

TEXT = "# Fluids\nGive 30 mL/kg of balanced crystalloid in the first 3 hours.\n# Ward\nVisiting ends at 8.\n"


def nothing(text: str) -> Sequence[tuple[int, int, Sequence[str]]]:
    return ()


@pytest.fixture
def library(tmp_path: Path) -> Library:
    made = Library(tmp_path / "library.sqlite")
    list(made.put([Document("ssc", "Sepsis bundle", TEXT, edition="2021")]))
    return made


@pytest.fixture
def reader(library: Library, tmp_path: Path) -> Iterator[PassageReader]:
    tables = Tables(concepts=tmp_path / "concepts", facts=tmp_path / "facts")
    tables.concepts.mkdir()
    tables.facts.mkdir()
    build_core(tmp_path / "graph", tables=tables)
    with closing(KnowledgeGraph.open(tmp_path / "graph")) as graph:
        index = PassageIndex.build(KnowledgeCorpus(library, graph), tmp_path / "index", None)
        made = PassageReader(library, Retrieval((index,)), None, nothing)
        yield made
        made.close()


def state_of(finding: PassagesFinding) -> State:
    return State(
        question=finding.action.text,
        scope=Scope(now="2100-01-01 00:00:00"),
        language="en",
        plan=Plan((finding.action,), 0.7),
        findings=[finding],
    )  # type: ignore[typeddict-item]  # what compose reads


def test_the_sentence_is_quoted_with_title_and_edition_and_verified(
    reader: PassageReader, library: Library, tmp_path: Path
) -> None:
    finding = reader.read(SearchKnowledge("how much balanced crystalloid in the first hours"))
    draft = compose(state_of(finding))
    (sentence, *_) = draft.sentences
    assert sentence.text == (
        "Sepsis bundle (2021): “Give 30 mL/kg of balanced crystalloid in the first 3 hours.”"
    )
    store = RecordStore.create(tmp_path / "empty.sqlite")
    scope = Scope(now="2100-01-01 00:00:00")
    assert verify(draft, scope, store, None, library).status == "answered"
    list(library.put([Document("ssc", "Sepsis bundle", TEXT.replace("30", "20"), edition="2021")]))
    assert verify(draft, scope, store, None, library).status == "refused"


def test_what_no_document_says_is_refused_with_how_many_were_searched(reader: PassageReader) -> None:
    finding = reader.read(SearchKnowledge("dose of zebra tablets"))
    draft = compose(state_of(finding))
    assert (draft.status, draft.reason) == ("refused", "out_of_scope")
    assert "1 imported documents" in draft.text
