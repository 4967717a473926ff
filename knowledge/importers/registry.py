"""Which formats can be loaded, and which one a source is of."""

from collections.abc import Callable, Mapping
from pathlib import Path

from knowledge.errors import ImportFailure
from knowledge.importers.fhir import FhirReader
from knowledge.importers.mimic import MimicReader
from knowledge.importers.notes import NotesReader
from knowledge.importers.omop import OmopReader
from knowledge.importers.records import Reader
from knowledge.importers.tabular import TabularReader

READERS: Mapping[str, Callable[[], Reader]] = {
    "mimic": MimicReader,
    "fhir": FhirReader,
    "omop": OmopReader,
    "tabular": TabularReader,
    "notes": NotesReader,
}
"""Format name to its reader; a reader is made for each load, so that it may keep what it has looked up."""

_SIGNS = {
    "mimic": "MIMIC-IV (hosp/patients.csv.gz, icu/, note/)",
    "fhir": "FHIR R4 (Bundle .json, .ndjson)",
    "omop": "OMOP CDM (person.csv, concept.csv)",
    "tabular": "CSV or XLSX with a mapping.yaml",
    "notes": "notes with a manifest",
}


def detect(source: Path, *, kind: str | None = None) -> Reader:
    """The reader for a source.

    Args:
        source: a file or folder.
        kind: a key of ``READERS``; recognised from the source's files by default.

    Raises:
        ImportFailure: nothing is there, no format or more than one fits, or ``kind`` does not.
    """
    if not source.exists():
        raise ImportFailure(f"There is nothing at {source}; check the path.")
    if kind is not None and kind not in READERS:
        raise ImportFailure(f"{kind!r} is no format; choose one of {', '.join(READERS)}.")
    candidates = [READERS[kind]()] if kind else [make() for make in READERS.values()]
    fitting = [reader for reader in candidates if reader.files(source)]
    if len(fitting) == 1:
        return fitting[0]
    looked_for = "; ".join(_SIGNS.get(reader.kind, reader.kind) for reader in candidates)
    if not fitting:
        raise ImportFailure(
            f"No format that can be loaded was recognised in {source}. Looked for: {looked_for}. "
            "If the files lie deeper, name their folder."
        )
    names = ", ".join(reader.kind for reader in fitting)
    raise ImportFailure(
        f"{source} may be any of {names}; name the format, e.g. with --kind {fitting[0].kind}."
    )
