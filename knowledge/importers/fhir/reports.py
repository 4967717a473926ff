"""DiagnosticReport becomes ``diagnostic_reports``; its text, and DocumentReference, become ``notes``."""

import hashlib

from fhir.resources.R4B.attachment import Attachment
from fhir.resources.R4B.diagnosticreport import DiagnosticReport
from fhir.resources.R4B.documentreference import DocumentReference

from knowledge.documents.text import MEDIA_TYPES, extract
from knowledge.errors import ImportFailure
from knowledge.importers.columns import RuleBroken
from knowledge.importers.fhir.concepts import MEASURE_SYSTEMS, label, listed, required
from knowledge.importers.fhir.outcome import NotStored
from knowledge.importers.fhir.references import Context
from knowledge.importers.fhir.times import store_time
from knowledge.importers.language import language_of
from knowledge.importers.records import Ref, Row, Value


def report_rows(report: DiagnosticReport, key: str, context: Context) -> tuple[Row, ...]:
    """The report and, for each embedded document, a note."""
    if report.status in ("entered-in-error", "cancelled"):
        raise NotStored(f"status is {report.status}")
    period = report.effectivePeriod
    item = required(report.code, "code", MEASURE_SYSTEMS)
    category = next((words for each in report.category or () if (words := label(each))), None)
    common: dict[str, Value | Ref] = {
        "subject_id": context.patient(report.subject, "subject"),
        "hadm_id": context.encounter(report.encounter),
        "charttime": store_time(
            report.effectiveDateTime or (period.start if period else None) or report.issued
        ),
    }
    conclusions = [words for each in report.conclusionCode or () if (words := label(each))]
    values = {
        **common,
        "label": item.label,
        "category": category,
        "status": report.status,
        "conclusion": report.conclusion or "; ".join(conclusions) or None,
        "code": item.code,
    }
    rows = [Row("diagnostic_reports", values, key)]
    for number, form in enumerate(report.presentedForm or ()):
        note = {
            **common,
            "note_type": (category or item.label).lower(),
            "title": form.title or item.label,
            "author": context.author([*(report.resultsInterpreter or ()), *(report.performer or ())]),
        }
        rows.append(_note(form, f"presentedForm.{number}", note, f"{key}#{number + 1}", context))
    return tuple(rows)


def document_rows(document: DocumentReference, key: str, context: Context) -> tuple[Row, ...]:
    """A note for each distinct content; one that repeats an earlier text in another format is left out."""
    if document.status != "current":
        raise NotStored(f"status is {document.status}")
    if document.docStatus == "entered-in-error":
        raise NotStored("docStatus is entered-in-error")
    surroundings = document.context
    encounters = (surroundings.encounter if surroundings else None) or []
    period = surroundings.period if surroundings else None
    kind = label(document.type)
    common: dict[str, Value | Ref] = {
        "subject_id": context.patient(document.subject, "subject"),
        "hadm_id": next((ref for each in encounters if (ref := context.encounter(each))), None),
        "charttime": store_time(document.date or (period.start if period else None)),
        "note_type": listed("note-type", document.type) or (kind.lower() if kind else None),
        "author": context.author(document.author),
    }
    rows: dict[Value | Ref, Row] = {}
    for number, content in enumerate(document.content):
        form = content.attachment
        note = {**common, "title": form.title or document.description or kind}
        source_id = f"{key}#{number + 1}" if number else key
        row = _note(form, f"content.{number}.attachment", note, source_id, context)
        rows.setdefault(row.values["sha256"], row)
    return tuple(rows.values())


def _note(form: Attachment, path: str, values: dict[str, Value | Ref], key: str, context: Context) -> Row:
    """The note that an attachment holds; raises ``RuleBroken`` where its text cannot be had."""
    binary = None if form.data else context.binary(str(form.url) if form.url else None)
    data = form.data or (binary.data if binary else None)
    if not data:
        raise RuleBroken(f"{path}: its data is not in this source, only a link")
    media, *parameters = (form.contentType or (binary.contentType if binary else None) or "").split(";")
    kind = MEDIA_TYPES.get(media.strip().lower())
    if kind is None:
        raise RuleBroken(f"{path}.contentType: is missing or none of {', '.join(MEDIA_TYPES)}")
    named = (part.partition("=")[2].strip(" \"'") for part in parameters if "charset=" in part.lower())
    try:
        text = extract(data, kind, next(named, None))
    except ImportFailure as error:
        raise RuleBroken(f"{path}: {error}") from error
    language = form.language[:2].lower() if form.language else None
    values |= {
        "language": language if language in ("en", "zh") else language_of(text),
        "text": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    return Row("notes", values, key)
