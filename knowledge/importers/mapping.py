"""The mapping file of a hospital's own export: which of its columns fills which column of the store.

Described with an example that runs in docs/loading.md. Every mistake is told with its line and key.
"""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from knowledge.errors import ImportFailure
from knowledge.importers.columns import Table, schema_tables
from knowledge.importers.plainyaml import PlainLoader

KEEP = "keep"
"""As ``otherwise``: a value that the value map does not list stays as it is."""


class ColumnMapping(BaseModel):
    """Where one column of the store comes from.

    Attributes:
        column: the source's column.
        constant: a fixed value instead (a unit, a currency).
        values: source value to stored value.
        otherwise: for what ``values`` does not list; ``keep`` keeps it; without it the row is rejected.
        format: one or more ``strptime`` formats of a time; ISO times need none.
        numeric: takes numbers only and leaves the column empty for other results ('<0.01').
        system: code system, put before a code with a bar ('icd10|…').
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str | None = None
    constant: str | int | float | None = None
    values: dict[str, str | None] | None = None
    otherwise: str | None = None
    format: tuple[str, ...] = ()
    numeric: bool = False
    system: str | None = Field(default=None, pattern=r"^[a-z0-9_-]+$")

    @field_validator("format", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("values", mode="before")
    @classmethod
    def _text_keys(cls, value: object) -> object:
        # YAML reads 1, true or no as numbers and truth; in a value map they stand for the text of a cell.
        return {_text(k): _text(v) for k, v in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _one_origin(self) -> "ColumnMapping":
        if (self.column is None) == (self.constant is None):
            raise ValueError("give either 'column' or 'constant'")
        if "otherwise" in self.model_fields_set and self.values is None:
            raise ValueError("'otherwise' needs 'values'")
        return self


class TableMapping(BaseModel):
    """One table of the store and the files that fill it.

    Attributes:
        table: a table of the store.
        file: name or pattern, relative to the mapping file.
        sheet: of a workbook; the first by default.
        encoding: of a CSV file; recognised by default.
        header: line of the column names, from 1.
        key: the source's columns that identify a row.
        columns: column of the store to its origin; ``d_labitems.label`` and the like name what explains an
            item or code.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    file: str
    sheet: str | None = None
    encoding: str | None = None
    header: int = Field(default=1, ge=1)
    key: tuple[str, ...] = ()
    columns: dict[str, ColumnMapping] = Field(min_length=1)

    @field_validator("key", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: {"column": spec} if isinstance(spec, str) else spec for name, spec in value.items()}

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                "".encode(value)
            except LookupError:
                raise ValueError("is no encoding that Python knows") from None
        return value


class _MappingModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(default=1, ge=1, le=1)
    name: str = ""
    tables: tuple[TableMapping, ...] = Field(min_length=1)


class Mapping:
    """A mapping file that has been read and checked against the store's schema.

    Args:
        path: the file.

    Raises:
        ImportFailure: not readable, not YAML, or something in it makes no sense; names line and key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8-sig")
            self._root = yaml.compose(text, Loader=PlainLoader)
            data = yaml.load(text, Loader=PlainLoader)
        except (OSError, UnicodeDecodeError) as error:
            raise ImportFailure(f"{path} cannot be read; it must be UTF-8 text.") from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ImportFailure(f"{path} line {line} is not YAML: {error.problem}.") from error
        except yaml.YAMLError as error:
            raise ImportFailure(f"{path} is not YAML.") from error
        try:
            self.tables = _MappingModel.model_validate(data).tables
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = [part for part in first["loc"] if part != "[key]"]
            raise self.failure(where, first["msg"].removeprefix("Value error, ")) from error
        for number, table in enumerate(self.tables):
            self._check(number, table)

    def failure(self, where: list[Any], message: str) -> ImportFailure:
        """An error at a key, e.g. ``['tables', 0, 'columns', 'dob']``."""
        dotted = ".".join(str(part) for part in where) or "the top level"
        return ImportFailure(f"{self.path} line {self._line(where)}, {dotted}: {message}.")

    def _line(self, where: list[Any]) -> int:
        node, line = self._root, 1
        for part in where:
            if isinstance(node, yaml.MappingNode):
                pairs = [pair for pair in node.value if pair[0].value == part]
                if not pairs:
                    break
                line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            else:
                break
        return line

    def _check(self, number: int, mapping: TableMapping) -> None:
        known = schema_tables()
        at = ["tables", number]
        table = known.get(mapping.table)
        if table is None:
            raise self.failure(
                [*at, "table"], f"the store has no table {mapping.table!r}; it has {', '.join(sorted(known))}"
            )
        for name in mapping.columns:
            target, _, column = name.rpartition(".")
            dictionary = known.get(target) if target else table
            if dictionary is None or (target and dictionary not in explained_by(table)):
                raise self.failure(
                    [*at, "columns", name], f"{target!r} is no dictionary that {table.name} refers to"
                )
            if column not in dictionary.columns:
                raise self.failure(
                    [*at, "columns", name],
                    f"{dictionary.name} has no column {column!r}; it has {', '.join(dictionary.columns)}",
                )
        needed = [name for name, column in table.columns.items() if column.required]
        if table.is_owned and table.id_column not in needed:
            needed.append(table.id_column)
        missing = [
            name for name in needed if name not in mapping.columns and name not in ("sha256", "linksto")
        ]
        if missing:
            raise self.failure([*at, "columns"], f"{table.name} needs {', '.join(missing)}")


def explained_by(table: Table) -> list[Table]:
    """The dictionaries that explain items or codes of a table."""
    known = schema_tables()
    names = dict.fromkeys(column.refers_to for column in table.columns.values() if column.refers_to)
    return [known[name] for name in names if known[name].is_dictionary]


def _text(value: object) -> object:
    if value is True or value is False:
        return "true" if value else "false"
    return value if value is None or isinstance(value, str) else str(value)
