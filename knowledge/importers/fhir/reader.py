"""The reader of FHIR R4 sources: files in, items for the loader out."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from knowledge.errors import ImportFailure
from knowledge.importers.columns import RuleBroken
from knowledge.importers.fhir.claims import claim_rows
from knowledge.importers.fhir.concepts import table
from knowledge.importers.fhir.input import Entry, bundle, first_type, is_ndjson, lines, looks_like_fhir
from knowledge.importers.fhir.medications import administration_rows, request_rows, statement_rows
from knowledge.importers.fhir.observations import observation_rows
from knowledge.importers.fhir.outcome import NotStored
from knowledge.importers.fhir.patients import encounter_rows, patient_rows
from knowledge.importers.fhir.problems import allergy_rows, condition_rows, immunization_rows, procedure_rows
from knowledge.importers.fhir.references import Context, Located
from knowledge.importers.fhir.reports import document_rows, report_rows
from knowledge.importers.fhir.validation import known_type, validated
from knowledge.importers.records import Accepted, Item, Rejected, Row, Skipped, SourceFile

# In load order: what is referred to comes first. Each function takes a valid model of its own type.
MAPPERS: dict[str, Callable[[Any, str, Context], tuple[Row, ...]]] = {
    "Patient": patient_rows,
    "Encounter": encounter_rows,
    "Condition": condition_rows,
    "Procedure": procedure_rows,
    "AllergyIntolerance": allergy_rows,
    "Immunization": immunization_rows,
    "MedicationRequest": request_rows,
    "MedicationStatement": statement_rows,
    "MedicationAdministration": administration_rows,
    "Observation": observation_rows,
    "DiagnosticReport": report_rows,
    "DocumentReference": document_rows,
    "Claim": claim_rows,
}
ORDER = {kind: place for place, kind in enumerate(MAPPERS)}
# What other resources look into and what has no rows of its own.
LOOKED_UP = ("Medication", "Binary", "Practitioner")
# What the resources of one file of an NDJSON export need from its other files: encounters repeat facts of
# their patient, orders may name a Medication, reports and documents an author.
LOOKUPS = {
    "Encounter": ("Patient",),
    "MedicationRequest": ("Medication",),
    "MedicationStatement": ("Medication",),
    "MedicationAdministration": ("Medication",),
    "DiagnosticReport": ("Practitioner",),
    "DocumentReference": ("Practitioner",),
}


class FhirReader:
    """FHIR R4 Bundles (JSON) and bulk exports (NDJSON), plain or gzipped."""

    kind = "fhir"

    def files(self, source: Path) -> list[SourceFile]:
        """The FHIR files of a folder, or the one file; a bulk export in the order of its types."""
        if source.is_file() and not is_ndjson(source):
            return [SourceFile(source)] if looks_like_fhir(source) else []
        folder = source if source.is_dir() else source.parent
        found = {path: _type(path) for path in sorted(folder.iterdir()) if looks_like_fhir(path)}
        files = [
            SourceFile(path, 1 + ORDER.get(kind, len(ORDER)), {"lookup": _lookup(kind, found)})
            if kind
            else SourceFile(path)
            for path, kind in found.items()
            if source in (folder, path)
        ]
        return sorted(files, key=lambda file: (file.order, file.path))

    def read(self, file: SourceFile) -> Iterator[Item]:
        """One item for each resource; skipped ones are counted by type and reason at the end.

        Raises:
            ImportFailure: the file is not JSON, or damaged.
        """
        skipped: Counter[tuple[str, str]] = Counter()
        items = self._ndjson(file) if is_ndjson(file.path) else self._bundle(file.path)
        for item in items:
            if isinstance(item, Skipped):
                skipped[item.item, item.reason] += item.n
            else:
                yield item
        for (kind, reason), n in sorted(skipped.items()):
            yield Skipped(kind, reason, n)

    def _bundle(self, path: Path) -> Iterator[Item]:
        located: list[Located] = []
        for entry in bundle(path):
            result = _located(entry) if isinstance(entry, Entry) else entry
            if isinstance(result, Located):
                located.append(result)
            else:
                yield result
        context = Context(located)
        told: set[tuple[object, ...]] = set()
        for resource in sorted(located, key=lambda each: ORDER.get(each.kind, len(ORDER))):
            yield _told_once(_mapped(resource, context), told)

    def _ndjson(self, file: SourceFile) -> Iterator[Item]:
        context = Context(
            resource
            for name in file.options.get("lookup", "").splitlines()
            for entry in lines(file.path.with_name(name))
            if isinstance(entry, Entry) and isinstance(resource := _located(entry), Located)
        )
        for entry in lines(file.path):
            result = _located(entry) if isinstance(entry, Entry) else entry
            yield _mapped(result, context) if isinstance(result, Located) else result


def _type(path: Path) -> str:
    """The resource type of an NDJSON file; empty for a Bundle, which brings its own context."""
    try:
        return first_type(path) if is_ndjson(path) else ""
    except ImportFailure:
        return ""  # the damage is told, of this file alone, when it is read


def _lookup(kind: str, types: Mapping[Path, str]) -> str:
    """The names of the files beside it that a file of this type looks into, one a line."""
    return "\n".join(path.name for path, other in types.items() if other in LOOKUPS.get(kind, ()))


@cache
def _reasons() -> dict[str, str]:
    return {line["type"]: line["reason"] for line in table("skipped_types.tsv")}


def _located(entry: Entry) -> Located | Rejected | Skipped:
    """The entry as a valid resource, if it is of a type that matters here."""
    kind = entry.kind
    if not kind:
        return entry.rejected("resourceType: is missing")
    if kind not in MAPPERS and kind not in LOOKED_UP:
        if not known_type(kind):
            return entry.rejected("resourceType: is no type of FHIR R4")
        return Skipped(kind, _reasons().get(kind, "the store has no place for this type"))
    if entry.key is None:
        return entry.rejected("id: is missing, so that nothing could refer to it or load it only once")
    try:
        return Located(entry.line, entry.key, entry.url, validated(kind, entry.body), entry.body)
    except RuleBroken as error:
        return entry.rejected(str(error))


def _mapped(located: Located, context: Context) -> Item:
    kind = located.kind
    if kind in LOOKED_UP:
        return Skipped(kind, _reasons()[kind])
    try:
        rows = MAPPERS[kind](located.resource, located.key, context)
        return Accepted(located.line, rows, kind, located.body)
    except NotStored as reason:
        return Skipped(kind, str(reason))
    except RuleBroken as error:
        return Entry(located.line, located.url, dict(located.body)).rejected(str(error))


def _told_once(item: Item, told: set[tuple[object, ...]]) -> Item:
    """Leave out a note that repeats another of the Bundle: same patient, time and text.

    Servers often give a report's text a second time as a document, which would be found and cited twice.
    """
    if not isinstance(item, Accepted):
        return item
    rows = []
    for row in item.rows:
        note = tuple(row.values.get(name) for name in ("subject_id", "charttime", "sha256"))
        if row.table != "notes" or note not in told:
            rows.append(row)
        if row.table == "notes":
            told.add(note)
    if not rows:
        return Skipped(item.item or "note", "repeats the text of a report of this Bundle")
    return replace(item, rows=tuple(rows))
