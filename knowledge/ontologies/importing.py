"""Imports a release into the graph and removes one again: one change each, which happens whole or not at all."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

from knowledge.errors import ImportFailure
from knowledge.graph.build import CORE, ensure
from knowledge.graph.write import GraphWriter, writing
from knowledge.ontologies.checks import disagreements, hierarchy_cycles
from knowledge.ontologies.entries import Entry, Release
from knowledge.ontologies.lines import sha256_of
from knowledge.ontologies.merging import Merging
from knowledge.ontologies.registry import FORMATS, PACKAGES, detect
from knowledge.ontologies.report import SHOWN, ImportReport, RemovalReport
from knowledge.ontologies.settling import Settling
from knowledge.ontologies.staging import Staging

Progress = Callable[[int], None]
_STEP = 1000


def import_source(
    folder: Path,
    path: Path,
    *,
    format: str | None = None,
    name: str | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import one file.

    Args:
        folder: of the graph; it is built first if it is not there.
        path: the file, plain or gzip.
        format: one of ``FORMATS``; recognised where not given.
        name: id of the source, in place of the one that the release has; an older source of that id is replaced.
        progress: called now and then with the number of entries read.

    Raises:
        ImportFailure: the file cannot be read or is of no known format.
        IndexFault: the graph was altered, or another change of it is at work.
    """
    found = detect(path, format)
    if found is None:
        raise ImportFailure(
            f"The format of {path} is not recognised. Name it with --as: {', '.join(FORMATS)}."
        )
    release = found.describe(path)
    if name:
        release = Release(name, release.title, release.version, release.year)
    return _import(folder, release, found.name, sha256_of(path), found.read(path), progress)


def import_package(folder: Path, name: str, *, progress: Progress | None = None) -> ImportReport:
    """Import the release that an installed Python package carries.

    Args:
        folder: of the graph; it is built first if it is not there.
        name: one of ``PACKAGES``.
        progress: called now and then with the number of entries read.

    Raises:
        ImportFailure: there is no such package, or it is not installed.
        IndexFault: the graph was altered, or another change of it is at work.
    """
    if name not in PACKAGES:
        raise ImportFailure(f"There is no package {name!r}; use one of {', '.join(PACKAGES)}.")
    release = PACKAGES[name].describe()
    digest = hashlib.sha256(f"{release.title} {release.version}".encode()).hexdigest()
    return _import(folder, release, f"package {name}", digest, PACKAGES[name].read(), progress)


def remove_source(folder: Path, source_id: str) -> RemovalReport:
    """Take a source out of the graph again, and with it the concepts that no other source knows.

    Raises:
        ImportFailure: there is no such source, or it is the core pack.
        IndexFault: the graph was altered, or another change of it is at work.
    """
    ensure(folder).close()
    if source_id == CORE:
        raise ImportFailure("The core pack cannot be removed; it comes with Chartroom.")
    with writing(folder) as writer:
        before, concepts = _statements(writer), _concepts(writer)
        if source_id not in before:
            known = ", ".join(one for one in before if one != CORE) or "none"
            raise ImportFailure(f"There is no source {source_id!r} in the graph. Imported: {known}.")
        writer.remove(source_id)
        writer.finish()
        after = _statements(writer)
        lost = {one: sum(before[one]) - sum(after[one]) for one in after if before[one] != after[one]}
        names, codes, edges = before[source_id]
        return RemovalReport(source_id, concepts - _concepts(writer), names, codes, edges, lost)


def _import(
    folder: Path,
    release: Release,
    format: str,
    sha256: str,
    entries: Iterator[Entry],
    progress: Progress | None,
) -> ImportReport:
    began = perf_counter()
    if release.id == CORE:
        raise ImportFailure("A source cannot be called 'core'; name it otherwise with --id.")
    ensure(folder).close()
    with writing(folder) as writer:
        source = writer.source(
            release.id, title=release.title, format=format, version=release.version, sha256=sha256
        )
        staging = Staging(writer.connection)
        for entry in entries:
            staging.add(entry)
            if progress is not None and staging.entries % _STEP == 0:
                progress(staging.entries)
        staging.index()
        merging = Merging(writer.connection)
        merging.decide()
        Settling(writer, source, release, staging, merging).settle()
        for reason, found in staging.left.items():
            writer.left(source, reason, found.entries, "; ".join(found.examples))
        fates = dict(writer.connection.execute("SELECT fate, count(*) FROM term GROUP BY fate"))
        writer.finish()
        differing = disagreements(writer.connection, source)
        names, codes, edges = _statements(writer)[release.id]
        return ImportReport(
            source_id=release.id,
            title=release.title,
            format=format,
            version=release.version,
            entries=staging.entries,
            merged=fates.get("merged", 0),
            added=fates.get("added", 0),
            names=names,
            codes=codes,
            edges=edges,
            left=staging.left,
            apart=merging.apart,
            cycles=hierarchy_cycles(writer.connection),
            disagreements=tuple(differing[:SHOWN]),
            disagreeing=len(differing),
            seconds=perf_counter() - began,
        )


def _statements(writer: GraphWriter) -> dict[str, tuple[int, int, int]]:
    return {
        row[0]: row[1:] for row in writer.connection.execute("SELECT id, names, codes, edges FROM source")
    }


def _concepts(writer: GraphWriter) -> int:
    return writer.connection.execute("SELECT count(*) FROM concept").fetchone()[0]
