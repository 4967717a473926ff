"""``chartroom search``: notes and general knowledge, by keyword, meaning, the graph, or what fits the question."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TextIO

import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.progress import track
from rich.text import Text

from agent.cli.stores import store_or_demo
from agent.cli.terminal import (
    JsonOption,
    PatientOption,
    StoreOption,
    err,
    out,
    print_json,
    printable,
    staged_progress,
)
from agent.knowledge_base import knowledge_index
from agent.paths import embedding_model, index_folder, reranker
from agent.prepare import knowledge_graph
from indexes.chunk_table import Filter
from indexes.embedding import Embedder
from indexes.graph_search import GraphSearch
from indexes.index import Hit, PassageIndex
from indexes.rerank import Reranker
from indexes.retrieval import MODES, Retrieval, RetrievalMode
from indexes.store_notes import StoreNotes
from indexes.tagging import GraphTagger
from knowledge.errors import ConfigError


class _Query(BaseModel):
    """One line of ``--in``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | int
    query: str


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("search")(search_command)


def search_command(
    query: Annotated[str | None, typer.Argument(help="What to look for, in English or Chinese.")] = None,
    store: StoreOption = None,
    mode: Annotated[str, typer.Option("--mode", "-m", help=f"One of {', '.join(MODES)}.")] = "adaptive",
    within: Annotated[
        str, typer.Option("--within", help="notes, knowledge (documents and facts) or all.")
    ] = "notes",
    k: Annotated[int, typer.Option("--k", "-k", min=1, max=1000, help="How many passages.")] = 10,
    patient: PatientOption = None,
    note_type: Annotated[
        list[str] | None, typer.Option("--type", help="Only notes of this type; may be repeated.")
    ] = None,
    queries: Annotated[
        Path | None, typer.Option("--in", help='Many queries: a JSONL file of {"id", "query"}.')
    ] = None,
    results: Annotated[
        Path | None, typer.Option("--out", help="Where the results of --in go, as JSONL.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Search notes, documents and facts; a passage is shown with its source, offsets and score.

    adaptive takes words and meaning where the query names no clinical concept, and the graph as well where it does;
    graph shows the path that led to a fact.
    """
    if mode not in MODES:
        raise typer.BadParameter(f"{mode!r} is no mode; choose one of {', '.join(MODES)}.")
    if within not in ("notes", "knowledge", "all"):
        raise typer.BadParameter(f"{within!r} cannot be searched; choose notes, knowledge or all.")
    if (query is None) == (queries is None) or (queries is None) != (results is None):
        raise typer.BadParameter("Give either QUERY, or both --in FILE and --out FILE.")
    where = Filter(
        subject_ids=None if patient is None else frozenset({patient}),
        note_types=frozenset(note_type) if note_type else None,
    )
    with _opened(store, within, mode) as retrieval:
        if query is not None:
            hits = retrieval.search(query, mode=mode, k=k, where=where)
            if as_json:
                print_json([asdict(hit) for hit in hits])
            else:
                _show(hits)
        elif queries is not None and results is not None:
            asked = list(_read(queries))
            with _writable(results) as lines:
                for one in track(asked, description="search", console=err()):
                    hits = retrieval.search(one.query, mode=mode, k=k, where=where)
                    line = {"id": one.id, "hits": [asdict(hit) for hit in hits]}
                    lines.write(json.dumps(line, ensure_ascii=False) + "\n")


@contextmanager
def _opened(store: Path | None, within: str, mode: RetrievalMode) -> Iterator[Retrieval]:
    """The indexes that are to be searched, and the graph where the mode walks it."""
    with ExitStack() as stack:
        embedder = None if mode == "keyword" else Embedder(embedding_model())
        walks = mode in ("graph", "adaptive")
        graph = None
        if walks or within != "notes":
            with staged_progress() as report:
                graph = stack.enter_context(closing(knowledge_graph(report)))
        indexes: list[PassageIndex] = []
        if within != "knowledge":
            opened = store_or_demo(store)
            notes = PassageIndex.open(StoreNotes(opened), index_folder(opened.path), embedder)
            indexes.append(stack.enter_context(closing(notes)))
        if within != "notes" and graph is not None:
            with staged_progress() as report:
                indexes.append(stack.enter_context(closing(knowledge_index(graph, embedder, report))))
        search = GraphSearch(graph, GraphTagger(graph)) if walks and graph is not None else None
        folder = reranker()
        yield Retrieval(indexes, search, Reranker(folder) if folder else None)


def _writable(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error


def _read(path: Path) -> Iterator[_Query]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. It must be JSONL in UTF-8.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield _Query.model_validate_json(line)
        except ValidationError as error:
            raise ConfigError(f'{path}, line {number}: expected {{"id": …, "query": "…"}}.') from error


def _show(hits: list[Hit]) -> None:
    console = out()
    if not hits:
        console.print("Nothing found.", style="dim")
    for rank, hit in enumerate(hits, start=1):
        where = [f"{hit.kind} {hit.source_id}", f"{hit.start}-{hit.end}"]
        where += [part for part in (hit.note_type, hit.charttime, hit.section) if part]
        if hit.subject_id is not None:
            where.insert(1, f"patient {hit.subject_id}")
        console.print(Text(f"{rank}. ", style="bold") + Text(printable(" · ".join(where)), style="dim"))
        console.print(Text(printable(hit.text).strip()), soft_wrap=False)
        if hit.why:
            console.print(Text(printable(hit.why), style="italic"))
        console.print(Text(f"{hit.score:.4f}", style="dim"))
