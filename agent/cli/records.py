"""``chartroom load``, ``index`` and ``demo``: getting records in and making them findable."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from agent.cli.stores import store_or_demo
from agent.cli.terminal import JsonOption, NowOption, StoreOption, err, out, print_json, staged_progress
from agent.prepare import demo_path, demo_store, prepare_indexes
from knowledge.errors import ConfigError
from knowledge.importers import READERS, Counts, LoadReport, detect, load
from knowledge.importers import Progress as LoadProgress
from knowledge.store import RecordStore

_SHOWN_REASONS = 20


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("load")(load_command)
    app.command("index")(index_command)
    app.command("demo")(demo_command)


def load_command(
    source: Annotated[Path, typer.Argument(help="A file or folder of records.")],
    store: Annotated[
        Path, typer.Option("--store", "-s", help="The record store; made if it does not exist.")
    ],
    kind: Annotated[
        str | None,
        typer.Option("--kind", "--format", "-k", help=f"One of {', '.join(READERS)} (default: recognised)."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Name of a new store, shown in the app.")] = "",
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load records into a store. It can be stopped and run again; nothing is loaded twice.

    Every input row is accepted, rejected (kept in the table quarantine with file, line and reason), skipped
    (of a type that the store has no place for) or a duplicate. --now fixes "now" for a new store of
    de-identified or synthetic records.
    """
    detect(source, kind=kind)  # before a store is made for it
    if store.exists():
        if now is not None:
            raise ConfigError(f"The store {store} exists already; --now and --name belong to a new one.")
        opened = RecordStore.open(store, read_only=False)
    else:
        opened = RecordStore.create(store, name=name, now=now)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err()) as bars:
        task = bars.add_task(source.name, total=None, rows=0)

        def report(at: LoadProgress) -> None:
            bars.update(
                task,
                description=f"{at.file.name} ({at.files_done + 1}/{at.files_total})"
                if at.files_done < at.files_total
                else f"{at.files_total} files",
                completed=at.bytes_done,
                total=at.bytes_total,
                rows=at.rows,
            )

        loaded = load(source, opened, progress=report, kind=kind)
    if as_json:
        print_json(_as_dict(loaded))
    else:
        _show(loaded)
        err().print(f"Next: chartroom index --store {store}", style="dim", markup=False)
    if loaded.failed:
        raise typer.Exit(1)


def index_command(
    store: StoreOption = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build anew what is there, too.")] = False,
    keywords_only: Annotated[
        bool, typer.Option("--keywords-only", help="No embeddings: quicker, but no search by meaning.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Index a store's notes and values, or bring its indexes up to date."""
    opened = RecordStore.open(demo_path() if store is None else store)
    with staged_progress() as report:
        done = prepare_indexes(opened, report, rebuild=rebuild, embeddings=not keywords_only)
    if as_json:
        print_json(asdict(done))
    else:
        out().print(
            f"Notes: {done.notes}, {done.chunks:,} passages. Values: {done.values}. Patient graph: {done.patients}."
        )


def demo_command(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make it anew.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the demo hospital, synthetic patients only, and its indexes."""
    path = demo_path()
    if rebuild:
        for name in (path, *(path.with_name(path.name + tail) for tail in ("-wal", "-shm"))):
            name.unlink(missing_ok=True)
        with staged_progress() as report:
            prepare_indexes(RecordStore.open(demo_store(report)), report, rebuild=True)
    store = store_or_demo(None)
    if as_json:
        print_json({"store": str(store.path), "patients": len(store.patients()), "now": store.meta("now")})
    else:
        out().print(f"{store.path}: {len(store.patients())} patients.", markup=False, soft_wrap=True)


def _as_dict(loaded: LoadReport) -> dict[str, object]:
    return {
        "kind": loaded.kind,
        "source": str(loaded.source),
        "seconds": round(loaded.seconds, 2),
        "counts": {**asdict(loaded.counts), "input": loaded.counts.input},
        "items": {item: asdict(counts) for item, counts in loaded.items.items()},
        "files": [
            {
                "path": str(file.path),
                "state": file.state.value,
                "error": file.error,
                "counts": asdict(file.counts),
                "reasons": [
                    {"item": item, "reason": reason, "rows": rows}
                    for (item, reason), rows in file.reasons.items()
                ],
            }
            for file in loaded.files
        ],
    }


def _show(loaded: LoadReport) -> None:
    console = out()
    files = _table("File", "State", "Accepted", "Rejected", "Skipped", "Duplicates")
    for file in loaded.files:
        files.add_row(file.path.name, file.error or file.state.value, *_numbers(file.counts))
    files.add_section()
    files.add_row("all", f"{loaded.seconds:.1f} s", *_numbers(loaded.counts), style="bold")
    console.print(files)
    if loaded.items:
        items = _table("Item", "", "Accepted", "Rejected", "Skipped", "Duplicates")
        for item, counts in sorted(loaded.items.items()):
            items.add_row(item, "", *_numbers(counts))
        console.print(items)
    reasons: dict[tuple[str, str], int] = {}
    for file in loaded.files:
        for key, rows in file.reasons.items():
            reasons[key] = reasons.get(key, 0) + rows
    if reasons:
        table = _table("Item", "Why rejected or skipped", "Rows")
        ordered = sorted(reasons.items(), key=lambda pair: -pair[1])
        for (item, reason), rows in ordered[:_SHOWN_REASONS]:
            table.add_row(item, reason, f"{rows:,}")
        if len(ordered) > _SHOWN_REASONS:
            table.add_row("…", f"{len(ordered) - _SHOWN_REASONS} more; see --json", "")
        console.print(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        number = name in {"Accepted", "Rejected", "Skipped", "Duplicates", "Rows"}
        table.add_column(name, justify="right" if number else "left")
    return table


def _numbers(counts: Counts) -> tuple[str, ...]:
    return tuple(f"{n:,}" for n in (counts.accepted, counts.rejected, counts.skipped, counts.duplicates))
