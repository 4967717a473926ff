"""The reader of note files: a folder of documents and a manifest that says whose they are.

The manifest (``manifest.csv``, ``.tsv``, ``.jsonl`` or ``.yaml``) has one entry for each document. Text comes
from ``documents.py`` and is kept to the letter.
"""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from knowledge.documents.text import SUFFIXES, decode, extract
from knowledge.errors import ImportFailure
from knowledge.importers.columns import RuleBroken
from knowledge.importers.language import language_of
from knowledge.importers.plainyaml import TextLoader
from knowledge.importers.records import Accepted, Item, Ref, Rejected, Row, Skipped, SourceFile, Value

MANIFESTS = ("manifest.csv", "manifest.tsv", "manifest.jsonl", "manifest.yaml")
COLUMNS = frozenset(
    "file patient subject_id encounter hadm_id type time author title language encoding".split()
)
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a manifest.

    Attributes:
        line: its line, or its number in a YAML list, from 1.
        fields: column to text; empty ones are left out.
        flaw: why it cannot be read at all, if so.
    """

    line: int
    fields: Mapping[str, str]
    flaw: str | None = None

    def rejected(self, reason: str) -> Rejected:
        """This entry for the quarantine."""
        return Rejected(self.line, "note", reason, json.dumps(dict(self.fields), ensure_ascii=False))


class NotesReader:
    """Text, Markdown, HTML, PDF and DOCX files, named in a manifest beside or above them."""

    kind = "notes"

    def files(self, source: Path) -> list[SourceFile]:
        """The manifest of a folder, or the manifest itself; empty if there is none."""
        if source.is_dir():
            manifests = [source / name for name in MANIFESTS if (source / name).is_file()]
        else:
            manifests = [source] if source.name in MANIFESTS else []
        return [SourceFile(path, options={"documents": _state(path.parent)}) for path in manifests]

    def read(self, file: SourceFile) -> Iterator[Item]:
        """One item for each entry, then the files that no entry names, counted by suffix.

        Raises:
            ImportFailure: the manifest itself cannot be read.
        """
        folder = file.path.parent.resolve()
        named: dict[Path, int] = {}
        for entry in _entries(file.path):
            try:
                yield _accepted(entry, folder, named)
            except (RuleBroken, ImportFailure) as error:
                yield entry.rejected(str(error))
        left = Counter(
            path.suffix.lower() or "no suffix"
            for path in _documents(folder)
            if path.resolve() not in named and not (path.parent == folder and path.name in MANIFESTS)
        )
        for suffix, n in sorted(left.items()):
            yield Skipped(f"file ({suffix})", "is not named in the manifest", n)


def _documents(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def _state(folder: Path) -> str:
    """A fingerprint of names, sizes and times, so that a changed document is read again."""
    digest = hashlib.sha256()
    for path in _documents(folder):
        status = path.stat()
        digest.update(f"{path.relative_to(folder)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _accepted(entry: Entry, folder: Path, named: dict[Path, int]) -> Accepted:
    if entry.flaw:
        raise RuleBroken(entry.flaw)
    fields = entry.fields
    if unknown := fields.keys() - COLUMNS:
        raise RuleBroken(f"has {len(unknown)} unknown column(s); known are {', '.join(sorted(COLUMNS))}")
    path = _path(fields, folder)
    if path in named:
        raise RuleBroken(f"file: is named in line {named[path]} already")
    named[path] = entry.line
    values: dict[str, Value | Ref] = {
        "subject_id": _key(fields, "subject_id", "patient", "patients", required=True),
        "hadm_id": _key(fields, "hadm_id", "encounter", "admissions", required=False),
        "charttime": _time(fields.get("time")),
        "note_type": fields.get("type"),
        "title": fields.get("title"),
        "author": fields.get("author"),
    }
    language = fields.get("language")
    if language is not None and language not in LANGUAGES:
        raise RuleBroken(f"language: is none of {', '.join(LANGUAGES)}")
    text = _text(path, fields.get("encoding"))
    values |= {
        "language": language or language_of(text),
        "text": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    row = Row("notes", values, path.relative_to(folder).as_posix())
    return Accepted(entry.line, (row,), "note", dict(fields))


def _path(fields: Mapping[str, str], folder: Path) -> Path:
    if "file" not in fields:
        raise RuleBroken("file: is missing")
    path = (folder / fields["file"]).resolve()
    # A manifest must not be able to pull other files of the machine into the store.
    if not path.is_relative_to(folder):
        raise RuleBroken("file: lies outside the manifest's folder")
    if path.suffix.lower() not in SUFFIXES:
        raise RuleBroken(f"file: its suffix is none of {' '.join(SUFFIXES)}")
    if not path.is_file():
        raise RuleBroken("file: does not exist")
    return path


def _text(path: Path, encoding: str | None) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RuleBroken(f"file: cannot be read ({error.strerror})") from error
    try:
        return extract(data, SUFFIXES[path.suffix.lower()], encoding)
    except ImportFailure as error:
        raise RuleBroken(f"file: {error}") from error


def _key(fields: Mapping[str, str], number: str, key: str, table: str, *, required: bool) -> int | Ref | None:
    """The patient or encounter: by the store's own number, or by the key of the source it came from."""
    if number in fields and key in fields:
        raise RuleBroken(f"{number}, {key}: only one of them can be given")
    if number in fields:
        if not fields[number].isascii() or not fields[number].isdigit():
            raise RuleBroken(f"{number}: is not a whole number")
        return int(fields[number])
    if key in fields:
        return Ref(table, fields[key])
    if required:
        raise RuleBroken(f"{number}, {key}: one of them must be given")
    return None


def _time(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise RuleBroken("time: is not of the form YYYY-MM-DD HH:MM:SS") from None
    return time.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")


def _entries(path: Path) -> Iterator[Entry]:
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise ImportFailure(f"{path} cannot be read: {error.strerror}.") from error
    except ImportFailure as error:
        raise ImportFailure(f"{path} {error}.") from error
    match path.suffix:
        case ".jsonl":
            return _from_jsonl(text)
        case ".yaml":
            return _from_yaml(text, path)
        case suffix:
            return _from_table(text, path, "\t" if suffix == ".tsv" else ",")


def _from_table(text: str, path: Path, delimiter: str) -> Iterator[Entry]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip().lower() for name in next(lines, [])]
        if "file" not in header or not {"patient", "subject_id"} & set(header):
            raise ImportFailure(f"{path} must have the columns file, and patient or subject_id.")
        if unknown := set(header) - COLUMNS:
            raise ImportFailure(
                f"{path} has {len(unknown)} unknown column(s); known are {', '.join(sorted(COLUMNS))}."
            )
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            flaw = None if len(cells) == len(header) else f"has {len(cells)} fields instead of {len(header)}"
            yield Entry(lines.line_num, _filled(dict(zip(header, cells, strict=False))), flaw)
    except csv.Error as error:
        raise ImportFailure(f"{path} is damaged in line {lines.line_num}: {error}.") from error


def _from_jsonl(text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            yield Entry(number, _filled(found))
        else:
            yield Entry(number, {"line": line}, "is not a JSON object")


def _from_yaml(text: str, path: Path) -> Iterator[Entry]:
    try:
        found = yaml.load(text, Loader=TextLoader)
    except yaml.YAMLError as error:
        raise ImportFailure(f"{path} is not YAML.") from error
    if not isinstance(found, list):
        raise ImportFailure(f"{path} must be a list of entries.")
    for number, fields in enumerate(found, start=1):
        if isinstance(fields, dict):
            yield Entry(number, _filled(fields))
        else:
            yield Entry(number, {"entry": str(fields)}, "is not a mapping")


def _filled(fields: Mapping[Any, Any]) -> dict[str, str]:
    return {
        str(name).strip().lower(): str(value).strip()
        for name, value in fields.items()
        if value is not None and str(value).strip()
    }
