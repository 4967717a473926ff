"""OMOP CDM 5.x as CSV(.gz), one file for each table: comma separated, or tab separated as Athena gives it.

Codes come from ``concept.csv`` ('snomed|431855005'); where a concept is not there, the source's own value
stays ('source|…'). Visits that a source mentions and does not hold are left empty and counted as unlinked.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from knowledge.importers.codes import coded
from knowledge.importers.csvfile import Cells, read_csv
from knowledge.importers.records import Accepted, Item, Ref, Rejected, Row, Skipped, SourceFile, Value


class Concept(NamedTuple):
    """One row of ``concept.csv``."""

    name: str
    code: str
    category: str


class Concepts:
    """The vocabulary, in a private temporary SQLite file: the real one has millions of rows."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("")
        self._connection.execute(
            "CREATE TABLE concept (id TEXT PRIMARY KEY, name TEXT, code TEXT, category TEXT) WITHOUT ROWID"
        )
        self.find = lru_cache(maxsize=65536)(self._find)

    def add(self, path: Path) -> None:
        """Take in a ``concept.csv``."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO concept VALUES (?, ?, ?, ?)",
            (
                (
                    key(cells["concept_id"]),
                    cells["concept_name"],
                    _code(cells["vocabulary_id"], cells["concept_code"]),
                    cells["domain_id"],
                )
                for record in read_csv(path, "concept", required=_CONCEPT, rename=_column_name)
                if not isinstance(record, Rejected)
                for cells in [record[1]]
            ),
        )
        self.find.cache_clear()

    def close(self) -> None:
        """Drop the temporary file."""
        self._connection.close()

    def _find(self, concept_id: str) -> Concept | None:
        if concept_id in ("", "0"):
            return None
        row = self._connection.execute(
            "SELECT name, code, category FROM concept WHERE id = ?", (concept_id,)
        ).fetchone()
        return Concept(*row) if row else None


_CONCEPT = ("concept_id", "concept_name", "vocabulary_id", "concept_code", "domain_id")
_Mapper = Callable[[Cells, Concepts], tuple[Row, ...]]


@dataclass(frozen=True, slots=True)
class _Table:
    order: int
    required: tuple[str, ...]
    rows: _Mapper
    brings: frozenset[str] = frozenset({"d_labitems"})  # what rows of the same file may refer to


class OmopReader:
    """Reads a folder of OMOP CDM tables."""

    kind = "omop"

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}
        self._concepts: Concepts | None = None

    def files(self, source: Path) -> list[SourceFile]:
        """The files of CDM tables; a ``person`` file is what makes a folder OMOP."""
        if not source.is_dir():
            return []
        found = {_table_name(path): path for path in sorted(source.iterdir())}
        found = {name: path for name, path in found.items() if name in TABLES or name in _NO_PLACE}
        if "person" not in found or (source / "mapping.yaml").exists():
            return []
        self._paths = found
        if self._concepts is not None:
            self._concepts.close()
            self._concepts = None
        last = max(table.order for table in TABLES.values()) + 1
        return sorted(
            (
                SourceFile(
                    path,
                    TABLES[name].order if name in TABLES else last,
                    {"table": name},
                    TABLES[name].brings if name in TABLES else None,
                )
                for name, path in found.items()
            ),
            key=lambda file: (file.order, file.options["table"]),
        )

    def read(self, file: SourceFile) -> Iterator[Item]:
        """One item for each row; one count for a table that the store has no place for."""
        name = file.options["table"]
        if name in _NO_PLACE:
            yield from _count(file.path, name)
            return
        table, concepts = TABLES[name], self._vocabulary()
        for record in read_csv(file.path, name, required=table.required, rename=_column_name):
            if isinstance(record, Rejected):
                yield record
            else:
                line, cells = record
                yield Accepted(line, table.rows(cells, concepts), name, cells)

    def _vocabulary(self) -> Concepts:
        if self._concepts is None:
            self._concepts = Concepts()
            if "concept" in self._paths:
                self._concepts.add(self._paths["concept"])
        return self._concepts


def key(text: str) -> str:
    """An OMOP id without the '.0' that some exports give whole numbers."""
    text = text.strip()
    return text.removesuffix(".0")


def _code(vocabulary: str, code: str) -> str:
    """A code as the store writes it."""
    return coded(_SYSTEMS.get(vocabulary.upper(), vocabulary.lower()), code)


_SYSTEMS = {"ICD10CM": "icd10", "ICD10": "icd10", "ICD10PCS": "icd10", "ICD9CM": "icd9", "ICD9PROC": "icd9"}


def _table_name(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return name.removesuffix(".csv") if name.endswith(".csv") else ""


def _column_name(name: str) -> str:
    return name.strip().lower()


def _count(path: Path, name: str) -> Iterator[Item]:
    total = 0
    for record in read_csv(path, name):
        if isinstance(record, Rejected):
            yield record
        else:
            total += 1
    if total:
        yield Skipped(name, _NO_PLACE[name], total)


def _time(cells: Cells, name: str) -> str:
    """``name`` + '_datetime', else ``name`` + '_date'; both are allowed to be empty."""
    return cells.get(f"{name}_datetime") or cells.get(f"{name}_date") or ""


def _person(cells: Cells) -> Ref | None:
    person = key(cells["person_id"])
    return Ref("patients", person) if person else None


def _visit(cells: Cells) -> Ref | None:
    visit = key(cells.get("visit_occurrence_id", ""))
    return Ref("admissions", visit, optional=True) if visit not in ("", "0") else None


def _event_key(cells: Cells, column: str) -> str | None:
    # Published extracts exist that use one id for rows of two persons; the person keeps them apart.
    event = key(cells[column])
    return f"{event}:{key(cells['person_id'])}" if event else None


def _concept(cells: Cells, concepts: Concepts, name: str) -> Concept | None:
    """The concept of an event; the source's own value where the vocabulary does not have it."""
    found = concepts.find(key(cells.get(f"{name}_concept_id", "")))
    source = key(cells.get(f"{name}_source_value", ""))
    if found is not None or not source:
        return found
    return Concept(source, f"source|{source}", "")


def _value_of(cells: Cells, concepts: Concepts) -> str | None:
    """A result that is no number: text, a concept, or what the source wrote."""
    concept = concepts.find(key(cells.get("value_as_concept_id", "")))
    return (
        cells.get("value_as_string")
        or (concept.name if concept else None)
        or cells.get("value_source_value")
        or cells.get("value_as_number")
    )


def _unit(cells: Cells, concepts: Concepts) -> str | None:
    concept = concepts.find(key(cells.get("unit_concept_id", "")))
    return cells.get("unit_source_value") or (concept.code.partition("|")[2] if concept else None)


def _patient(cells: Cells, concepts: Concepts) -> tuple[Row, ...]:
    year, month, day = (key(cells.get(f"{part}_of_birth", "")) for part in ("year", "month", "day"))
    precision = "day" if year and month and day else "month" if year and month else "year" if year else None
    born = f"{year.zfill(4)}-{(month or '1').zfill(2)}-{(day if month and day else '1').zfill(2)}"
    if not year and cells.get("birth_datetime"):
        born, precision = cells["birth_datetime"], "day"
    gender = _GENDERS.get(key(cells["gender_concept_id"]))
    race = concepts.find(key(cells.get("race_concept_id", "")))
    values: dict[str, Value | Ref] = {
        "subject_id": _person(cells),
        "gender": gender or _GENDERS.get(cells.get("gender_source_value", "").lower(), "unknown"),
        "dob": born if precision else None,
        "dob_precision": precision,
        "mrn": cells.get("person_source_value"),
        "race": race.name if race else cells.get("race_source_value"),
    }
    return (Row("patients", values, key(cells["person_id"])),)


_GENDERS = {"8507": "m", "8532": "f", "8521": "other", "m": "m", "f": "f", "male": "m", "female": "f"}


def _death(cells: Cells, _: Concepts) -> tuple[Row, ...]:
    values: dict[str, Value | Ref] = {"subject_id": _person(cells), "dod": _time(cells, "death")}
    return (Row("patients", values, key(cells["person_id"]), completes=True),)


def _admission(cells: Cells, concepts: Concepts) -> tuple[Row, ...]:
    concept = concepts.find(key(cells["visit_concept_id"]))
    values: dict[str, Value | Ref] = {
        "subject_id": _person(cells),
        "hadm_id": Ref("admissions", key(cells["visit_occurrence_id"])),
        "admittime": _time(cells, "visit_start"),
        "dischtime": _time(cells, "visit_end"),
        "admission_type": _VISITS.get(key(cells["visit_concept_id"])) or (concept.name if concept else None),
        "admission_location": cells.get("admitted_from_source_value") or cells.get("admitting_source_value"),
        "discharge_location": cells.get("discharged_to_source_value")
        or cells.get("discharge_to_source_value"),
    }
    return (Row("admissions", values, key(cells["visit_occurrence_id"])),)


_VISITS = {
    "9201": "inpatient",
    "9202": "ambulatory",
    "9203": "emergency",
    "262": "emergency and inpatient",
    "42898160": "long-term care",
}


def _coded(table: str, dictionary: str, name: str, start: str, end: str) -> _Mapper:
    """Diagnoses and procedures: an event with a code, and the code's title beside it."""

    def rows(cells: Cells, concepts: Concepts) -> tuple[Row, ...]:
        concept = _concept(cells, concepts, name)
        values: dict[str, Value | Ref] = {
            "subject_id": _person(cells),
            "hadm_id": _visit(cells),
            "icd_code": concept.code if concept else None,
            "charttime": _time(cells, start),
            "endtime": _time(cells, end),
        }
        event = Row(table, values, _event_key(cells, f"{name}_occurrence_id"))
        if concept is None:
            return (event,)
        return (Row(dictionary, {"icd_code": concept.code, "long_title": concept.name}), event)

    return rows


def _prescription(cells: Cells, concepts: Concepts) -> tuple[Row, ...]:
    drug = _concept(cells, concepts, "drug")
    route = concepts.find(key(cells.get("route_concept_id", "")))
    values: dict[str, Value | Ref] = {
        "subject_id": _person(cells),
        "hadm_id": _visit(cells),
        "starttime": _time(cells, "drug_exposure_start"),
        "stoptime": _time(cells, "drug_exposure_end"),
        "drug": drug.name if drug else None,
        "code": drug.code if drug else None,
        "dose_unit_rx": cells.get("dose_unit_source_value"),
        "route": cells.get("route_source_value") or (route.name if route else None),
        "frequency": cells.get("sig"),
    }
    return (Row("prescriptions", values, _event_key(cells, "drug_exposure_id")),)


def _measurement(cells: Cells, concepts: Concepts) -> tuple[Row, ...]:
    concept = _concept(cells, concepts, "measurement")
    if not cells["value_as_number"] or concept is None:
        return _statement(cells, concepts, "measurement")
    item = key(cells["measurement_concept_id"])
    item = Ref("d_labitems", item if item not in ("", "0") else concept.code)
    values: dict[str, Value | Ref] = {
        "subject_id": _person(cells),
        "hadm_id": _visit(cells),
        "itemid": item,
        "charttime": _time(cells, "measurement"),
        "valuenum": cells["value_as_number"],
        "value": cells.get("value_source_value") or cells["value_as_number"],
        "valueuom": _unit(cells, concepts),
        "ref_range_lower": cells.get("range_low"),
        "ref_range_upper": cells.get("range_high"),
    }
    name = {"itemid": item, "label": concept.name, "category": concept.category, "code": concept.code}
    return (Row("d_labitems", name), Row("labevents", values, _event_key(cells, "measurement_id")))


def _statement(cells: Cells, concepts: Concepts, name: str) -> tuple[Row, ...]:
    concept = _concept(cells, concepts, name)
    values: dict[str, Value | Ref] = {
        "subject_id": _person(cells),
        "hadm_id": _visit(cells),
        "charttime": _time(cells, name),
        "label": concept.name if concept else None,
        "value": _value_of(cells, concepts),
        "category": name,
        "code": concept.code if concept else None,
    }
    row_key = _event_key(cells, f"{name}_id")
    return (Row("observations", values, row_key and f"{name}:{row_key}"),)


def _observation(cells: Cells, concepts: Concepts) -> tuple[Row, ...]:
    return _statement(cells, concepts, "observation")


def _note(cells: Cells, concepts: Concepts) -> tuple[Row, ...]:
    kind = concepts.find(key(cells.get("note_class_concept_id", "")))
    values: dict[str, Value | Ref] = {
        "subject_id": _person(cells),
        "hadm_id": _visit(cells),
        "charttime": _time(cells, "note"),
        "note_type": cells.get("note_source_value") or (kind.name if kind else None),
        "title": cells.get("note_title"),
        "text": cells["note_text"],
    }
    return (Row("notes", values, _event_key(cells, "note_id")),)


TABLES: Mapping[str, _Table] = {
    "person": _Table(0, ("person_id", "gender_concept_id", "year_of_birth"), _patient),
    "death": _Table(1, ("person_id", "death_date"), _death),
    "visit_occurrence": _Table(
        1, ("visit_occurrence_id", "person_id", "visit_concept_id", "visit_start_date"), _admission
    ),
    "condition_occurrence": _Table(
        2,
        ("condition_occurrence_id", "person_id", "condition_concept_id", "condition_start_date"),
        _coded("diagnoses_icd", "d_icd_diagnoses", "condition", "condition_start", "condition_end"),
    ),
    "procedure_occurrence": _Table(
        2,
        ("procedure_occurrence_id", "person_id", "procedure_concept_id", "procedure_date"),
        _coded("procedures_icd", "d_icd_procedures", "procedure", "procedure", "procedure_end"),
    ),
    "drug_exposure": _Table(
        2, ("drug_exposure_id", "person_id", "drug_concept_id", "drug_exposure_start_date"), _prescription
    ),
    "measurement": _Table(
        2,
        ("measurement_id", "person_id", "measurement_concept_id", "measurement_date", "value_as_number"),
        _measurement,
    ),
    "observation": _Table(
        2, ("observation_id", "person_id", "observation_concept_id", "observation_date"), _observation
    ),
    "note": _Table(2, ("note_id", "person_id", "note_date", "note_text"), _note),
}
"""CDM table to where its rows go and what must be read before it (a lower order)."""

_DERIVED = "derived from the events, which are loaded themselves"
_VOCABULARY = "part of the vocabulary, which names the codes of the events and is not kept as a whole"
_OUTSIDE = "no table for it"

_NO_PLACE: Mapping[str, str] = {
    **dict.fromkeys(("condition_era", "drug_era", "dose_era", "observation_period", "episode"), _DERIVED),
    **dict.fromkeys(
        (
            "concept",
            "concept_ancestor",
            "concept_class",
            "concept_relationship",
            "concept_synonym",
            "domain",
            "drug_strength",
            "relationship",
            "source_to_concept_map",
            "vocabulary",
        ),
        _VOCABULARY,
    ),
    **dict.fromkeys(
        (
            "care_site",
            "cdm_source",
            "cohort",
            "cohort_definition",
            "cost",
            "device_exposure",
            "episode_event",
            "fact_relationship",
            "location",
            "metadata",
            "note_nlp",
            "payer_plan_period",
            "provider",
            "specimen",
            "visit_detail",
        ),
        _OUTSIDE,
    ),
}
