"""A hospital's own export: a folder of CSV or XLSX files and a ``mapping.yaml`` (see ``mapping.py``)."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from knowledge.errors import ImportFailure
from knowledge.importers.codes import coded
from knowledge.importers.columns import Table, schema_tables
from knowledge.importers.csvfile import Cells
from knowledge.importers.mapping import KEEP, ColumnMapping, Mapping, TableMapping, explained_by
from knowledge.importers.records import Accepted, Item, Ref, Rejected, Row, SourceFile, Value
from knowledge.importers.sheets import Sheet

MAPPING_NAME = "mapping.yaml"
_ORDER = {"patients": 1, "admissions": 2, "icustays": 3, "transfers": 3}
_EVENTS = 4


class TabularReader:
    """Reads the files that a mapping names. The source is the folder, or the mapping file itself."""

    kind = "tabular"

    def __init__(self) -> None:
        self._mapping: Mapping | None = None

    def files(self, source: Path) -> list[SourceFile]:
        """One entry for each table and file of the mapping, which is checked first.

        Raises:
            ImportFailure: the mapping makes no sense, or a file or column that it names is not there.
        """
        path = source / MAPPING_NAME if source.is_dir() else source
        if path.suffix not in (".yaml", ".yml") or not path.is_file():
            return []
        self._mapping = mapping = Mapping(path)
        found = []
        for number, entry in enumerate(mapping.tables):
            paths = (
                sorted(path.parent.glob(entry.file))
                if _is_pattern(entry.file)
                else [path.parent / entry.file]
            )
            folder = path.parent.resolve()
            if any(folder not in one.resolve().parents for one in paths):
                raise mapping.failure(
                    ["tables", number, "file"], f"{entry.file!r} lies outside of the folder {path.parent}"
                )
            if not paths or not paths[0].is_file():
                raise mapping.failure(
                    ["tables", number, "file"], f"there is no file {entry.file!r} in {path.parent}"
                )
            digest = hashlib.sha256(entry.model_dump_json().encode()).hexdigest()
            order = 0 if entry.table.startswith("d_") else _ORDER.get(entry.table, _EVENTS)
            for one in paths:
                _check_columns(mapping, number, entry, one)
                found.append(SourceFile(one, order, {"entry": str(number), "mapping": digest}))
        return sorted(found, key=lambda file: file.order)

    def read(self, file: SourceFile) -> Iterator[Item]:
        """One item for each row."""
        if self._mapping is None:
            raise ImportFailure(f"{file.path} is read by its mapping; load the folder of the mapping.")
        entry = self._mapping.tables[int(file.options["entry"])]
        rows = _RowMaker(entry)
        for record in _sheet(entry, file.path).rows(entry.table):
            if isinstance(record, Rejected):
                yield record
            else:
                yield rows.item(*record)


@dataclass(frozen=True, slots=True)
class _Unfit(Exception):
    """A cell does not fit its mapping; ``reason`` names columns and rule."""

    reason: str


class _RowMaker:
    """Turns cells into rows of the store by one entry of the mapping."""

    def __init__(self, entry: TableMapping) -> None:
        self._entry = entry
        self._table = schema_tables()[entry.table]
        self._dictionaries = explained_by(self._table)
        self._equal: Counter[bytes] = Counter()

    def item(self, line: int, cells: Cells) -> Item:
        """The row, and what explains its code or item where the mapping says so."""
        key = self._key(cells)
        try:
            rows = (*self._explanations(cells), self._row(cells, key))
        except _Unfit as error:
            return Rejected(line, self._table.name, error.reason, json.dumps(cells))
        return Accepted(line, rows, self._table.name, cells)

    def _key(self, cells: Cells) -> str:
        if self._entry.key:
            return "|".join(cells[name].strip() for name in self._entry.key)
        # Of the cells, not of what the mapping makes of them: a changed mapping then changes the same row.
        digest = hashlib.blake2b(repr(sorted(cells.items())).encode(errors="surrogatepass"), digest_size=12)
        self._equal[digest.digest()] += 1
        return f"#{digest.hexdigest()}:{self._equal[digest.digest()]}"

    def _row(self, cells: Cells, key: str) -> Row:
        values = {
            name: self._value(self._table, name, spec, cells)
            for name, spec in self._entry.columns.items()
            if "." not in name
        }
        if self._table.name == "d_items":
            values.setdefault("linksto", "chartevents")
        if self._table.is_owned:
            own = values.get(self._table.id_column)
            return Row(self._table.name, values, own.key if isinstance(own, Ref) else None)
        return Row(self._table.name, values, key)

    def _explanations(self, cells: Cells) -> Iterator[Row]:
        for dictionary in self._dictionaries:
            prefix = dictionary.name + "."
            values = {
                name.removeprefix(prefix): self._value(dictionary, name.removeprefix(prefix), spec, cells)
                for name, spec in self._entry.columns.items()
                if name.startswith(prefix)
            }
            referring = self._entry.columns.get(dictionary.id_column)
            if not any(values.values()) or referring is None:
                continue
            values[dictionary.id_column] = self._value(self._table, dictionary.id_column, referring, cells)
            if dictionary.name == "d_items":
                values.setdefault("linksto", self._table.name)
            if values[dictionary.id_column] is not None:
                yield Row(dictionary.name, values)

    def _value(self, table: Table, name: str, spec: ColumnMapping, cells: Cells) -> Value | Ref:
        value = _mapped(f"{table.name}.{name}", spec, cells)
        if value is None:
            return None
        refers_to = table.columns[name].refers_to
        own = table.is_owned and name == table.id_column and name != "icd_code"
        if own or (refers_to is not None and not refers_to.startswith("d_icd_")):
            return Ref(table.name if own else str(refers_to), str(value))
        return value


def _mapped(target: str, spec: ColumnMapping, cells: Cells) -> Value:
    if spec.column is None:
        return spec.constant
    value: str | None = cells[spec.column].strip()
    if spec.values is not None and value is not None:
        if value in spec.values:
            value = spec.values[value]
        elif "otherwise" not in spec.model_fields_set:
            if value:
                raise _Unfit(f"{target}: the value of column {spec.column!r} is not in its value map")
        elif spec.otherwise != KEEP:
            value = spec.otherwise
    if not value:
        return None
    if spec.numeric:
        try:
            float(value)
        except ValueError:
            return None
    if spec.format:
        value = _time(target, spec, value)
    return coded(spec.system, value) if spec.system else value


def _time(target: str, spec: ColumnMapping, text: str) -> str:
    for form in spec.format:
        try:
            return datetime.strptime(text, form).isoformat(sep=" ", timespec="seconds")
        except ValueError:
            continue
    try:  # a workbook's own dates come as ISO, whatever the format of the texts beside them
        return datetime.fromisoformat(text).isoformat(sep=" ", timespec="seconds")
    except ValueError:
        forms = " or ".join(spec.format)
        raise _Unfit(f"{target}: column {spec.column!r} is not a time like {forms}") from None


def _check_columns(mapping: Mapping, number: int, entry: TableMapping, path: Path) -> None:
    names = set(_sheet(entry, path).names())
    hint = f"; if the names of the columns are not in line {entry.header}, say so with 'header'"
    for name, spec in entry.columns.items():
        if spec.column is not None and spec.column not in names:
            where = ["tables", number, "columns", name]
            raise mapping.failure(where, f"{path.name} has no column {spec.column!r}{hint}")
    for name in entry.key:
        if name not in names:
            raise mapping.failure(["tables", number, "key"], f"{path.name} has no column {name!r}{hint}")


def _sheet(entry: TableMapping, path: Path) -> Sheet:
    return Sheet(path, entry.sheet, entry.encoding, entry.header)


def _is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[")
