"""The reader of FHIR R4 sources: files in, items for the loader out."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

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
# Of these an NDJSON export is read twice: encounters repeat their patient, orders name their Medication.
LOOKED_UP_FILES = ("Patient", "Medication", "Practitioner")


class FhirReader:
    """FHIR R4 Bundles (JSON) and bulk exports (NDJSON), plain or gzipped."""

    kind = "fhir"

    def files(self, source: Path) -> list[SourceFile]:
        """The FHIR files of a folder, or the one file; a bulk export in the order of its types."""
        candidates = sorted(source.iterdir()) if source.is_dir() else [source]
        found = [path for path in candidates if path.is_file() and looks_like_fhir(path)]
        folder = source if source.is_dir() else source.parent
        types = {path: first_type(path) for path in found if is_ndjson(path)}
        lookup = self._lookup(folder) if types else ""
        files = [
            SourceFile(path, 1 + ORDER.get(types[path], len(ORDER)), {"lookup": lookup})
            if path in types
            else SourceFile(path)
            for path in found
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

    def _lookup(self, folder: Path) -> str:
        paths = [path for path in sorted(folder.iterdir()) if is_ndjson(path) and looks_like_fhir(path)]
        return "\n".join(str(path) for path in paths if first_type(path) in LOOKED_UP_FILES)

    def _bundle(self, path: Path) -> Iterator[Item]:
        located: list[Located] = []
        for entry in bundle(path):
            result = _located(entry) if isinstance(entry, Entry) else entry
            if isinstance(result, Located):
                located.append(result)
            else:
                yield result
        context = Context(located)
        for resource in sorted(located, key=lambda each: ORDER.get(_kind(each), len(ORDER))):
            yield _mapped(resource, context)

    def _ndjson(self, file: SourceFile) -> Iterator[Item]:
        context = Context(
            resource
            for path in file.options.get("lookup", "").split("\n")
            if path
            for entry in lines(Path(path))
            if isinstance(entry, Entry) and isinstance(resource := _located(entry), Located)
        )
        for entry in lines(file.path):
            result = _located(entry) if isinstance(entry, Entry) else entry
            yield _mapped(result, context) if isinstance(result, Located) else result


@cache
def _reasons() -> dict[str, str]:
    return {line["type"]: line["reason"] for line in table("skipped_types.tsv")}


def _kind(located: Located) -> str:
    return located.resource.get_resource_type()


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
    kind = _kind(located)
    if kind in LOOKED_UP:
        return Skipped(kind, _reasons()[kind])
    try:
        rows = MAPPERS[kind](located.resource, located.key, context)
        return Accepted(located.line, rows, kind, located.body)
    except NotStored as reason:
        return Skipped(kind, str(reason))
    except RuleBroken as error:
        return Entry(located.line, located.url, dict(located.body)).rejected(str(error))
