"""Documents of ``chartroom knowledge``: import guidelines, leaflets and literature, list, remove and index them."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from agent.cli.terminal import JsonOption, err, out, print_json, printable, staged_progress
from agent.knowledge_base import knowledge_index, library
from agent.paths import embedding_model
from agent.prepare import knowledge_graph
from indexes.embedding import Embedder
from knowledge.documents import Document
from knowledge.documents.files import Rejected, documents
from knowledge.errors import ImportFailure, IndexFault

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Named:
    """What the command line says of a document, in place of what its file says."""

    doc_id: str | None = None
    title: str | None = None
    edition: str | None = None
    supersedes: str | None = None


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``knowledge``."""
    group.command("documents")(documents_command)
    group.command("index")(index_command)


def documents_command(as_json: JsonOption = False) -> None:
    """List the imported documents with their editions, and which of them another one replaces."""
    entries = library().entries()
    if as_json:
        print_json([asdict(entry) for entry in entries])
        return
    if not entries:
        out().print("No documents yet; import some with: chartroom knowledge import PATH", style="dim")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("Document", "Title", "Edition", "Version", "From", "State"):
        table.add_column(column)
    for one in entries:
        state = f"superseded by {one.superseded_by}" if one.superseded_by else "in use"
        table.add_row(one.doc_id, one.title, one.edition or "–", str(one.version), one.origin, state)
    out().print(table)


def index_command(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="From nothing, also where it is damaged.")
    ] = False,
    keywords_only: Annotated[
        bool, typer.Option("--keywords-only", help="Without embeddings, which take a minute.")
    ] = False,
) -> None:
    """Bring the index over documents and facts up to date; imports do so themselves."""
    index_passages(rebuild=rebuild, embeddings=not keywords_only)


def import_documents(path: Path, named: Named, *, as_json: bool) -> None:
    """Import the documents of a file or folder, then index them.

    Raises:
        ImportFailure: there is none.
    """
    rejected: list[Rejected] = []
    with _counting(path.name) as advance:

        def good() -> Iterator[Document]:
            for found in documents(path):
                advance()
                if isinstance(found, Rejected):
                    rejected.append(found)
                else:
                    yield _renamed(found, named)

        done = Counter(library().put(good()))
    if not done and rejected:
        raise ImportFailure(
            f"No document of {path} could be taken. {rejected[0].origin}: {rejected[0].reason}."
        )
    try:
        index_passages()
    except IndexFault as error:
        raise IndexFault(
            f"{done.total():,} documents of {path.name} are in the library, but not yet in the index. {error} "
            "They are indexed at the next search, or with: chartroom knowledge index"
        ) from error
    if as_json:
        print_json({**done, "rejected": [asdict(one) for one in rejected]})
        return
    out().print(
        f"{done['added']:,} documents added, {done['changed']:,} changed, {done['same']:,} as they were; "
        f"{len(rejected):,} rejected.",
        markup=False,
    )
    for one in rejected[:_SHOWN]:
        line = "" if one.line is None else f", line {one.line}"
        err().print(f"  {one.origin}{line}: {one.reason}", markup=False, soft_wrap=True)
    if len(rejected) > _SHOWN:
        err().print(f"  … and {len(rejected) - _SHOWN:,} more; see --json", style="dim")


def remove_document(doc_id: str) -> bool:
    """Remove a document with all its versions, and its passages; whether there was one."""
    if not library().remove([doc_id]):
        return False
    index_passages()
    return True


def index_passages(*, rebuild: bool = False, embeddings: bool = True) -> None:
    """Bring the index over documents and facts up to date, with progress on the screen."""
    embedder = Embedder(embedding_model()) if embeddings else None
    with staged_progress() as report, closing(knowledge_graph(report)) as graph:
        knowledge_index(graph, embedder, report, rebuild=rebuild).close()


def _renamed(document: Document, named: Named) -> Document:
    given = {name: value for name, value in asdict(named).items() if value is not None}
    return replace(document, **given)


@contextmanager
def _counting(title: str) -> Iterator[Callable[[], None]]:
    """Counts documents on standard error while they are read."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}: {task.completed:,.0f} read", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err(), transient=True) as bars:
        task = bars.add_task(printable(title), total=None)
        yield lambda: bars.advance(task)
