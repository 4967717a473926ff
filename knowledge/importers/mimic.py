"""MIMIC-IV and MIMIC-IV-Note: the folder as published, ``.csv`` or ``.csv.gz``.

Text, times and codes stay as they are. What MIMIC does not say itself is derived as in the EHRSQL edition
(see docs/loading.md): a diagnosis is dated at admission, a year of birth is anchor year minus anchor age.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.errors import ImportFailure
from knowledge.importers.codes import coded
from knowledge.importers.csvfile import Cells, read_csv
from knowledge.importers.records import Accepted, Item, Rejected, Row, Skipped, SourceFile, Value

_AGE_HIDDEN_FROM = 90  # MIMIC groups ages above 89 and gives 91 for them: no year of birth follows


@dataclass(slots=True)
class _Lookups:
    """What rows of one file need from another."""

    anchors: dict[str, tuple[int, int]] = field(default_factory=dict)  # subject_id: age, year
    races: dict[str, str] = field(default_factory=dict)  # subject_id: as at the last admission
    admitted: dict[str, str] = field(default_factory=dict)  # hadm_id: admittime


_Mapper = Callable[[Cells, _Lookups], tuple[Row, ...]]


@dataclass(frozen=True, slots=True)
class _Table:
    order: int
    required: tuple[str, ...]
    rows: _Mapper
    brings: frozenset[str] = frozenset()  # no row refers to another row of its own file


class MimicReader:
    """Reads a MIMIC-IV folder (``hosp/``, ``icu/``, ``note/``, or the files in one folder)."""

    kind = "mimic"

    def __init__(self) -> None:
        self._lookups: _Lookups | None = None
        self._paths: dict[str, Path] = {}

    def files(self, source: Path) -> list[SourceFile]:
        """The files of MIMIC tables; those that the store has no place for come last."""
        if not source.is_dir():
            return []
        found: dict[str, Path] = {}
        for folder in (source, source / "hosp", source / "icu", source / "note"):
            if folder.is_dir():
                for path in sorted(folder.iterdir()):
                    name = _table_name(path)
                    if name in TABLES or name in _NO_PLACE:
                        found.setdefault(name, path)
        marks = found.keys() & {
            "admissions",
            "labevents",
            "diagnoses_icd",
            "icustays",
            "discharge",
            "radiology",
        }
        if not marks or (source / "mapping.yaml").exists():
            return []
        self._paths = found
        self._lookups = None
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
        """One item for each row; one count for a file that the store has no place for."""
        name = file.options["table"]
        if name in _NO_PLACE:
            yield from _count(file.path, name)
            return
        table = TABLES[name]
        lookups = self._look_up()
        for record in read_csv(file.path, name, required=table.required, rename=_column_name):
            if isinstance(record, Rejected):
                yield record
            else:
                line, cells = record
                yield Accepted(line, table.rows(cells, lookups), name, cells)

    def _look_up(self) -> _Lookups:
        if self._lookups is None:
            self._lookups = _Lookups()
            for cells in self._cells("patients"):
                age, year = cells.get("anchor_age", ""), cells.get("anchor_year", "")
                if age.isdigit() and year.isdigit():
                    self._lookups.anchors[cells["subject_id"]] = int(age), int(year)
            latest: dict[str, str] = {}
            for cells in self._cells("admissions"):
                patient, time = cells["subject_id"], cells["admittime"]
                self._lookups.admitted[cells["hadm_id"]] = time
                if cells.get("race") and time >= latest.get(patient, ""):
                    latest[patient] = time
                    self._lookups.races[patient] = cells["race"]
        return self._lookups

    def _cells(self, name: str) -> Iterator[Cells]:
        if name not in self._paths:
            return
        try:
            required = TABLES[name].required
            for record in read_csv(self._paths[name], name, required=required, rename=_column_name):
                if not isinstance(record, Rejected):
                    yield record[1]
        except ImportFailure:
            return  # reported when it is that file's turn; no other table is read after it


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


def _patient(cells: Cells, lookups: _Lookups) -> tuple[Row, ...]:
    age, year = lookups.anchors.get(cells["subject_id"], (None, 0))
    born = f"{year - age:04d}-01-01" if age is not None and age < _AGE_HIDDEN_FROM else None
    values: dict[str, Value] = {
        "subject_id": cells["subject_id"],
        "gender": cells["gender"].lower(),
        "dob": born,
        "dob_precision": "year" if born else None,
        "dod": cells["dod"],
        "race": lookups.races.get(cells["subject_id"]),
    }
    return (Row("patients", values, cells["subject_id"]),)


def _admission(cells: Cells, lookups: _Lookups) -> tuple[Row, ...]:
    age, year = lookups.anchors.get(cells["subject_id"], (None, 0))
    admitted = cells["admittime"][:4]
    values: dict[str, Value] = {
        name: cells.get(name)
        for name in (
            "subject_id",
            "hadm_id",
            "admittime",
            "dischtime",
            "deathtime",
            "admission_type",
            "admission_location",
            "discharge_location",
            "insurance",
            "language",
            "marital_status",
        )
    }
    values["age"] = age + int(admitted) - year if age is not None and admitted.isdigit() else None
    return (Row("admissions", values, cells["hadm_id"]),)


def _icd(cells: Cells) -> str | None:
    code, version = cells["icd_code"].strip(), cells["icd_version"].strip()
    return coded(f"icd{version}", code) if code and version else None


def _diagnosis_title(cells: Cells, _: _Lookups) -> tuple[Row, ...]:
    return (Row("d_icd_diagnoses", {"icd_code": _icd(cells), "long_title": cells["long_title"]}),)


def _procedure_title(cells: Cells, _: _Lookups) -> tuple[Row, ...]:
    return (Row("d_icd_procedures", {"icd_code": _icd(cells), "long_title": cells["long_title"]}),)


def _hcpcs_code(code: str) -> str | None:
    return coded("hcpcs", code) if code.strip() else None


def _hcpcs_title(cells: Cells, _: _Lookups) -> tuple[Row, ...]:
    title = cells["long_description"] or cells["short_description"]
    return (Row("d_icd_procedures", {"icd_code": _hcpcs_code(cells["code"]), "long_title": title}),)


def _diagnosis(cells: Cells, lookups: _Lookups) -> tuple[Row, ...]:
    values: dict[str, Value] = {
        "subject_id": cells["subject_id"],
        "hadm_id": cells["hadm_id"],
        "icd_code": _icd(cells),
        "charttime": lookups.admitted.get(cells["hadm_id"]),
        "seq_num": cells["seq_num"],
    }
    return (Row("diagnoses_icd", values, f"{cells['hadm_id']}:{cells['seq_num']}"),)


def _procedure(cells: Cells, _: _Lookups) -> tuple[Row, ...]:
    values: dict[str, Value] = {
        "subject_id": cells["subject_id"],
        "hadm_id": cells["hadm_id"],
        "icd_code": _icd(cells),
        "charttime": cells["chartdate"],
        "seq_num": cells["seq_num"],
    }
    return (Row("procedures_icd", values, f"{cells['hadm_id']}:{cells['seq_num']}"),)


def _hcpcs_event(cells: Cells, _: _Lookups) -> tuple[Row, ...]:
    values: dict[str, Value] = {
        "subject_id": cells["subject_id"],
        "hadm_id": cells["hadm_id"],
        "icd_code": _hcpcs_code(cells["hcpcs_cd"]),
        "charttime": cells["chartdate"],
        "seq_num": cells["seq_num"],
    }
    return (Row("procedures_icd", values, f"hcpcs:{cells['hadm_id']}:{cells['seq_num']}"),)


def _lab(cells: Cells, _: _Lookups) -> tuple[Row, ...]:
    values: dict[str, Value] = {name: cells[name] for name in _LAB_COLUMNS}
    # Where a result is text, MIMIC-IV blanks it to '___' or leaves it out, and the comment carries it.
    value = cells["value"]
    values["value"] = cells.get("comments") if value in ("", "___") and cells.get("comments") else value
    return (Row("labevents", values, cells["labevent_id"]),)


_LAB_COLUMNS = (
    "subject_id",
    "hadm_id",
    "itemid",
    "charttime",
    "valuenum",
    "valueuom",
    "ref_range_lower",
    "ref_range_upper",
    "flag",
)


def _prescription(cells: Cells, _: _Lookups) -> tuple[Row, ...]:
    names = [
        "subject_id",
        "hadm_id",
        "starttime",
        "stoptime",
        "drug",
        "dose_val_rx",
        "dose_unit_rx",
        "route",
        "drug_type",
    ]
    values: dict[str, Value] = {name: cells.get(name) for name in names}
    per_day = cells.get("doses_per_24_hrs")
    values["frequency"] = f"{per_day} per 24 h" if per_day else None
    ndc = cells.get("ndc", "")
    values["code"] = f"ndc|{ndc}" if ndc.strip("0") else None  # '0' stands for none
    return (Row("prescriptions", values),)


def _microbiology(cells: Cells, _: _Lookups) -> tuple[Row, ...]:
    names = [
        "subject_id",
        "hadm_id",
        "spec_type_desc",
        "test_name",
        "org_name",
        "ab_name",
        "interpretation",
        "comments",
    ]
    values: dict[str, Value] = {name: cells.get(name) for name in names}
    values["charttime"] = cells["charttime"] or cells["chartdate"]
    return (Row("microbiologyevents", values, cells["microevent_id"]),)


def _measurement(cells: Cells, _: _Lookups) -> tuple[Row, ...]:
    values: dict[str, Value] = {
        "subject_id": cells["subject_id"],
        "charttime": cells["chartdate"],
        "label": cells["result_name"],
        "value": cells["result_value"],
        "category": "outpatient and bedside (omr)",
    }
    key = f"{cells['subject_id']}:{cells['chartdate']}:{cells['result_name']}:{cells['seq_num']}"
    return (Row("observations", values, key),)


def _note(cells: Cells, _: _Lookups) -> tuple[Row, ...]:
    values: dict[str, Value] = {name: cells[name] for name in ("subject_id", "hadm_id", "charttime", "text")}
    values["note_type"] = _NOTE_TYPES.get(cells["note_type"], cells["note_type"])
    values["language"] = "en"
    return (Row("notes", values, cells["note_id"]),)


_NOTE_TYPES = {"DS": "discharge", "RR": "radiology", "AD": "discharge addendum", "AR": "radiology addendum"}


def _same(table: str, columns: str, key: str | None = None) -> _Mapper:
    """Rows whose columns have the same names here and there; ``key`` names the one that identifies a row."""
    names = tuple(columns.split())

    def rows(cells: Cells, _: _Lookups) -> tuple[Row, ...]:
        return (Row(table, {name: cells.get(name) for name in names}, cells[key] if key else None),)

    return rows


def _columns(names: str) -> tuple[str, ...]:
    return tuple(names.split())


_ICD = _columns("icd_code icd_version long_title")
_NOTE = _columns("note_id subject_id hadm_id note_type charttime text")
_EVENT = "subject_id hadm_id stay_id itemid"

TABLES: Mapping[str, _Table] = {
    "d_icd_diagnoses": _Table(0, _ICD, _diagnosis_title),
    "d_icd_procedures": _Table(0, _ICD, _procedure_title),
    "d_hcpcs": _Table(0, _columns("code long_description short_description"), _hcpcs_title),
    "d_labitems": _Table(
        0, _columns("itemid label fluid category"), _same("d_labitems", "itemid label fluid category")
    ),
    "d_items": _Table(
        0,
        _columns("itemid label linksto"),
        _same("d_items", "itemid label abbreviation linksto category unitname"),
    ),
    "patients": _Table(1, _columns("subject_id gender anchor_age anchor_year dod"), _patient),
    "admissions": _Table(2, _columns("subject_id hadm_id admittime dischtime"), _admission),
    "icustays": _Table(
        3,
        _columns("subject_id hadm_id stay_id intime outtime"),
        _same(
            "icustays", "subject_id hadm_id stay_id first_careunit last_careunit intime outtime", "stay_id"
        ),
    ),
    "transfers": _Table(
        3,
        _columns("subject_id hadm_id transfer_id intime outtime"),
        _same("transfers", "subject_id hadm_id transfer_id eventtype careunit intime outtime", "transfer_id"),
    ),
    "diagnoses_icd": _Table(4, _columns("subject_id hadm_id seq_num icd_code icd_version"), _diagnosis),
    "procedures_icd": _Table(
        4, _columns("subject_id hadm_id seq_num chartdate icd_code icd_version"), _procedure
    ),
    "hcpcsevents": _Table(4, _columns("subject_id hadm_id chartdate hcpcs_cd seq_num"), _hcpcs_event),
    "labevents": _Table(4, (*_LAB_COLUMNS, "labevent_id", "value"), _lab),
    "prescriptions": _Table(4, _columns("subject_id hadm_id starttime stoptime drug"), _prescription),
    "microbiologyevents": _Table(
        4, _columns("microevent_id subject_id hadm_id chartdate charttime test_name"), _microbiology
    ),
    "omr": _Table(4, _columns("subject_id chartdate seq_num result_name result_value"), _measurement),
    "chartevents": _Table(
        4,
        _columns(f"{_EVENT} charttime valuenum"),
        _same("chartevents", f"{_EVENT} charttime valuenum valueuom value"),
    ),
    "inputevents": _Table(
        4,
        _columns(f"{_EVENT} starttime amount"),
        _same(
            "inputevents",
            f"{_EVENT} starttime endtime totalamount totalamountuom amount amountuom rate rateuom",
        ),
    ),
    "outputevents": _Table(
        4, _columns(f"{_EVENT} charttime value"), _same("outputevents", f"{_EVENT} charttime value valueuom")
    ),
    "discharge": _Table(4, _NOTE, _note),
    "radiology": _Table(4, _NOTE, _note),
}
"""MIMIC table to where its rows go and what must be read before it (a lower order)."""

_ADMINISTRATION = "no table for the administration of drugs"
_ORDERS = "no table for orders; drugs are in prescriptions"
_PEOPLE = "no table for staff; the file holds nothing but their numbers"

_NO_PLACE: Mapping[str, str] = {
    "caregiver": _PEOPLE,
    "datetimeevents": "no table for events whose value is a date",
    "discharge_detail": "no table for details of notes",
    "drgcodes": "no table for billing groups (DRG)",
    "emar": _ADMINISTRATION,
    "emar_detail": _ADMINISTRATION,
    "ingredientevents": "no table for the ingredients of infusions; the infusions are in inputevents",
    "pharmacy": "no table for dispensing; drugs are in prescriptions",
    "poe": _ORDERS,
    "poe_detail": _ORDERS,
    "procedureevents": "no table for bedside procedures of the ICU",
    "provider": _PEOPLE,
    "radiology_detail": "no table for details of notes",
    "services": "no table for changes of the clinical service",
}
